"""--story: the file of a story read, and each of its shots as a run that options ask for."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import errors, output_paths, texts
from ..defaults import CONCURRENCY
from ..errors import UsageError
from ..media import file_types
from ..media.film import FADE_S
from ..media.film_sound import check_music
from ..pipeline.run_request import RunOptions, RunRequest
from ..rerun import OF_ANCHOR, flag_of
from ..stages import given_images
from ..stages.context import Context
from ..stages.request import AnchorRequest
from ..story import order
from ..story.cast_picture import CastPicture, picture_of_place
from ..story.joined_film import CROSSFADE, TRANSITIONS
from ..story.shot_run import ShotRun
from ..story.story_file import (
    LARGEST_FILE,
    OF_FILM,
    OF_SHOT,
    Person,
    Setting,
    Shot,
    Story,
    is_true,
    read_story,
)
from ..story.story_plan import Settings, StoryPlan, folder_of
from . import option_types
from .option_words import NOT_OF_ONE, replaced, words_of_settings
from .spelling import spelled_out

# Other names of options, as one says it of a shot.
_CALLED = {"seconds": "duration", "ends": "end-state"}
# What follows from the file, or makes no sense for a shot.
_NOT_OF_A_SHOT = {*NOT_OF_ONE, "scene", "caption", "draft", "skip_anchor"} - {"job"}
# What is of one shot, and so not of all of them.
_OF_ONE_SHOT = "motion motion_file anchor_path last_frame end_state select seed job".split()
_NOT_WITH_IT = (
    "work_dir compare direct stop_after scene caption draft skip_anchor evaluator_model "
    "save_intermediate"
).split()


# What a clip or a film is made again by: what was asked for, but its shape and its pictures.
KEPT = (
    "style enhance skip_reasoning motion_from_anchor llm_model image_model video_model duration "
    "prompt_strategy resolution audio seed fit_duration set image_set end_state loop transition "
    "music"
).split()


class FirstFilm(NamedTuple):
    """What a film is made from that is made again in another shape; by name."""

    pictures: Mapping[str, Path] = {}  # of the cast
    anchors: Mapping[str, Path] = {}  # of the shots
    captions: Mapping[str, str] = {}
    motions: Mapping[str, str] = {}


class StoryFile(NamedTuple):
    """A story, and where its file is: paths in it are seen from there."""

    path: Path
    story: Story
    first: FirstFilm = FirstFilm()


def read(options: argparse.Namespace, parser: argparse.ArgumentParser) -> StoryFile:
    """Read the file; its settings for all shots become options where the command has none.

    Raises UsageError, with the line.
    """
    _check_options(options, parser)
    path = Path(options.story).expanduser().absolute()
    story = read_file(path)
    told = StoryFile(path, story, getattr(options, "first_film", FirstFilm()))
    for setting in story.settings:
        with errors.of_line(path.name, setting.line):
            _set_for_all(setting, options, parser, path.parent)
    return told


def read_file(path: Path) -> Story:
    """A story's file. Raises UsageError, with the line."""
    try:
        with path.open("rb") as opened:
            data = opened.read(LARGEST_FILE + 1)
        return read_story(data.decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(
            f"--story {path} cannot be read: {reason}.",
            "Give a story in Markdown: references/stories.md shows one.",
        ) from None
    except UsageError as error:
        sign = "," if error.message.startswith("line ") else ":"
        raise UsageError(f"{path.name}{sign} {error.message}", error.hint) from None


def _check_options(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Raise UsageError for options without effect on a story."""
    for name in (*_NOT_WITH_IT, *_OF_ONE_SHOT):
        if getattr(options, name) != parser.get_default(name):
            of_shot = name in _OF_ONE_SHOT
            raise UsageError(
                f"{flag_of(name)} is of one clip, and --story makes many.",
                "Write it below its shot, in the file." if of_shot else "Leave it out.",
            )
    if options.take != 1:
        raise UsageError(
            "--take is of one clip, and --story makes many.", "Write `- take: 2` below its shot."
        )
    check_stop(options)


def check_stop(options: argparse.Namespace) -> None:
    """Raise UsageError where all would be paid for unseen, and without a limit."""
    if options.no_stop and options.max_cost is None:
        raise UsageError(
            "--no-stop pays for all clips unseen, so it needs a limit.",
            "Add --max-cost USD (--dry-run shows the price), or use --yes instead.",
        )


def _set_for_all(
    setting: Setting, options: argparse.Namespace, parser: argparse.ArgumentParser, folder: Path
) -> None:
    """One setting of the film, unless the command says otherwise."""
    if setting.name in OF_FILM:
        value = setting.value
        if setting.name == "music":
            value = str(folder / Path(value).expanduser())
        elif value not in TRANSITIONS:
            raise UsageError(
                f"transition: {value!r} is none.", f"Expected: {' or '.join(TRANSITIONS)}."
            )
        if getattr(options, setting.name) is None:
            setattr(options, setting.name, value)
        return
    if _option(setting, parser) is None:
        raise UsageError(
            f"{setting.name!r} is no setting of a film.",
            f"Settings are {', '.join(OF_FILM)}, and options such as style, aspect-ratio, seconds, "
            "resolution, audio, video-model (references/stories.md).",
        )
    if _dest(setting, parser) in _OF_ONE_SHOT:
        raise UsageError(
            f"{setting.name!r} is no setting of a whole film.", "Write it below its shot."
        )
    given, words = _words((setting,), parser, folder)
    parsed = _parse(setting, words, parser)
    for name, default in replaced(given, parser).items():
        if getattr(options, name) == default:
            setattr(options, name, getattr(parsed, name))


def _option(setting: Setting, parser: argparse.ArgumentParser) -> argparse.Action | None:
    """The option that a setting is named after; None where shots have none of that name."""
    flag = f"--{_CALLED.get(setting.name, setting.name)}"
    known = (one for one in parser._actions if one.dest not in _NOT_OF_A_SHOT)
    return next((one for one in known if flag in one.option_strings), None)


def _action(setting: Setting, parser: argparse.ArgumentParser) -> argparse.Action:
    """The same. Raises UsageError where there is none."""
    if found := _option(setting, parser):
        return found
    raise UsageError(
        f"{setting.name!r} is no setting of a shot.",
        f"Settings are {', '.join((*OF_SHOT, *_CALLED))}, and options such as take, candidates, "
        "select, anchor-path, motion, audio (references/stories.md).",
    )


def _parse(
    setting: Setting, words: list[str], parser: argparse.ArgumentParser
) -> argparse.Namespace:
    """A setting by itself, as the option that it is. Raises UsageError, which calls it so."""
    try:
        parsed: argparse.Namespace = parser.parse_args(["--prompt=x", *words], argparse.Namespace())
    except UsageError as error:
        _, found, why = error.message.partition(": ")
        message = f"{setting.name}: {why}" if found else error.message
        raise UsageError(message, "Write another value.") from None
    return parsed


def _dest(setting: Setting, parser: argparse.ArgumentParser) -> str:
    return _action(setting, parser).dest


def _words(
    settings: Iterable[Setting], parser: argparse.ArgumentParser, folder: Path
) -> tuple[dict[str, Any], list[str]]:
    """Settings by the names of their options, and as words of a command line."""
    given: dict[str, Any] = {}
    for setting in settings:
        action = _action(setting, parser)
        name, value = _CALLED.get(setting.name, setting.name), setting.value
        if action.nargs == 0:
            given[name] = is_true(setting)
        elif action.type is option_types.path:
            value = str(folder / Path(value).expanduser())
        if isinstance(action, argparse._AppendAction):
            given.setdefault(name, []).append(value)
        elif name in given and action.nargs != 0:
            raise UsageError(f"there is a second {name}.", "Leave one of them out.")
        else:
            given.setdefault(name, value)
    words = spelled_out(words_of_settings(given, parser, _NOT_OF_A_SHOT), parser._actions)
    return given, words


def plan_of(
    told: StoryFile, options: argparse.Namespace, parser: argparse.ArgumentParser
) -> StoryPlan:
    """The story, read, checked and priced; nothing is sent. Raises UsageError, with the line."""
    file_types.need_media_extra("--story")
    path, story = told.path, told.story
    default = Path.cwd() / "outputs" / f"{path.stem}.mp4"
    output = output_paths.given_output(options.output, (".mp4",)) or default
    context = Context.from_options(options)
    context.rerun.makes(output)
    folder = folder_of(output)
    shots = [_shot(number, told, options, parser, folder) for number, _ in enumerate(story.shots)]
    music = Path(options.music).expanduser().absolute() if options.music else None
    if music and not music.is_file():
        raise UsageError(f"The music {music} is not there.", "Give the path of a sound file.")
    if music:
        check_music(music)
    return StoryPlan(
        story,
        [picture for one in story.cast if (picture := _cast(one, told, options, context, folder))],
        {
            one.name: picture_of_place(_flag(told, one.line, one.name), path.parent / one.picture)
            for one in story.places
            if one.picture
        },
        shots,
        context,
        Settings(
            output,
            path,
            options.launcher,
            options.concurrency or CONCURRENCY,
            stops=not (options.yes or options.no_stop),
            overwrite=bool(options.overwrite),
            filmstrip=options.filmstrip is not False,
            fade_s=FADE_S if options.transition == CROSSFADE else 0.0,
            music=music,
            told={
                name: value
                for name in KEPT
                if (value := getattr(options, name)) != parser.get_default(name)
            },
        ),
    )


def _flag(told: StoryFile, line: int, name: str) -> str:
    """What an error calls the picture of one of the cast, or of a place."""
    return f"{told.path.name}, line {line}: the picture of {name}"


def _cast(
    one: Person, told: StoryFile, options: argparse.Namespace, context: Context, folder: Path
) -> CastPicture | None:
    """The picture of one of the cast, None where they have none."""
    if not one.is_drawn:
        return None
    own = told.path.parent / Path(one.picture).expanduser() if one.picture else None
    if picture := own or told.first.pictures.get(one.name):
        return CastPicture.own(one, picture, _flag(told, one.line, one.name))
    like = AnchorRequest(
        "", options.style, None, options.image_model, options.enhance, set=options.image_set
    )
    with errors.of_line(told.path.name, one.line):
        return CastPicture.to_draw(one, like, folder / "cast", context)


def _shot(
    number: int,
    told: StoryFile,
    options: argparse.Namespace,
    parser: argparse.ArgumentParser,
    folder: Path,
) -> ShotRun:
    """One shot; `folder` is that of the outputs."""
    shot = told.story.shots[number]
    for setting in shot.settings:
        with errors.of_line(told.path.name, setting.line):
            _check_setting(setting, shot, parser, told.path.parent)
    with errors.of_line(told.path.name, shot.line):
        given, words = _words(shot.settings, parser, told.path.parent)
        reset: dict[str, Any] = {"story": None, "output": None, "music": None, "transition": None}
        if shot.continues:
            reset |= {"anchor_path": None, "skip_anchor": None}
        if "anchor-path" in given:
            reset |= {name: parser.get_default(name) for name in OF_ANCHOR}
        reset |= replaced(given, parser)
        own = parser.parse_args(["--prompt=x", *words], argparse.Namespace(**vars(options) | reset))
        request = RunRequest.from_options(own, shot.prompt)
        request = _as_in_first(request, told.first, shot)
        scene = order.scene_of(told.story, shot)
        if scene and not (request.anchor or request.extended or request.given_caption):
            request = request.with_scene(texts.checked(scene, "what is said of its scene"))
        run_options = RunOptions.from_options(own, folder)
    return ShotRun(
        number + 1,
        shot,
        request,
        run_options,
        told.path.name,
        order.earlier(told.story.shots, number),
    )


def _as_in_first(request: RunRequest, first: FirstFilm, shot: Shot) -> RunRequest:
    """With the caption and the motion of the first film's shot, and its first frame to go by."""
    anchor = first.anchors.get(shot.name)
    if anchor is None or shot.continues or request.anchor or request.extended:
        return request
    frame = given_images.at(f"the first frame of {shot.name}", anchor)
    sends = not request.motion_from_anchor and request.settings.prompt_strategy != "original"
    motion = first.motions.get(shot.name) if sends else None
    return request._replace(
        caption=None if request.skip_reasoning else first.captions.get(shot.name),
        motion=request.motion or motion,
        references=(frame, *request.references),
    )


def _check_setting(
    setting: Setting, shot: Shot, parser: argparse.ArgumentParser, folder: Path
) -> None:
    """Raise UsageError for a setting that by itself is none."""
    _, words = _words((setting,), parser, folder)
    _parse(setting, words, parser)
    if shot.continues and _dest(setting, parser) in (*OF_ANCHOR, "anchor_path", "skip_reasoning"):
        raise UsageError(
            f"{setting.name} has no effect on a shot that continues: it begins with the last frame "
            "of the one before.",
            "Leave one of them out.",
        )
