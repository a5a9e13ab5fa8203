"""Videos and their pictures, by FFmpeg through PyAV; imported only in the child."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import av
import pyvips
from av.error import FFmpegError

from vitrine.media.errors import NoMaker, Undecodable
from vitrine.media.probe.timed import video_stream_of
from vitrine.media.renditions.image import save_gif, write_cascade
from vitrine.media.renditions.make import Result, Source, succeeded, target_of, write_each

DAMAGED = "The film is damaged or cut off."
FAULTS = (FFmpegError, UnicodeDecodeError)
DARK_MEAN = 24  # mean grey level (of 255) of a nearly black picture
POSTER_TRIES = 5
GIF_FRAMES = 12
FORWARD_DECODE_S = 4.0  # about the distance that is decoded from a key frame anyway
MOST_FRAMES_PER_SEEK = 250  # decoded from a key frame towards the wanted time
SOUND_RATE = 48_000
GAP_S = 0.2
MOST_FPS = 120


class Format(NamedTuple):
    """How a video is written: container, encoders and their options."""

    container: str
    mime: str
    encoder: str
    options: dict[str, str]
    sound: str
    sample: str
    flags: dict[str, str]


@dataclass(slots=True)
class _Sound:
    """The audio being written: the number of samples read and the next timestamp, at SOUND_RATE."""

    stream: Any
    resampler: Any
    samples_read: float = 0.0
    next_pts: int = 0


_H264 = Format("mp4", "video/mp4", "libx264", {"preset": "veryfast", "profile": "high"}, "aac", "fltp",
             {"movflags": "+faststart"})  # fmt: skip
# VP9 in its fast mode: 10 ms for a frame of this size, on one thread.
_VP9 = Format("webm", "video/webm", "libvpx-vp9",
            {"deadline": "realtime", "cpu-used": "8", "row-mt": "1"}, "libopus", "s16", {})  # fmt: skip
_FORMATS = {"": _H264, "libx264": _H264, "libvpx": _VP9, "libvpx-vp9": _VP9}


def posters(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """Pictures of the first frame after a tenth of the video that is not dark."""
    ordered = sorted(specs, key=lambda spec: -spec["size"])
    try:
        with av.open(source.path, metadata_errors="replace") as container:
            picture = _upright(_poster_frame(container), _film(container))
        size = ordered[0]["size"]
        picture = picture.thumbnail_image(size, height=size, size="down").copy_memory()
    except (FFmpegError, pyvips.Error, UnicodeDecodeError) as failure:
        raise Undecodable(DAMAGED, why=str(failure)[:300]) from failure
    return write_cascade(picture, ordered, into)


def _film(container: Any) -> Any:
    stream = video_stream_of(container)
    if stream is None:
        raise NoMaker("There are no moving pictures in this file.")
    return stream


def _poster_frame(container: Any) -> Any:
    stream = _film(container)
    length = container.duration or 0
    chosen = None
    for attempt in range(POSTER_TRIES):
        container.seek(int(length * (0.1 + 0.15 * attempt)))
        frame = next(_frames(container, stream), None)
        if frame is None:
            continue
        chosen = frame
        if _picture(frame, "gray", 1).avg() > DARK_MEAN:
            return frame
    if chosen is None:
        container.seek(0)
        chosen = next(_frames(container, stream), None)
    if chosen is None:
        raise Undecodable("The film has no picture that can be shown.")
    return chosen


def _frames(container: Any, stream: Any) -> Iterator[Any]:
    """Frames from the current position of the container. Damaged ones are skipped, as players do."""
    failures = 0
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except FFmpegError:
            failures += 1
            if failures > 1000:
                return


def animations(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """GIFs of GIF_FRAMES frames spread over the video."""
    ordered = sorted(specs, key=lambda spec: -spec["size"])
    size = ordered[0]["size"]
    try:
        with av.open(source.path, metadata_errors="replace") as container:
            stream = _film(container)
            frames = [
                _upright(frame, stream).thumbnail_image(size, height=size, size="down").copy_memory()
                for frame in _sampled_frames(container, stream)
            ]
        if not frames:
            raise Undecodable("The film has no picture that can be shown.")
        return [_gif(frames, spec, into) for spec in ordered]
    except (FFmpegError, pyvips.Error, UnicodeDecodeError) as failure:
        raise Undecodable(DAMAGED, why=str(failure)[:300]) from failure


def _gif(frames: list[Any], spec: dict[str, Any], into: str) -> Result:
    size = spec["size"]
    resized = [frame.thumbnail_image(size, height=size, size="down") for frame in frames]
    joined = pyvips.Image.arrayjoin(resized, across=1).copy_memory()
    joined.set_type(pyvips.GValue.gint_type, "page-height", resized[0].height)
    joined.set_type(pyvips.GValue.array_int_type, "delay", [spec["delay_ms"]] * len(resized))
    joined.set_type(pyvips.GValue.gint_type, "loop", 0)
    return save_gif(joined, spec["name"], into)


def _sampled_frames(container: Any, stream: Any) -> Iterator[Any]:
    """Frames at equal intervals. Seek to the key frame before each time and decode up to that time; if the time is
    near, go on decoding without seeking."""
    length = float(container.duration or 0) / av.time_base
    start = float(container.start_time or 0) / av.time_base
    frames: Iterator[Any] = iter(())
    current = -FORWARD_DECODE_S
    for number in range(GIF_FRAMES):
        target_time = start + length * (number + 0.5) / GIF_FRAMES
        if not 0 <= target_time - current < FORWARD_DECODE_S:
            container.seek(int(target_time * av.time_base))
            frames = _frames(container, stream)
        best = None
        for count, frame in enumerate(frames):
            best = frame
            if frame.time is None or frame.time >= target_time or count > MOST_FRAMES_PER_SEEK:
                break
        if best is not None:
            current = best.time if best.time is not None else -FORWARD_DECODE_S
            yield best
        if not length:
            return


def _upright(frame: Any, stream: Any) -> Any:
    """The frame as an sRGB picture with square pixels, rotated as the video says."""
    picture = _picture(frame, "rgb24", 3).copy(interpretation="srgb")
    aspect = _aspect(stream)
    if aspect != 1:
        picture = picture.resize(float(aspect), vscale=1.0) if aspect < 1 else picture.resize(1.0, vscale=1 / aspect)
    rotation = int(frame.rotation) % 360
    return picture.rot({90: "d270", 180: "d180", 270: "d90"}.get(rotation, "d0"))


def _aspect(stream: Any) -> Fraction:
    """The pixel aspect ratio (width to height); 1 if the video has none or an implausible one."""
    aspect = stream.sample_aspect_ratio
    return Fraction(aspect) if aspect and Fraction(1, 4) < aspect < 4 else Fraction(1)


def _picture(frame: Any, form: str, bands: int) -> Any:
    """The frame's pixels as a picture, without the padding of the frame's lines."""
    converted = frame.reformat(format=form)
    plane = converted.planes[0]
    padded = pyvips.Image.new_from_memory(bytes(plane), plane.line_size, converted.height, 1, "uchar")
    rows = padded.crop(0, 0, converted.width * bands, converted.height)
    return pyvips.Image.new_from_memory(rows.write_to_memory(), converted.width, converted.height, bands, "uchar")


def films(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """H.264 and AAC in an MP4 that plays before it is complete, or VP9 and Opus in WebM; one pass over the source for
    each."""
    return write_each(specs, lambda spec: _write_film(source.path, spec, into), FAULTS, DAMAGED)


def _write_film(path: str, spec: dict[str, Any], into: str) -> Result:
    form = _FORMATS.get(spec["codec"])
    if form is None:
        raise NoMaker(f"Films cannot be written with {spec['codec']}; choose libx264 or libvpx.")
    target = target_of(into, spec["name"], form.container)
    with av.open(path, metadata_errors="replace") as reader:
        turn = _rotation(path)
        picture = _film(reader)
        picture.thread_type = "AUTO"
        width, height = box(*_display_size(picture, turn), spec["size"])
        rate = min(Fraction(picture.average_rate or 25), Fraction(spec["fps"]), Fraction(MOST_FPS))
        with av.open(str(target), "w", format=form.container, options=form.flags) as writer:
            out: Any = writer.add_stream(form.encoder, rate=rate)
            out.width, out.height, out.pix_fmt = width, height, "yuv420p"
            out.bit_rate = spec["bitrate_kbps"] * 1000
            out.gop_size = spec["gop"]
            out.options = form.options
            sound = _sound_stream(reader, writer, spec, form)
            _transcode(reader, writer, (picture, out), sound, _graph(picture, width, height, rate, turn))
    return succeeded(spec["name"], target, form.mime, width, height)


def _display_size(picture: Any, turn: int) -> tuple[int, int]:
    """The display size: upright, with square pixels, never more than are stored."""
    aspect = _aspect(picture)
    width = round(picture.width * min(aspect, Fraction(1)))
    height = round(picture.height / max(aspect, Fraction(1)))
    return (height, width) if turn % 180 else (width, height)


def _rotation(source: str) -> int:
    with av.open(source, metadata_errors="replace") as container:
        frame = next(_frames(container, _film(container)), None)
        return int(frame.rotation) % 360 if frame is not None else 0


def _graph(picture: Any, width: int, height: int, rate: Fraction, turn: int) -> Any:
    graph = av.filter.Graph()
    steps = [graph.add_buffer(template=picture)]
    steps += [
        graph.add("transpose", way) for way in {90: ["cclock"], 180: ["clock", "clock"], 270: ["clock"]}.get(turn, [])
    ]
    steps.append(graph.add("fps", f"fps={rate.numerator}/{rate.denominator}"))
    steps.append(graph.add("scale", f"{width}:{height}"))
    steps.append(graph.add("setsar", "1"))
    steps.append(graph.add("format", "yuv420p"))
    steps.append(graph.add("buffersink"))
    graph.link_nodes(*steps).configure()
    return graph


def _sound_stream(reader: Any, writer: Any, spec: dict[str, Any], form: Format) -> _Sound | None:
    if not reader.streams.audio:
        return None
    sound = writer.add_stream(form.sound, rate=SOUND_RATE, layout="stereo")
    sound.bit_rate = spec["audio_kbps"] * 1000
    size = sound.codec_context.frame_size or None
    resampler = av.AudioResampler(format=form.sample, layout="stereo", rate=SOUND_RATE, frame_size=size)
    return _Sound(sound, resampler)


def _transcode(reader: Any, writer: Any, film: tuple[Any, Any], sound: _Sound | None, graph: Any) -> None:
    picture, out = film
    streams = [picture] + ([reader.streams.audio[0]] if sound else [])
    pictures = 0
    for packet in reader.demux(streams):
        try:
            frames = packet.decode()
        except FFmpegError:
            continue  # skip damaged packets, as players do
        for frame in frames:
            if packet.stream.type == "video":
                pictures += 1
                graph.push(frame)
                _drain(graph, out, writer)
            elif sound is not None:
                _write_sound(frame, sound, writer)
    if not pictures:
        raise Undecodable("The film has no picture that can be shown.")
    graph.push(None)
    _drain(graph, out, writer)
    writer.mux(out.encode(None))
    if sound is not None:
        _write_sound(None, sound, writer)
        writer.mux(sound.stream.encode(None))


def _write_sound(frame: Any, sound: _Sound, writer: Any) -> None:
    if frame is not None:
        # Timestamps of old containers jitter: samples are counted, and only a real gap moves the count.
        if frame.time is not None and frame.time * SOUND_RATE - sound.samples_read > GAP_S * SOUND_RATE:
            sound.next_pts += round(frame.time * SOUND_RATE - sound.samples_read)
            sound.samples_read = frame.time * SOUND_RATE
        sound.samples_read += frame.samples * SOUND_RATE / frame.sample_rate
        frame.pts = None
    for part in sound.resampler.resample(frame):
        part.pts, part.time_base = sound.next_pts, Fraction(1, SOUND_RATE)
        sound.next_pts += part.samples
        writer.mux(sound.stream.encode(part))


def _drain(graph: Any, out: Any, writer: Any) -> None:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        frame.pict_type = 0  # the source's key frames must not determine ours
        writer.mux(out.encode(frame))


def box(width: int, height: int, size: int) -> tuple[int, int]:
    """The largest even size inside a square of *size* with the same proportions; never enlarged, at least 2 × 2."""
    scale = min(1.0, size / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
