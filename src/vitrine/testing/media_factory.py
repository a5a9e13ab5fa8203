"""Small real files for tests, made by the libraries that the children use."""

import math
import struct
import zlib
from array import array
from fractions import Fraction
from pathlib import Path

import av
import pyvips


def _gradient(width: int, height: int, seed: int = 0) -> pyvips.Image:
    x = pyvips.Image.xyz(width, height)
    bands = [(x[0] * 255 / max(1, width)), (x[1] * 255 / max(1, height)), (x[0] + x[1] + seed * 37) % 256]
    return bands[0].bandjoin(bands[1:]).cast("uchar").copy(interpretation="srgb")


def jpeg(
    path: Path,
    width: int = 320,
    height: int = 200,
    *,
    orientation: int | None = None,
    seed: int = 0,
    grain: float = 0,
) -> Path:
    """A JPEG whose pixels depend on *seed*, so that two seeds never have the same digest. *grain* makes it larger."""
    picture = _gradient(width, height, seed).copy()
    if grain:
        noise = pyvips.Image.gaussnoise(width, height, sigma=grain, mean=0, seed=seed)
        picture = (picture + noise).cast("uchar").copy(interpretation="srgb")
    if orientation is not None:
        picture.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    picture.jpegsave(str(path), Q=85)
    return path


def png(path: Path, width: int = 320, height: int = 200, *, alpha: bool = False, seed: int = 0) -> Path:
    picture = _gradient(width, height, seed)
    if alpha:
        picture = picture.bandjoin(128)
    picture.pngsave(str(path))
    return path


def mp4(
    path: Path, seconds: float = 1.0, width: int = 320, height: int = 180, *, sound: bool = True, rate: int = 25
) -> Path:
    """An MP4 with a moving gradient (H.264) and a tone (AAC)."""
    with av.open(str(path), "w", format="mp4") as out:
        film = out.add_stream("libx264", rate=rate)
        film.width, film.height, film.pix_fmt = width, height, "yuv420p"
        film.options = {"preset": "ultrafast"}
        audio = out.add_stream("aac", rate=48_000, layout="mono") if sound else None
        ramp = bytes(60 + 195 * x // width for x in range(width))
        for number in range(int(seconds * rate)):
            frame = av.VideoFrame(width, height, "rgb24")
            row = bytes(value for red in ramp for value in (red, (number * 8) % 200 + 40, 40))
            row += bytes(frame.planes[0].line_size - len(row))
            frame.planes[0].update(row * height)
            out.mux(film.encode(frame))
        out.mux(film.encode(None))
        if audio is not None:
            for number in range(int(seconds * 48_000 / 1024)):
                wave = array(
                    "f", (0.2 * math.sin((number * 1024 + at) / 48_000 * 440 * math.tau) for at in range(1024))
                )
                audio_frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
                audio_frame.planes[0].update(wave.tobytes())
                audio_frame.sample_rate, audio_frame.pts, audio_frame.time_base = (
                    48_000,
                    number * 1024,
                    Fraction(1, 48_000),
                )
                out.mux(audio.encode(audio_frame))
            out.mux(audio.encode(None))
    return path


def bomb(path: Path, side: int = 20_000) -> Path:
    """A PNG of a few megabytes that inflates to side × side pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(1)
    row = b"\x00" * (1 + side * 3)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    return path


def truncated(source: Path, target: Path, keep: float = 0.6) -> Path:
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * keep)])
    return target
