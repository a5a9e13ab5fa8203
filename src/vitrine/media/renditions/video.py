"""Films and their posters, by FFmpeg through PyAV; imported in the child only."""

from fractions import Fraction
from typing import Any

import av
import pyvips
from av.error import FFmpegError

from vitrine.media.errors import Undecodable
from vitrine.media.renditions.image import write_cascade
from vitrine.media.renditions.make import Result, made, target_of

DARK = 24  # mean of a black or nearly black picture, of 255
POSTER_TRIES = 5
SOUND_RATE = 48_000


def posters(source: str, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """Pictures of the first frame after a tenth of the film that is not dark."""
    ordered = sorted(specs, key=lambda one: -one["size"])
    try:
        with av.open(source) as container:
            frame = _telling_frame(container)
        picture = _picture(frame, "rgb24", 3).copy(interpretation="srgb")
        turned = int(frame.rotation) % 360
        if turned:
            picture = picture.rot({90: "d270", 180: "d180", 270: "d90"}.get(turned, "d0"))
        size = ordered[0]["size"]
        picture = picture.thumbnail_image(size, height=size, size="down").copy_memory()
        return write_cascade(picture, ordered, into)
    except (FFmpegError, pyvips.Error) as failure:
        raise Undecodable("The film is damaged or cut off.", why=str(failure)[:300]) from failure


def _telling_frame(container: Any) -> Any:
    stream = container.streams.video[0]
    length = container.duration or 0
    chosen = None
    for attempt in range(POSTER_TRIES):
        container.seek(int(length * (0.1 + 0.15 * attempt)))
        frame = next(container.decode(stream), None)
        if frame is None:
            continue
        chosen = frame
        if _picture(frame, "gray", 1).avg() > DARK:
            return frame
    if chosen is None:
        raise Undecodable("The film has no picture that can be shown.")
    return chosen


def _picture(frame: Any, form: str, bands: int) -> Any:
    """The frame's pixels as a picture; lines are padded in the frame and not in the picture."""
    plain = frame.reformat(format=form)
    plane = plain.planes[0]
    padded = pyvips.Image.new_from_memory(bytes(plane), plane.line_size, plain.height, 1, "uchar")
    rows = padded.crop(0, 0, plain.width * bands, plain.height)
    return pyvips.Image.new_from_memory(rows.write_to_memory(), plain.width, plain.height, bands, "uchar")


def films(source: str, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """H.264 and AAC in an MP4 that begins to play before it is whole; one pass over the source for each."""
    try:
        return [_film(source, spec, into) for spec in specs]
    except FFmpegError as failure:
        raise Undecodable("The film is damaged or cut off.", why=str(failure)[:300]) from failure


def _film(source: str, spec: dict[str, Any], into: str) -> Result:
    target = target_of(into, spec["name"], "mp4")
    with av.open(source) as reader:
        turn = _rotation(source)
        picture = reader.streams.video[0]
        picture.thread_type = "AUTO"
        stored = (picture.height, picture.width) if turn % 180 else (picture.width, picture.height)
        width, height = box(*stored, spec["size"])
        rate = min(Fraction(picture.average_rate or 25), Fraction(spec["fps"]))
        with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as writer:
            out = writer.add_stream("libx264", rate=rate)
            out.width, out.height, out.pix_fmt = width, height, "yuv420p"
            out.bit_rate = spec["bitrate_kbps"] * 1000
            out.gop_size = spec["gop"]
            out.options = {"preset": "veryfast", "profile": "high"}
            sound = _sound_stream(reader, writer, spec)
            _transcode(reader, writer, out, sound, _graph(picture, width, height, rate, turn))
    return made(spec["name"], target, "video/mp4", width, height)


def _rotation(source: str) -> int:
    with av.open(source) as container:
        frame = next(container.decode(video=0), None)
        return int(frame.rotation) % 360 if frame is not None else 0


def _graph(picture: Any, width: int, height: int, rate: Fraction, turn: int) -> Any:
    graph = av.filter.Graph()
    steps = [graph.add_buffer(template=picture)]
    steps += [
        graph.add("transpose", way) for way in {90: ["cclock"], 180: ["clock", "clock"], 270: ["clock"]}.get(turn, [])
    ]
    steps.append(graph.add("fps", f"fps={rate.numerator}/{rate.denominator}"))
    steps.append(graph.add("scale", f"{width}:{height}"))
    steps.append(graph.add("format", "yuv420p"))
    steps.append(graph.add("buffersink"))
    graph.link_nodes(*steps).configure()
    return graph


def _sound_stream(reader: Any, writer: Any, spec: dict[str, Any]) -> tuple[Any, Any] | None:
    if not reader.streams.audio:
        return None
    sound = writer.add_stream("aac", rate=SOUND_RATE, layout="stereo")
    sound.bit_rate = spec["audio_kbps"] * 1000
    return sound, av.AudioResampler(format="fltp", layout="stereo", rate=SOUND_RATE)


def _transcode(reader: Any, writer: Any, out: Any, sound: tuple[Any, Any] | None, graph: Any) -> None:
    streams = [reader.streams.video[0]] + ([reader.streams.audio[0]] if sound else [])
    for packet in reader.demux(streams):
        for frame in packet.decode():
            if packet.stream.type == "video":
                graph.push(frame)
                _drain(graph, out, writer)
            elif sound is not None:
                _write_sound(frame, sound, writer)
    graph.push(None)
    _drain(graph, out, writer)
    writer.mux(out.encode(None))
    if sound is not None:
        _write_sound(None, sound, writer)
        writer.mux(sound[0].encode(None))


def _write_sound(frame: Any, sound: tuple[Any, Any], writer: Any) -> None:
    stream, resampler = sound
    for part in resampler.resample(frame):
        writer.mux(stream.encode(part))


def _drain(graph: Any, out: Any, writer: Any) -> None:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        frame.pict_type = 0  # the source's own key frames must not decide where ours are
        writer.mux(out.encode(frame))


def box(width: int, height: int, size: int) -> tuple[int, int]:
    """The largest even size inside a square of *size* with the same shape; never enlarged, at least 2 × 2."""
    scale = min(1.0, size / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
