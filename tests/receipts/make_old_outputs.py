"""Make `old_outputs/`: outputs as a released version left them, for test_old_outputs.py.

Run it from a checkout of that version, so that its command line and its loopback gateways are used
(`$NEW` is this folder):

    PYTHONPATH=$PWD/tests python3 $NEW/make_old_outputs.py $NEW/old_outputs

A case is a folder: `files/` is what the command left, `case.json` how that version continued from
there. Names given after the folder limit it to these cases.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from conftest import SCRIPTS, guarded, run, start
from judges import Judge
from loopback import CAPTION, Gateway, Reply, png, refusal
from speech import Asked

PROMPT = "A cat jumping from a bookshelf to the couch"
LONG_AGO = 1_700_000_000.0  # seconds since 1970
PROJECT = "/home/user/project"
SKILL = "/home/user/factorized-video-gen"
CHANGED_CAPTION = "A tabby cat asleep on the top shelf of a tall wooden bookshelf."
Words = tuple[str, ...]  # a script and its arguments
Prepare = Callable[[Gateway], object]


@dataclass(frozen=True)
class Case:
    """Commands that left something, and those that continue from there (default: the last one)."""

    name: str
    made_by: tuple[Words, ...]
    continued: tuple[Words, ...] = ()
    gateway: str = "happycapy"
    pictures: tuple[tuple[str, tuple[int, int]], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    edits: tuple[tuple[str, str], ...] = ()  # files as you might change them, after the commands
    prepare: Prepare = lambda gateway: None
    is_recent: bool = False  # continued at once, whatever the date
    stdin: str = ""  # of each command
    killed_at: str = ""  # the endpoint whose answer the last command was killed before


# --- what is kept ---------------------------------------------------------------------------------

STAGE_1 = ("rewrite_prompt", PROMPT, "--json")
STAGE_2 = ("generate_anchor", CAPTION, "--json", "--output=a.png")
STAGE_3 = (
    "generate_video_from_anchor",
    f"--prompt={PROMPT}",
    "--json",
    "--anchor=mine.png",
    "--output=v.mp4",
)
ALL = ("factorized_generate", f"--prompt={PROMPT}", "--json", "--output=v.mp4")
MINE = (("mine.png", (1280, 720)),)
OTHERS = (("cat.png", (640, 640)), ("hat.png", (512, 512)))
LINES = '{"prompt": "A cat jumps"}\n{"prompt": "A dog sleeps", "settings": {"duration": 4}}\n'
NAMED = {
    "openai": ("--llm-model=own/llm", "--image-model=own/image", "--video-model=own/i2v"),
    "openrouter": ("--video-model=google/veo-3.1", "--image-model=bytedance-seed/seedream-4.5"),
    "vercel": ("--video-model=alibaba/wan-v3.0-video", "--image-model=bytedance/seedream-4.5"),
}


def loses(endpoint: str) -> Prepare:
    """The answer to the first paid call is lost."""
    return lambda gateway: gateway.will(endpoint, Reply(fault="reset"))


def ends(**ending: object) -> Prepare:
    """The job ends so."""
    return lambda gateway: gateway.ending.update(ending)


def refuses(gateway: Gateway) -> None:
    """The image model's filter refuses the caption."""
    gateway.will("image", refusal(400, "blocked by the safety filter", code="content_policy"))


def hides_jobs(gateway: Gateway) -> None:
    """A create's answer is lost, and the list of jobs cannot be read."""
    gateway.will("create", Reply(fault="reset"))
    gateway.always("list", Reply(500))


def hides_keys(gateway: Gateway) -> None:
    """A create's answer is lost, and so are those to its repetitions."""
    gateway.will("create", Reply(fault="reset"))
    gateway.always("create", Reply(503))


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _single_stages()
    yield from _candidates()
    yield from _all_stages()
    yield from _unfinished()
    yield from _killed()
    for gateway, models in NAMED.items():
        yield Case(f"all-{gateway}", ((*ALL, *models),), gateway=gateway)
        words = (*ALL, *models, "--no-wait")
        yield Case(f"all-{gateway}-submitted", (words,), ((*ALL, *models),), gateway=gateway)


