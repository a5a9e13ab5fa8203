"""Text tracks of videos: subtitles and chapters stored as WebVTT in fields (contract 04 section 6)."""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from vitrine.errors import NotFound
from vitrine.library.model import Field, Value
from vitrine.platform import json_text

PREFIX = "videotexttrack"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,3})?)")
_SECONDS = re.compile(r"\d{1,6}(?:\.\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Track:
    """One track; *kind* and *language* are attributes of a `track` element; *field_id* is the `choice` in its
    address."""

    field_id: int
    kind: str
    label: str
    language: str
    is_default: bool


class NoTrack(NotFound):
    code = "no_track"


def tracks_of(values: Iterable[tuple[Field, Value]], chapters_field: str) -> tuple[Track, ...]:
    """The tracks among the public values of a record, in the order of the structure; one per field."""
    tracks: dict[int, Track] = {}
    for field, value in values:
        if field.name.lower().startswith(PREFIX) and value.value.strip():
            tracks.setdefault(field.id, _track(field, chapters_field))
    return tuple(tracks.values())


def _track(field: Field, chapters_field: str) -> Track:
    suffix = field.name[len(PREFIX) :].strip("_- ")
    if field.name.lower() == chapters_field.lower():
        return Track(field.id, "chapters", "chapters", "und", is_default=True)
    language = suffix.replace("_", "-").lower() if _LANGUAGE.fullmatch(suffix) else "und"
    return Track(field.id, "subtitles", suffix or "default", language, is_default=False)


def as_webvtt(text: str) -> str:
    """The text of a field as a WebVTT file: SubRip is converted, chapter objects become their titles.

    Raises NoTrack for anything else: players fail on malformed tracks.
    """
    normalized = text.lstrip("\ufeff \r\n\t").replace("\r\n", "\n").replace("\r", "\n")
    try:
        captions = webvtt.from_string(normalized) if normalized.startswith("WEBVTT") else _subrip(normalized)
        cues = list(captions.iter_slice())
        converted = "" if normalized.startswith("WEBVTT") else str(captions.content)
    except (MalformedFileError, MalformedCaptionError, ValueError) as failure:  # ValueError: when it is serialized
        raise NoTrack("The text of this track is not WebVTT.", why=type(failure).__name__) from failure
    if converted:
        return converted
    titled = normalized
    for cue in cues:
        title = _title(cue.raw_text)
        if title is not None:
            titled = titled.replace(cue.raw_text, title, 1)
    return titled if titled.endswith("\n") else titled + "\n"


def _subrip(text: str) -> webvtt.WebVTT:
    return webvtt.from_buffer(io.StringIO(text), format="srt") if "-->" in text else webvtt.from_string(text)


def _title(payload: str) -> str | None:
    """The title of a chapter stored as a JSON object, as Phraseanet's editor writes it; None for plain text."""
    if not payload.lstrip().startswith("{"):
        return None
    try:
        chapter = json_text.parse(payload)
    except json_text.NotJson:
        return None
    title = chapter.get("title") if isinstance(chapter, dict) else None
    # A blank line ends a cue and an arrow begins one, so a title must contain neither.
    return " ".join(str(title).replace("-->", "→").split()) if title is not None else None


def seconds_of(text: str) -> float:
    """`12`, `12.5`, `1:02` or `0:01:02` as seconds; 0 for any other text."""
    if _SECONDS.fullmatch(text.strip()):
        return float(text)
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None:
        return 0.0
    return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
