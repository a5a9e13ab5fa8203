"""Facts about video and audio, by FFmpeg through PyAV; imported only in the child."""

import re
from typing import Any

import av
from av.error import FFmpegError

from vitrine.media.errors import TooManyPixels, Undecodable
from vitrine.media.kinds import SOUND_OF
from vitrine.media.metadata.read.tags import Tags
from vitrine.media.probe.dimensions import refuse_decompression_bomb, thumbnail_orientation
from vitrine.media.probe.model import Technical

# The container's names -> ours; any other keeps its name.
_GROUPS = {"mp3": "ID3", "flac": "Vorbis", "ogg": "Vorbis", "matroska,webm": "Matroska", "aiff": "AIFF"}
_GROUPS |= {"wav": "RIFF", "avi": "RIFF", "asf": "ASF"}
_QUICKTIME = "QuickTime"
_IGNORED = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "handler_name", "vendor_id", "duration", "bps"}
)
_NAMES = {"creation_time": "CreateDate", "date": "Date", "tsrc": "ISRC", "keywords": "Keyword", "album_artist": "Band"}
_APPLE = "com.apple.quicktime."
_PLACE = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)")
_PLACES = frozenset({"location", "location-eng", "com.apple.quicktime.location.ISO6709"})
_NO_DATES = ("1904-", "1970-01-01")


def facts_of(path: str, mime: str, max_pixels: int, max_duration_s: float) -> dict[str, Any]:
    """Demux the file and decode its first frame. Raises TooManyPixels or Undecodable."""
    try:
        with av.open(path, metadata_errors="replace") as container:
            return _facts(container, mime, max_pixels, max_duration_s)
    except (FFmpegError, UnicodeDecodeError) as failure:
        detail = "The sound is damaged or cut off." if mime.startswith("audio/") else "The film is damaged or cut off."
        raise Undecodable(detail, field="file", why=str(failure)[:300]) from failure


def video_stream_of(container: Any) -> Any | None:
    """The video stream. The cover picture of an audio file does not count."""
    cover = av.stream.Disposition.attached_pic
    return next((stream for stream in container.streams.video if not stream.disposition & cover), None)


def _facts(container: Any, mime: str, max_pixels: int, max_duration_s: float) -> dict[str, Any]:
    film = video_stream_of(container)
    if film is None and not container.streams.audio:
        raise Undecodable("The file has neither picture nor sound.", field="file")
    duration = _duration(container, film or container.streams.audio[0])
    if duration is not None and duration > max_duration_s:
        raise TooManyPixels(
            "This lasts {hours} hours; this server takes at most {most}.",
            field="file",
            values={"hours": f"{duration / 3600:.1f}", "most": f"{max_duration_s / 3600:.0f}"},
        )
    tags = Tags()
    _metadata(container, tags)
    facts = _video_facts(container, film, max_pixels) if film is not None else _audio_only_facts(container, mime)
    facts["technical"] += _times(duration) + _sound(container) + _position(container)
    return {**facts, "duration_s": duration, "metadata": tags.values}


def _video_facts(container: Any, stream: Any, max_pixels: int) -> dict[str, Any]:
    refuse_decompression_bomb(stream.width, stream.height, max_pixels)
    frame = next(container.decode(stream), None)
    if frame is None:
        raise Undecodable("The film is cut off: a part of it is missing.", field="file", why="no picture")
    is_rotated = abs(int(frame.rotation)) % 180 == 90
    width, height = (stream.height, stream.width) if is_rotated else (stream.width, stream.height)
    technical: list[tuple[str, Technical]] = [
        ("Width", stream.width),
        ("Height", stream.height),
        ("ThumbnailOrientation", thumbnail_orientation(width, height)),
        ("VideoCodec", stream.codec_context.codec.canonical_name),
    ]
    if stream.average_rate:
        technical.append(("FrameRate", round(float(stream.average_rate), 3)))
    return {
        "width": stream.width,
        "height": stream.height,
        "display_width": width,
        "display_height": height,
        "technical": technical,
        "makes": ["image", "gif", "video", *(["audio"] if container.streams.audio else [])],
    }


def _audio_only_facts(container: Any, mime: str) -> dict[str, Any]:
    if next(container.decode(container.streams.audio[0]), None) is None:
        raise Undecodable("The sound is cut off: a part of it is missing.", field="file", why="no sound")
    return {"technical": [], "makes": ["image", "audio"], "mime": SOUND_OF.get(mime, mime), "kind": "audio"}


def _duration(container: Any, stream: Any) -> float | None:
    if container.duration:
        return float(container.duration / av.time_base)
    return float(stream.duration * stream.time_base) if stream.duration else None


def _times(duration: float | None) -> list[tuple[str, Technical]]:
    return [] if duration is None else [("Duration", round(duration, 3))]


def _sound(container: Any) -> list[tuple[str, Technical]]:
    if not container.streams.audio:
        return []
    sound = container.streams.audio[0].codec_context
    return [
        ("AudioCodec", sound.codec.canonical_name),
        ("AudioSamplerate", float(sound.sample_rate)),
        ("Channels", sound.layout.nb_channels),
    ]


def _metadata(container: Any, tags: Tags) -> None:
    """Tags of the container or, if it has none (Ogg), of its first stream."""
    group = _GROUPS.get(container.format.name, _QUICKTIME if "mov" in container.format.name else "Media")
    stream = container.streams[0].metadata if group == "Vorbis" else {}
    for name, value in [*container.metadata.items(), *stream.items()]:
        key = name.removeprefix(_APPLE).lower().partition("-")[0]
        if key in _IGNORED or name in _PLACES:
            continue
        if key.endswith(("date", "time")) and value.startswith(_NO_DATES):
            continue  # written by devices that do not know the date
        text = value[:19].replace("T", " ") if key == "creation_time" else value
        tags.put(f"{group}:{_NAMES.get(key) or _camel_case(key)}", [text])


def _camel_case(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name)) or "Other"


def _position(container: Any) -> list[tuple[str, Technical]]:
    """The location recorded by a phone (ISO 6709), in degrees."""
    for name in _PLACES:
        matched = _PLACE.match(container.metadata.get(name, ""))
        if matched:
            latitude, longitude = float(matched[1]), float(matched[2])
            return [
                ("Latitude", latitude),
                ("LatitudeRef", "S" if latitude < 0 else "N"),
                ("Longitude", longitude),
                ("LongitudeRef", "W" if longitude < 0 else "E"),
            ]
    return []