def _single_stages() -> Iterator[Case]:
    files = ("--output=caption.txt", "--motion-file=motion.txt")
    yield Case("caption", ((*STAGE_1, *files),))
    yield Case(
        "caption-styled",
        ((*STAGE_1, "--output=caption.txt", "--style=anime", "--aspect-ratio=9:16"),),
    )
    seen = ("--anchor=mine.png", "--output=seen.txt")
    yield Case("motion-from-picture", ((*STAGE_1, *seen),), pictures=MINE)
    yield Case("anchor", (STAGE_2,))
    yield Case("anchor-take-2", ((*STAGE_2, "--style=cinematic", "--enhance", "--take=2"),))
    yield Case(
        "anchor-reference",
        ((*STAGE_2, "--reference=cat.png", "--reference=hat.png"),),
        pictures=OTHERS,
    )
    edit = ("generate_anchor", "make the cat orange", "--edit=cat.png", "--json", "--output=a.png")
    yield Case("anchor-edit", (edit,), pictures=OTHERS[:1])
    yield Case("clip", (STAGE_3,), pictures=MINE)
    settings = ("--duration=5", "--fit-duration", "--aspect-ratio=9:16", "--resolution=1080p")
    yield Case(
        "clip-settings",
        ((*STAGE_3, *settings, "--no-audio", "--fit=crop", "--motion=It leaps.", "--take=3"),),
        pictures=(("mine.png", (900, 900)),),
    )
    last = ("--last-frame=last.png", "--prompt-strategy=motion-only", "--motion=It leaps.")
    veo = "--model=google/veo-3.1-generate-001"
    yield Case(
        "clip-last-frame",
        ((*STAGE_3, veo, *last),),
        gateway="vercel",
        pictures=(*MINE, ("last.png", (1280, 720))),
    )
    sound = ("--seed=7", "--audio", "--fit=pad", "--duration=5", "--model=alibaba/wan-v3.0-video")
    yield Case(
        "clip-seed", ((*STAGE_3, *sound),), gateway="vercel", pictures=(("mine.png", (900, 900)),)
    )
    yield Case("clip-direct", (("generate_video_from_anchor", *STAGE_3[1:3], "--direct"),))


def _candidates() -> Iterator[Case]:
    three = (*STAGE_2, "--candidates=3")
    chosen = (*three, "--select=2")
    yield Case("candidates-waiting", (three,), (three, chosen, (*three, "--select=3")))
    yield Case("candidates-chosen", (three, chosen), (chosen, three))
    judged = (*STAGE_2, "--candidates=2", "--verify", "--repair")
    yield Case("candidates-repaired", (judged,))
    yield Case("candidates-poor", ((*STAGE_2, "--candidates=2", "--min-score=0.9"),))
    two = (*ALL, "--candidates=2")
    yield Case("all-candidates-waiting", (two,), (two, (*two, "--select=2"), two))
    yield Case("all-verified", ((*two, "--verify", "--repair", "--motion-from-anchor"),))


def _all_stages() -> Iterator[Case]:
    other = (*ALL, "--duration=4", "--overwrite")
    stage_3 = (*STAGE_3[:3], "--anchor=v.stages/anchor.png", "--motion-file=v.stages/motion.txt")
    yield Case(
        "all",
        (ALL,),
        (
            ALL,
            (*ALL, "--dry-run"),
            (*stage_3, "--output=v.mp4"),
            (*other, "--max-cost=4"),  # what was spent before counts
            (*other, "--max-cost=5"),
        ),
    )
    yield Case("all-default-name", (ALL[:3],))
    yield Case("anchor-default-name", (STAGE_2[:3],))
    letters = ("generate_anchor", "Ein Kätzchen: 猫 🐈", "--json", "--output=a.png")
    yield Case("anchor-other-language", (letters,))
    yield Case("clip-default-name", (STAGE_3[:-1],), pictures=MINE)
    script, prompt, *rest = ALL
    piped, read = ((script, f"--prompt-file={file}", *rest) for file in ("-", "prompt.txt"))
    yield Case(
        "all-from-stdin",
        (piped,),
        (piped, read, (script, "--prompt=-", *rest), (script, prompt, *rest)),
        texts=(("prompt.txt", PROMPT),),
        stdin=PROMPT,
    )
    styled = ("--style=anime", "--enhance", "--aspect-ratio=9:16", "--duration=4", "--take=2")
    yield Case("all-settings", ((*ALL, *styled, "--no-audio", "--save-intermediate"),))
    yield Case("all-no-caption", ((*ALL, "--skip-reasoning"),))
    yield Case("all-own-anchor", ((*ALL, "--anchor-path=mine.png"),), pictures=MINE)
    seen = (*ALL, "--anchor-path=mine.png", "--motion-from-anchor")
    yield Case("all-own-anchor-motion", (seen,), pictures=MINE)
    yield Case("all-motion-from-anchor", ((*ALL, "--motion-from-anchor"),))
    yield Case("all-reference", ((*ALL, "--reference=cat.png"),), pictures=OTHERS[:1])
    yield Case("all-motion-given", ((*ALL, "--motion=It leaps.", "--work-dir=work"),))
    stop = (*ALL, "--stop-after=anchor")
    yield Case("all-stopped-at-anchor", (stop,), (stop, ALL, ALL))
    stop = (*ALL, "--stop-after=caption")
    yield Case("all-stopped-at-caption", (stop,), (stop, ALL, ALL))
    edit = (("v.stages/caption.txt", CHANGED_CAPTION),)
    yield Case("all-caption-edited", (stop,), (ALL, ALL), edits=edit)
    yield Case("all-caption-edited-done", (stop, ALL), (ALL,), edits=edit)
    yield Case("all-direct", ((*ALL, "--direct"),))
    yield Case("all-compare", ((*ALL, "--compare", "--verify"),))
    compared = (*ALL, "--compare", "--no-filmstrip")
    yield Case("all-compare-unmeasured", (compared,), (compared, ALL))
    many = ("factorized_generate", "--prompts-file=many.jsonl", "--output=out", "--json")
    texts = (("many.jsonl", LINES),)
    yield Case("many-prompts", (many,), texts=texts)
    some = (*many, "--concurrency=1")
    again = (*some, "--resubmit")
    yield Case("many-prompts-refused", (some,), (some, again), texts=texts, prepare=refuses)


