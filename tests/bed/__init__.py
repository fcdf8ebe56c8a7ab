"""A test bed for the loop that checks an anchor before its clip is paid for.

Generated scenes whose truth is known, an image model that draws things wrong at a set rate, and a
judge that errs at a set rate. What is measured is the loop, questions, candidates, checks, repair;
never a hosted model: none draws or judges by independent chances.

`scenes` says what is right, `drawing` puts it into pixels, `judge` reads it off them, `models` are
the three models with their rates, `world` puts them on a loopback gateway, `loop` is the loop once
more in a few lines, to be compared with, and `table` runs it all. By hand:

    python tests/bed --scenes 100
"""
