"""In which font a text is drawn, and what becomes of what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("PIL")

from factorized_video import fonts
from factorized_video.fonts import NO_FONT, OWN, Face

WITH_ACCENTS = "Ein Mädchen läuft über die Brücke"


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    fonts._system_face.cache_clear()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a font."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(fonts, "_USUAL", ())


@pytest.mark.parametrize("text", ["", "A red fox", "“A fox” – the ‘red’ one…", "a\n b\tc"])
def test_a_text_of_plain_signs_looks_the_same_everywhere(text: str) -> None:
    assert fonts.face_for(text) == OWN
    assert "?" not in fonts.drawable(text)[0]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("A red fox", "A red fox"),
        ("a\n\n b\tc\x00d\u200be\u00a0f \ud800", "a b cde f"),
        ("Café Ångström, Straße – ‘so’", "Cafe Angstrom, Strasse - 'so'"),
        ("The poet 李白, drunk", "The poet ??, drunk"),
        ("A fox 🦊🏽 runs", "A fox runs"),
        ("قطة تقفز", NO_FONT),
        ("一只橘猫从书架跳到沙发上", NO_FONT),
    ],
)
def test_without_a_font_for_it_accents_go_and_a_script_is_named(
    bare: None, text: str, drawn: str
) -> None:
    assert fonts.drawable(text) == (drawn, OWN)


def test_a_font_of_the_system_keeps_the_accents() -> None:
    text, face = fonts.drawable(WITH_ACCENTS)
    if face == OWN:
        pytest.skip("no font with accents is installed here")
    assert text == WITH_ACCENTS
    assert Path(face.file).is_file() and face.at(20).getlength(text) > 100


@pytest.mark.parametrize("answer", ["", "|", "/nowhere.ttf|0", "{here}|0", "{here}|x"])
def test_what_fontconfig_answers_is_checked(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    here = Path("no-font.ttf")
    here.write_bytes(b"no font at all")
    program = Path("fc-match")
    program.write_text(f"#!/bin/sh\nprintf '%s' '{answer.format(here=here)}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(Path.cwd()))
    monkeypatch.setattr(fonts, "_USUAL", ())
    assert fonts.face_for("猫") == OWN


def test_a_face_without_a_letter_is_not_taken() -> None:
    assert Face().has("a") and not Face().has("猫")
