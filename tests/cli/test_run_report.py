"""--report: one page a run, made from receipts, that holds all and trusts nothing."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import Run, run
from factorized_video.cli import run_report
from judges import Judge
from loopback import CAPTION, Gateway, png

HOSTILE = """<script>alert("x")</script> & 'a' <img src=x onerror=alert(1)>
second line \u202e \U0001f98a"""
VOID = {"meta", "link", "img", "br"}


class Read(HTMLParser):
    """Tags, attributes and text of a page; every tag must be closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def make(gateway: Gateway, *words: str) -> Run:
    given = () if any("--prompt" in word for word in words) else ("--prompt=A cat",)
    return run("factorized_generate", *given, *words, "--report", "--json", gateway=gateway)


def page(path: str | Path) -> Read:
    read = Read(Path(path).read_text(encoding="utf-8"))
    # Nothing is loaded from anywhere, and nothing in it runs.
    assert not read.of("script") and not read.of("iframe")
    assert all(not name.startswith("on") for _, attributes in read.tags for name in attributes)
    sources = [one.get("src") or "" for tag in ("img", "video") for one in read.of(tag)]
    assert all(source.startswith("data:") for source in sources)
    policy = [one.get("content") for one in read.of("meta") if "http-equiv" in one]
    assert policy and "default-src 'none'" in str(policy[0])
    return read


def test_a_run_has_a_page_of_its_own_with_all_of_it(gateway: Gateway) -> None:
    Judge(gateway)
    done = make(gateway, "--output=out/cat.mp4", "--candidates=2", "--verify", "--duration=4")
    assert done.code == 0, done.err
    assert done.json["report"] == str(Path("out/cat.html").absolute())
    read = page(done.json["report"])
    for words in ("A cat", CAPTION, "Candidate 1", "(chosen)", "Settings", "Cost", "Receipts"):
        assert words in read.text
    assert "duration (s)" in read.text and "veo-3.1" in read.text
    assert "factorized_generate.py" in read.text  # the command to copy
    kinds = [str(one.get("src")).partition(";")[0] for one in read.of("img")]
    assert len(read.of("video")) == 1 and len(kinds) >= 4
    links = [str(one["href"]) for one in read.of("a")]
    assert links and all((Path("out") / link).is_file() for link in links)


def test_it_is_made_later_for_nothing_and_from_receipts_alone(gateway: Gateway) -> None:
    words = ("--prompt=A cat", "--output=cat.mp4")
    assert run("factorized_generate", *words, gateway=gateway).code == 0
    sent = dict(gateway.sent)
    done = make(gateway, *words)
    assert (done.code, gateway.sent) == (0, sent)
    first = Path("cat.html").read_bytes()
    Path("cat.html").unlink()
    listed = run("factorized_generate", "--list-runs=.", "--report", "--json")
    assert listed.json["report"] == str(Path("index.html").absolute())
    assert len(Path("cat.html").read_bytes()) == len(first)
    index = page("index.html")
    assert "1 run" in index.text and [one["href"] for one in index.of("a")] == ["cat.html"] * 2
    text = run("factorized_generate", "--list-runs=.", "--report")
    assert text.out.endswith(f"report: {Path.cwd()}/index.html\n")


@pytest.mark.parametrize("prompt", [HOSTILE, "x" * 20_000, "猫" * 500, "a\n\nb"])
def test_every_text_is_text(gateway: Gateway, prompt: str) -> None:
    Path("p.txt").write_text(prompt, encoding="utf-8")
    done = make(gateway, "--prompt-file=p.txt", "--output=x.mp4")
    assert done.code == 0, done.err
    read = page("x.html")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", Path("x.html").read_text("utf-8"), re.S)
    assert heading and html.unescape(heading[1]).split() == prompt.split()
    assert read.text.count("<script>") <= read.text.count("alert(")
    page(run("factorized_generate", "--list-runs=.", "--report", "--json").json["report"])


def test_a_run_that_stops_to_be_looked_at_has_a_page_too(gateway: Gateway) -> None:
    stopped = make(gateway, "--output=cat.mp4", "--stop-after=anchor")
    read = page(stopped.json["report"])
    assert "There is no clip yet." in read.text and not read.of("video")
    chosen = make(gateway, "--output=dog.mp4", "--candidates=2")
    assert "--select=1" in page(chosen.json["report"]).text