def _unfinished() -> Iterator[Case]:
    yield Case("clip-submitted", ((*STAGE_3, "--no-wait"),), (STAGE_3, STAGE_3), pictures=MINE)
    yield Case("all-submitted", ((*ALL, "--no-wait"),), (ALL, ALL))
    paid_again = (*STAGE_3, "--resubmit")
    failed = ends(status="failed", error="GPU lost")
    yield Case("clip-failed", (STAGE_3,), (STAGE_3, paid_again), pictures=MINE, prepare=failed)
    blocked = ends(status="failed", error="safety filter")
    yield Case("clip-refused", (STAGE_3,), pictures=MINE, prepare=blocked)
    yield Case("anchor-refused", (STAGE_2,), prepare=refuses)
    again = (*STAGE_2, "--resubmit")
    yield Case("anchor-unknown", (STAGE_2,), (STAGE_2, again), prepare=loses("image"))
    found = (*STAGE_3, "--job=job-1")
    yield Case("clip-unknown", (STAGE_3,), (STAGE_3, found), pictures=MINE, prepare=loses("create"))
    lost = (*STAGE_3, "--model=own/i2v")
    yield Case("clip-lost-openai", (lost,), gateway="openai", pictures=MINE, prepare=hides_jobs)
    lost = (*STAGE_3, "--model=alibaba/wan-v3.0-video")
    sent = Case("clip-lost-vercel", (lost,), gateway="vercel", pictures=MINE, prepare=hides_keys)
    yield replace(sent, is_recent=True)
    yield replace(sent, name="clip-lost-vercel-expired")
    other = (*STAGE_2, "--style=anime")
    yield Case("anchor-overwritten", (STAGE_2, (*other, "--overwrite")), (other, STAGE_2))
    yield Case("anchor-other-options", (STAGE_2,), (other, (*other, "--overwrite")))


def _killed() -> Iterator[Case]:
    again = (*STAGE_2, "--resubmit")
    yield Case("anchor-killed", (STAGE_2,), (STAGE_2, again), killed_at="image")
    found = (*STAGE_3, "--job=job-1")
    commands = (STAGE_3, found, STAGE_3)
    yield Case("clip-killed", (STAGE_3,), commands, pictures=MINE, killed_at="create")
    taken_over = (*ALL, "--job=job-1")
    yield Case("all-killed", (ALL,), (ALL, taken_over, ALL), killed_at="create")
    words = (*ALL, *NAMED["openai"])
    yield Case("all-killed-openai", (words,), (words, words), "openai", killed_at="create")


# --- how a case is continued ----------------------------------------------------------------------


