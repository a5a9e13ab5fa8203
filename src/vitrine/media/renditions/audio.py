"""Audio files and waveform pictures, by FFmpeg through PyAV and libvips; imported only in the child."""

from array import array
from typing import Any

import av
import pyvips
from av.error import FFmpegError

from vitrine.media.errors import NoMaker, Undecodable
from vitrine.media.renditions.image import write_cascade
from vitrine.media.renditions.make import Result, Source, succeeded, target_of, write_each

DAMAGED = "The sound is damaged or cut off."
FAULTS = (FFmpegError, UnicodeDecodeError)
# acodec of a recipe -> encoder, container, extension, type. There is no Vorbis encoder; Opus replaces it.
_FORMATS = {
    "": ("libmp3lame", "mp3", "mp3", "audio/mpeg"),
    "libmp3lame": ("libmp3lame", "mp3", "mp3", "audio/mpeg"),
    "mp3": ("libmp3lame", "mp3", "mp3", "audio/mpeg"),
    "flac": ("flac", "flac", "flac", "audio/flac"),
    "pcm_s16le": ("pcm_s16le", "wav", "wav", "audio/wav"),
    "libvorbis": ("libopus", "ogg", "ogg", "audio/ogg"),
    "libopus": ("libopus", "ogg", "ogg", "audio/ogg"),
    "aac": ("aac", "mp4", "m4a", "audio/mp4"),
}
_MP3_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_OPUS_RATE = 48_000
_SAMPLES = {"libmp3lame": "s16p", "aac": "fltp", "flac": "s16", "pcm_s16le": "s16", "libopus": "s16"}
PEAK_RATE = 8000
SAMPLES_PER_PEAK = 128  # samples at PEAK_RATE for one peak
OVERSAMPLING = 2  # the waveform is drawn this much larger and then shrunk, for smooth edges
INK, SHADE, GROUND = [38, 70, 83], [112, 148, 160], [244, 246, 247]


def sounds(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """Audio files from an audio file or the audio track of a video, without tags and covers."""
    return write_each(specs, lambda spec: _sound(source.path, spec, into), FAULTS, DAMAGED)


def _sound(path: str, spec: dict[str, Any], into: str) -> Result:
    form = _FORMATS.get(spec["codec"])
    if form is None:
        raise NoMaker(f"Sounds cannot be written with {spec['codec']}.")
    encoder, container, extension, mime = form
    target = target_of(into, spec["name"], extension)
    rate = rate_for(encoder, spec["sample_rate"])
    layout = "mono" if spec["mono"] else "stereo"
    with av.open(path, metadata_errors="replace") as reader, av.open(str(target), "w", format=container) as writer:
        if not reader.streams.audio:
            raise NoMaker("The film has no sound.")
        out: Any = writer.add_stream(encoder, rate=rate, layout=layout)
        if encoder not in ("flac", "pcm_s16le"):
            out.bit_rate = spec["audio_kbps"] * 1000
        resampler = av.AudioResampler(
            format=_SAMPLES[encoder], layout=layout, rate=rate, frame_size=out.codec_context.frame_size or None
        )
        for frame in decoded(reader, reader.streams.audio[0]):
            frame.pts = None  # gaps and jumps in the timestamps must not stop the encoder
            for part in resampler.resample(frame):
                writer.mux(out.encode(part))
        for part in resampler.resample(None):
            writer.mux(out.encode(part))
        writer.mux(out.encode(None))
    return succeeded(spec["name"], target, mime, 0, 0)


def rate_for(encoder: str, wanted: int) -> int:
    """The encoder's sample rate nearest to the wanted one."""
    if encoder == "libopus":
        return _OPUS_RATE
    if encoder == "libmp3lame":
        return min(_MP3_RATES, key=lambda rate: abs(rate - wanted))
    return wanted


def decoded(reader: Any, stream: Any) -> Any:
    """The frames of a stream. Damaged packets are skipped, as players do. Raises Undecodable if no frame is left."""
    has_frames = False
    failures = 0
    for packet in reader.demux(stream):
        try:
            frames = packet.decode()
        except FFmpegError as failure:
            failures += 1
            if failures > 1000:
                raise Undecodable(DAMAGED, why=str(failure)[:300]) from failure
            continue
        for frame in frames:
            has_frames = True
            yield frame
    if not has_frames:
        raise Undecodable(DAMAGED, why=f"{failures} packets could not be decoded")


def waveforms(source: Source, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """The waveform of an audio file: its loudness from left to right, twice as wide as high."""
    ordered = sorted(specs, key=lambda spec: -spec["size"])
    try:
        with av.open(source.path, metadata_errors="replace") as reader:
            if not reader.streams.audio:
                raise NoMaker("There is no sound to draw.")
            amplitudes = peaks(reader)
    except FAULTS as failure:
        raise Undecodable(DAMAGED, why=str(failure)[:300]) from failure
    width = ordered[0]["size"]
    return write_cascade(draw(amplitudes, width, max(2, width // 2)), ordered, into)


def peaks(reader: Any) -> list[int]:
    """The peak amplitude (0 to 32768) of each group of SAMPLES_PER_PEAK samples, in mono at PEAK_RATE."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=PEAK_RATE)
    peak_list: list[int] = []
    for frame in decoded(reader, reader.streams.audio[0]):
        frame.pts = None
        for part in resampler.resample(frame):
            samples = array("h", bytes(part.planes[0])[: part.samples * 2])
            for at in range(0, len(samples), SAMPLES_PER_PEAK):
                piece = samples[at : at + SAMPLES_PER_PEAK]
                loudest, deepest = max(piece), min(piece)
                peak_list.append(max(loudest, -deepest))
    return peak_list


def draw(amplitudes: list[int], width: int, height: int) -> Any:
    """Draw bars around a middle line: the peak in a light colour, the mean in a dark one, scaled to the loudest
    peak."""
    columns, rows = width * OVERSAMPLING, height * OVERSAMPLING
    top = max(max(amplitudes, default=0), 1)
    lines: list[bytes] = []
    for at in range(columns):
        span = amplitudes[
            at * len(amplitudes) // columns : max(
                (at + 1) * len(amplitudes) // columns, at * len(amplitudes) // columns + 1
            )
        ]
        high = max(span, default=0) / top
        mean = sum(span) / max(1, len(span)) / top
        lines.append(_bar(rows, high * 0.94, mean * 0.75))
    # Drawn as rows, one for each column, then rotated.
    shape = pyvips.Image.new_from_memory(b"".join(lines), rows, columns, 1, "uchar").rot("d270")
    colours = pyvips.Image.new_from_memory(bytes([*GROUND, *SHADE, *INK]), 3, 1, 3, "uchar")
    picture = shape.maplut(colours).copy(interpretation="srgb")
    return picture.thumbnail_image(width, height=height, size="force").copy_memory()


def _bar(rows: int, high: float, mean: float) -> bytes:
    light, dark = max(OVERSAMPLING, round(rows * high)), max(OVERSAMPLING, round(rows * mean))
    dark = min(light, dark)
    edge, rim = (rows - light) // 2, (light - dark) // 2
    half = b"\x00" * edge + b"\x01" * rim
    return half + b"\x02" * (rows - 2 * len(half)) + half[::-1]