def test_both_ways_and_many_have_an_index(gateway: Gateway) -> None:
    both = make(gateway, "--output=both/cat.mp4", "--compare")
    assert both.code == 0, both.err
    assert both.json["report"] == str(Path("both/index.html").absolute())
    index = page(both.json["report"])
    assert {str(one["href"]) for one in index.of("a")} == {"cat.html", "cat.direct.html"}
    Path("many.jsonl").write_text('{"prompt": "A fox"}\n{"prompt": "A dog"}\n', encoding="utf-8")
    many = make(gateway, "--prompts-file=many.jsonl", "--output=many")
    assert many.code == 0, many.err
    assert many.json["report"] == str(Path("many/index.html").absolute())
    assert "2 runs" in page(many.json["report"]).text


def test_a_large_clip_is_linked(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--prompt=A cat", "--output=a b.mp4")
    assert run("factorized_generate", *words, gateway=gateway).code == 0
    monkeypatch.setattr(run_report, "LARGEST_INSIDE", 100)
    read = Read(run_report.of_run(Path("a b.mp4").absolute()).read_text(encoding="utf-8"))
    assert [one["src"] for one in read.of("video")] == ["a%20b.mp4"]
    assert "lies beside this page" in read.text


def test_where_it_cannot_be_written_the_run_stands_with_a_warning(gateway: Gateway) -> None:
    Path("cat.html").mkdir()
    done = make(gateway, "--output=cat.mp4")
    assert (done.code, done.json["report"]) == (0, None)
    assert any("There is no report" in warning for warning in done.json["warnings"])


def test_damaged_receipts_and_strange_files_break_nothing(gateway: Gateway) -> None:
    assert make(gateway, "--output=cat.mp4").code == 0
    Path("cat.mp4.receipt.json").write_text('{"schema_version": 99}', encoding="utf-8")
    Path("cat.stages/anchor.png.receipt.json").write_bytes(b"\xff")
    Path("cat.stages/caption.txt").write_bytes(b"\xff\xfe")
    listed = run("factorized_generate", "--list-runs=.", "--report", "--json")
    assert listed.code == 0, listed.err
    page("index.html")
    page("cat.html")
    odd = {"schema_version": 1, "state": "succeeded", "stage": "synthesis"}
    names = ("sent", "measured", "inputs", "asked", "gateway", "error", "candidates")
    values: list[object] = ["x", 7, [1], [[]], {"a": 1}, None]
    for value in values:
        receipt = {**odd, **dict.fromkeys((*names, "anchor_fidelity", "took_s", "checks"), value)}
        for name in ("cat.mp4", "cat.stages/anchor.png"):
            Path(f"{name}.receipt.json").write_text(json.dumps(receipt), encoding="utf-8")
        listed = run("factorized_generate", "--list-runs=.", "--report", "--json")
        assert (listed.code, bool(listed.json["report"])) == (0, True), listed.err
        page("cat.html")


def test_a_key_is_never_on_it(gateway: Gateway) -> None:
    from conftest import KEY

    assert make(gateway, "--output=cat.mp4").code == 0
    assert KEY not in Path("cat.html").read_text(encoding="utf-8")


def test_ones_own_first_frame_is_named_and_an_old_clip_is_no_run_of_its_own(
    gateway: Gateway,
) -> None:
    words = ("--output=cat.mp4",)
    assert make(gateway, *words).code == 0
    Path("cat.stages/anchor.png").write_bytes(png((1280, 720), 5))
    assert make(gateway, *words, "--overwrite").code == 0
    assert Path("cat.1.mp4").exists()
    listed = run("factorized_generate", "--list-runs=.", "--report", "--json")
    assert "1 run" in page(listed.json["report"]).text
    assert not Path("cat.1.html").exists()
    assert "First frame (your own version)" in page("cat.html").text


def test_what_a_killed_run_left_of_a_page_goes_with_the_next(gateway: Gateway) -> None:
    assert make(gateway, "--prompt=A cat", "--output=cat.mp4").code == 0
    left = [Path(".cat.html.06cacb27.part"), Path(".index.html.06cacb27.part")]
    for path in left:
        path.write_bytes(b"half")
    assert run("factorized_generate", "--list-runs", ".", "--report").code == 0
    assert not [path for path in left if path.exists()]
    assert not list(Path().glob(".*.lock"))
