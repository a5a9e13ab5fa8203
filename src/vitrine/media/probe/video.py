"""Facts of films, by FFmpeg through PyAV; imported in the child only."""

import os
from typing import Any

import av
from av.error import FFmpegError

from vitrine.media.errors import TooManyPixels, Undecodable
from vitrine.media.metadata.boxes import walk
from vitrine.media.probe import Technical
from vitrine.media.probe.inspect import refuse_bomb, shape

CUT_OFF = "The film is cut off: a part of it is missing."


def look(path: str, max_pixels: int, max_duration_s: float) -> dict[str, Any]:
    """Demux, decode the first picture, and compare the boxes with the length of the file."""
    with open(path, "rb") as file:  # noqa: PTH123 - a path of our own store, read by position
        size = os.fstat(file.fileno()).st_size
        if any(box.end > size for box in walk(file, 0, size)):
            raise Undecodable(CUT_OFF, field="file", why="a box ends behind the file")
    try:
        with av.open(path) as container:
            return _facts(container, max_pixels, max_duration_s)
    except FFmpegError as failure:
        raise Undecodable("The film is damaged or cut off.", field="file", why=str(failure)[:300]) from failure


def _facts(container: Any, max_pixels: int, max_duration_s: float) -> dict[str, Any]:
    if not container.streams.video:
        return _sound_only(container)
    stream = container.streams.video[0]
    refuse_bomb(stream.width, stream.height, max_pixels)
    duration = _duration(container, stream)
    if duration is not None and duration > max_duration_s:
        detail = f"The film lasts {duration / 3600:.1f} hours; this server takes at most {max_duration_s / 3600:.0f}."
        raise TooManyPixels(detail, field="file")
    frame = next(container.decode(stream), None)
    if frame is None:
        raise Undecodable(CUT_OFF, field="file", why="no picture")
    turned = abs(int(frame.rotation)) % 180 == 90
    width, height = (stream.height, stream.width) if turned else (stream.width, stream.height)
    technical: list[tuple[str, Technical]] = [
        ("Width", stream.width),
        ("Height", stream.height),
        ("ThumbnailOrientation", shape(width, height)),
        ("VideoCodec", stream.codec_context.name),
    ]
    if stream.average_rate:
        technical.append(("FrameRate", round(float(stream.average_rate), 3)))
    return {
        "width": stream.width,
        "height": stream.height,
        "display_width": width,
        "display_height": height,
        "duration_s": duration,
        "technical": technical + _times(duration) + _sound(container),
    }


def _sound_only(container: Any) -> dict[str, Any]:
    if not container.streams.audio:
        raise Undecodable("The film has neither picture nor sound.", field="file")
    duration = _duration(container, container.streams.audio[0])
    return {"duration_s": duration, "technical": _times(duration) + _sound(container)}


def _duration(container: Any, stream: Any) -> float | None:
    if container.duration:
        return float(container.duration / av.time_base)
    return float(stream.duration * stream.time_base) if stream.duration else None


def _times(duration: float | None) -> list[tuple[str, Technical]]:
    return [] if duration is None else [("Duration", round(duration, 3))]


def _sound(container: Any) -> list[tuple[str, Technical]]:
    if not container.streams.audio:
        return []
    sound = container.streams.audio[0]
    return [("AudioCodec", sound.codec_context.name), ("AudioSamplerate", float(sound.codec_context.sample_rate))]