def continued(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Run a case's commands in the working folder, which holds its files; what each led to."""
    _sent_at(time.time() if case["is_recent"] else LONG_AGO)
    with Gateway(case["gateway"]) as gateway:  # at one port: by that a server is recognised
        Judge(gateway)
        for command in case["continued"]:
            gateway.billed.clear()
            gateway.jobs = {job["id"]: _job_read(job) for job in case["jobs"]}
            before = hashes()
            ended = run(*command["words"], gateway=gateway, stdin=case.get("stdin"))
            result = ended.json
            output = result.get("output")
            after = hashes()
            yield {
                "words": command["words"],
                "code": ended.code,
                "status": result.get("status"),
                "reused": result.get("reused"),
                "cost": (result.get("cost") or {}).get("amount"),
                "output": output and Path(output).relative_to(Path.cwd()).as_posix(),
                "billed": dict(gateway.billed),
                "receipts": receipts(),
                "changed": sorted(name for name, was in before.items() if after.get(name) != was),
            }
            case["jobs"] = [_job_written(job) for job in gateway.jobs.values()]


def hashes() -> dict[str, str]:
    """SHA-256 of each file below the working folder."""
    files = sorted(path for path in Path().rglob("*") if path.is_file())
    return {path.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def receipts() -> dict[str, list[object]]:
    """State, digest and digest of the run, by receipt below the working folder."""
    found = {}
    for path in sorted(Path().rglob("*.receipt.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        found[path.as_posix()] = [
            data["state"],
            data["digest"],
            (data.get("pipeline") or {}).get("digest"),
        ]
    return found


def _sent_at(at: float) -> None:
    """Date the lost calls; a repetition with an idempotency key depends on their age."""
    for path in Path().rglob("*.receipt.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("idempotency_key") and not data.get("job"):
            path.write_text(json.dumps({**data, "sent_at": at}, indent=1), encoding="utf-8")


def _job_written(job: dict[str, Any]) -> dict[str, Any]:
    """A gateway's job as JSON."""
    if not job["key"]:  # compared with a create that has the same idempotency key
        return {name: value for name, value in job.items() if name != "asked"}
    asked = {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in asdict(job["asked"]).items()
    }
    return {**job, "asked": asked}


def _job_read(job: dict[str, Any]) -> dict[str, object]:
    if "asked" not in job:
        return dict(job)
    asked = dict(job["asked"])
    for name in ("frame", "last_frame"):
        asked[name] = base64.b64decode(asked[name]) if asked[name] else None
    asked["pictures"] = tuple(asked["pictures"])
    return {**job, "asked": Asked(**asked)}


# --- making ---------------------------------------------------------------------------------------


def make(case: Case, place: Path, work: Path) -> None:
    """Make one case in `work`, and keep it in `place`."""
    os.chdir(work)
    for number, (name, size) in enumerate(case.pictures):
        Path(name).write_bytes(png(size, number))
    for name, text in case.texts:
        Path(name).write_text(text, encoding="utf-8")
    with Gateway(case.gateway) as gateway:
        judge = Judge(gateway)
        judge.fails = {"1": {2, 3}, "2": {2}}
        case.prepare(gateway)
        for words in case.made_by:
            if case.killed_at and words == case.made_by[-1]:
                code = _kill(words, case.killed_at, gateway)
            else:
                code = run(*words, gateway=gateway, stdin=case.stdin).code
            for name, text in case.edits:
                Path(name).write_text(text, encoding="utf-8")
        jobs = [_job_written(job) for job in gateway.jobs.values()]
    result = {
        "made_by": [list(words) for words in case.made_by],
        "made_with_code": code,
        "gateway": case.gateway,
        "is_recent": case.is_recent,
        "stdin": case.stdin,
        "jobs": jobs,
        "continued": [{"words": list(words)} for words in case.continued or case.made_by[-1:]],
    }
    _without_places(work)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(work, place / "files")
    led_to = list(continued({**result}))
    document = {**result, "continued": led_to}
    (place / "case.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(case.name, code, [(one["code"], one["status"], one["billed"]) for one in led_to])


def _kill(words: Words, endpoint: str, gateway: Gateway) -> int:
    """Run a command, and kill it as soon as the gateway has accepted a paid call."""
    gateway.will(endpoint, Reply(fault="hang"))
    process = start(*words, gateway=gateway)
    while not gateway.billed[endpoint]:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return process.returncode


def _without_places(work: Path) -> None:
    """Replace what names this machine in the texts that were written."""
    for path in work.rglob("*"):
        if path.suffix in (".json", ".txt", ".jsonl"):
            text = path.read_text(encoding="utf-8")
            for found, instead in ((str(work), PROJECT), (str(SCRIPTS.parent), SKILL)):
                text = text.replace(found, instead)
            path.write_text(text, encoding="utf-8")


def main() -> None:
    """Make the cases named on the command line, or all."""
    place, names = Path(sys.argv[1]).absolute(), sys.argv[2:]
    with tempfile.TemporaryDirectory() as top:
        os.environ.update(PYTHONPATH=guarded(), FACTORIZED_VIDEO_TIME_SCALE="0.01")
        for case in cases():
            if not names or case.name in names:
                home, work = (Path(top).resolve() / case.name / name for name in ("home", "work"))
                home.mkdir(parents=True)
                work.mkdir()
                # Lost calls are remembered below TMPDIR: those of one case are no other's.
                os.environ.update(HOME=str(home), TMPDIR=str(home))
                make(case, place / case.name, work)
        os.chdir("/")


if __name__ == "__main__":
    main()
