"""Exit codes: which kind of error has which, and what it means."""

# kind of error -> exit code and status word of the result
EXITS = {
    "internal": (1, "failed"),
    "usage": (2, "failed"),
    "auth": (3, "failed"),
    "running": (4, "running"),
    "refused": (5, "refused"),
    "unavailable": (6, "failed"),
    "budget": (7, "failed"),
    "unknown": (8, "unknown"),
    "output": (9, "failed"),
    "rejected": (10, "rejected"),
    "failed": (11, "failed"),
    "unverified": (12, "unverified"),
    "interrupted": (130, "interrupted"),
}
EXIT_CODES = """\
exit codes:
  0 done, or already done for the same inputs    8 unknown whether a paid call was taken
  2 bad flags or input, nothing sent             9 result not usable, or not writable here
  3 no key, key refused, or no credit           10 request not taken, nothing made
  4 still running: run the same command again   11 the job was accepted and failed
  5 refused by the model or its filter          12 no candidate is good enough: look at them
  6 gateway not available: try later           130 interrupted: run the same command again
  7 over the cap on cost, nothing sent           1 a bug in this tool"""
# After these the same command resumes, so `next` is that command.
SAME_COMMAND_RESUMES = ("running", "auth", "unavailable", "unknown", "output", "interrupted")
