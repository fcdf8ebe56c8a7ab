"""The HTML of a report: one file without scripts or anything from elsewhere. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import NamedTuple

from ..errors import clean

Row = tuple[str, str]


class Media(NamedTuple):
    """A picture or a clip: `source` holds it, or is a link to it."""

    name: str
    source: str
    kind: str
    inside: bool


class Picture(NamedTuple):
    """A picture and what it shows."""

    title: str
    media: Media


class Page(NamedTuple):
    """What the page of a run shows."""

    name: str
    prompt: str
    made_at: str
    caption: str
    motion: str
    clip: Media | None
    pictures: tuple[Picture, ...]
    candidates: tuple[tuple[str, Media, tuple[str, ...]], ...]  # title, picture, what it fails
    sheet: Media | None
    settings: tuple[Row, ...]
    calls: tuple[tuple[str, ...], ...]  # output, model, state, time, cost
    total: str
    warnings: tuple[str, ...]
    commands: tuple[Row, ...]
    receipts: tuple[str, ...]


class Index(NamedTuple):
    """A run in the list: the link to its page, its prompt, its state or cost, a small picture."""

    link: str
    prompt: str
    state: str
    picture: Media | None


_STYLE = """
:root { color-scheme: light dark; --ink: #1c1d20; --faint: #62656b; --ground: #fbfaf7;
  --panel: #ffffff; --line: #dddad2; --accent: #a3461f; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --faint: #a4a7ad;
  --ground: #18181a; --panel: #232327; --line: #3a3a40; --accent: #f0a35e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; background: var(--ground);
  color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .25rem; font-weight: 600;
  white-space: pre-wrap; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 2.25rem 0 .5rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.faint { color: var(--faint); font-size: .9rem; }
.note { border-left: 4px solid var(--accent); padding-left: .75rem; }
img, video { display: block; max-width: 100%; max-height: 80vh; border-radius: 6px; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
figure { margin: 0; } figcaption { padding: .35rem 0; font-size: .9rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--faint); font-weight: 500; }
td:last-child, th:last-child { padding-right: 0; }
.money { text-align: right; white-space: nowrap; }
.smaller img { max-height: 26rem; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .7rem;
  overflow-x: auto; font: .85rem/1.5 ui-monospace, monospace; user-select: all; margin: .25rem 0; }
a { color: var(--accent); }
"""
# Nothing is loaded from anywhere, and no script runs, whatever a prompt contains.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data: file: 'self'; media-src data: file: 'self'"
)


def page(run: Page) -> str:
    """The page of one run."""
    body = [
        f'<h1 dir="auto">{_text(run.prompt or run.name)}</h1>',
        f'<p class="faint">{_text(run.name)}{_text(run.made_at and f" · {run.made_at}")}</p>',
        *(f'<p class="note">{_text(one)}</p>' for one in run.warnings),
        _clip(run.clip),
        *(_section(one.title, _image(one.media), "smaller") for one in run.pictures),
        _section("Candidates", _grid(run.candidates)) if run.candidates else "",
        _section("Contact sheet", _image(run.sheet)) if run.sheet else "",
        _words("Caption of the first frame", run.caption),
        _words("Motion", run.motion),
        _section("Settings", _table((), run.settings)) if run.settings else "",
        _costs(run),
        _commands(run.commands),
        _receipts(run.receipts),
    ]
    return _document(run.prompt or run.name, body)


def index(title: str, runs: Iterable[Index]) -> str:
    """The list of all runs in a folder."""
    cards = list(runs)
    rows = [
        f'<figure><a href="{_link(one.link)}">{_image(one.picture) if one.picture else ""}</a>'
        f'<figcaption dir="auto"><a href="{_link(one.link)}">{_text(one.prompt)}</a><br>'
        f'<span class="faint">{_text(one.state)}</span></figcaption></figure>'
        for one in cards
    ]
    count = f"{len(cards)} run{'s' if len(cards) != 1 else ''}"
    body = [f"<h1>{_text(title)}</h1>", f'<p class="faint">{count}</p>']
    return _document(title, [*body, f'<div class="grid">{"".join(rows)}</div>'])


def _document(title: str, body: Iterable[str]) -> str:
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{_text(title[:120])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    return head + "\n".join(filter(None, body)) + "\n</body>\n</html>\n"


def _text(words: str) -> str:
    """Words as text, whatever they contain; line breaks stay."""
    return html.escape("\n".join(map(clean, words.splitlines())))


def _link(path: str) -> str:
    from urllib.parse import quote

    return html.escape(path if path.startswith("data:") else quote(path))


def _section(title: str, inner: str, kind: str = "") -> str:
    start = f'<section class="{kind}">' if kind else "<section>"
    return f"{start}\n<h2>{_text(title)}</h2>\n{inner}\n</section>"


def _words(title: str, words: str) -> str:
    return _section(title, f'<p dir="auto">{_text(words)}</p>') if words else ""


def _image(media: Media) -> str:
    return f'<img src="{_link(media.source)}" alt="{_text(media.name)}">'


def _clip(clip: Media | None) -> str:
    if clip is None:
        return ""
    beside = (
        "" if clip.inside else f'<p class="faint">{_text(clip.name)} lies beside this page.</p>'
    )
    source = f'<video controls loop muted playsinline src="{_link(clip.source)}"></video>'
    return _section("Video", source + beside)


def _grid(candidates: Iterable[tuple[str, Media, tuple[str, ...]]]) -> str:
    figures = [
        f"<figure>{_image(media)}<figcaption>{_text(title)}"
        + "".join(f'<br><span class="faint">no: {_text(one)}</span>' for one in failed)
        + "</figcaption></figure>"
        for title, media, failed in candidates
    ]
    return f'<div class="grid">{"".join(figures)}</div>'


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], last: str = "") -> str:
    marks = [f" class={last}" if last and one == heads[-1] else "" for one in heads]
    head = "".join(f"<th{mark}>{_text(one)}</th>" for mark, one in zip(marks, heads, strict=True))
    lines = [f"<tr>{head}</tr>"] if heads else []
    for row in rows:
        first, *rest = row
        cells = f"<th scope=row>{_text(first)}</th>" if not heads else f"<td>{_text(first)}</td>"
        for number, one in enumerate(rest, 1):
            money = last if number == len(rest) else ""
            cells += f"<td{f' class={money}' if money else ''}>{_text(one)}</td>"
        lines.append(f"<tr>{cells}</tr>")
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def _costs(run: Page) -> str:
    if not run.calls:
        return ""
    rows = [*run.calls, ("all", "", "", "", run.total)]
    return _section("Cost", _table(("", "model", "state", "time", "USD"), rows, "money"))


def _commands(commands: Iterable[Row]) -> str:
    inner = "".join(f"<p>{_text(what)}</p><pre>{_text(line)}</pre>" for what, line in commands)
    return _section("Next", inner) if inner else ""


def _receipts(paths: tuple[str, ...]) -> str:
    items = "".join(f'<li><a href="{_link(one)}">{_text(one)}</a></li>' for one in paths)
    return _section("Receipts", f"<ul>{items}</ul>") if items else ""
