"""Small real files of every other kind, made by the libraries that the children use."""

import math
import zipfile
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pikepdf
import pillow_heif
import pyvips
from PIL import Image

from vitrine.testing.media_factory import _gradient, jpeg, mp4

TAGS = {"title": "Harbour at dawn", "artist": "Ada Martin", "copyright": "CC0"}
_SOUNDS = {
    "mp3": ("mp3", "libmp3lame", "s16p"), "wav": ("wav", "pcm_s16le", "s16"), "flac": ("flac", "flac", "s16"),
    "opus": ("ogg", "libopus", "s16"), "ogg": ("ogg", "flac", "s16"), "m4a": ("mp4", "aac", "fltp"),
    "mka": ("matroska", "libopus", "s16"),
}  # fmt: skip
_FILMS = {
    "mov": ("mov", "libx264", "aac"), "webm": ("webm", "libvpx-vp9", "libopus"),
    "mkv": ("matroska", "libx264", "aac"), "avi": ("avi", "mpeg4", "libmp3lame"),
}  # fmt: skip


def pdf(path: Path, pages: int = 3, words: str = "The harbour at dawn", *, lines: int = 1, title: str = "") -> Path:
    """An A4 portrait PDF with lines of text and the page number on each page."""
    document = pikepdf.new()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    face = document.make_indirect(font)
    for number in range(1, pages + 1):
        document.add_blank_page(page_size=(595, 842))
        sheet = document.pages[-1]
        sheet.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=face))
        text = "1 0 0 rg 60 300 200 200 re f 0 g BT /F1 14 Tf 60 800 Td 15 TL "
        text += f"({words}, page {number}) Tj T* " * lines + "ET"
        sheet.Contents = document.make_stream(text.encode("latin-1"))
    if title:
        document.docinfo["/Title"] = title
        document.docinfo["/Author"] = "Ada Martin"
        document.docinfo["/CreationDate"] = "D:20200314092653Z"
    document.save(path)
    return path


def locked_pdf(path: Path) -> Path:
    with pikepdf.open(pdf(path.with_name("open.pdf"))) as document:
        document.save(path, encryption=pikepdf.Encryption(owner="owner", user="user"))
    return path


def sound(path: Path, seconds: float = 2.0, *, tags: bool = True) -> Path:
    """A tone of growing volume, in the container of the file extension; `.ogg` holds FLAC, as there is no Vorbis
    encoder."""
    container, encoder, sample = _SOUNDS[path.suffix[1:]]
    rate = 48_000
    with av.open(str(path), "w", format=container) as out:
        out.metadata.update(TAGS if tags else {})
        audio: Any = out.add_stream(encoder, rate=rate, layout="stereo")
        if tags and container == "ogg":
            audio.metadata.update(TAGS)
        _tone(out, audio, seconds, sample, rate)
    return path


def _tone(out: Any, audio: Any, seconds: float, sample: str, rate: int) -> None:
    size = audio.codec_context.frame_size or None
    resampler = av.AudioResampler(format=sample, layout="stereo", rate=rate, frame_size=size)
    for number in range(int(seconds * rate / 1024)):
        amplitude = 0.9 * number * 1024 / (seconds * rate)
        wave = array("f", (amplitude * math.sin((number * 1024 + at) / rate * 440 * math.tau) for at in range(1024)))
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = rate, number * 1024, Fraction(1, rate)
        for part in resampler.resample(frame):
            out.mux(audio.encode(part))
    for part in resampler.resample(None):
        out.mux(audio.encode(part))
    out.mux(audio.encode(None))


def film(path: Path, seconds: float = 1.0) -> Path:
    """The video of `media_factory.mp4` in another container, with that container's codecs."""
    container, picture, audio_encoder = _FILMS[path.suffix[1:]]
    base = mp4(path.with_name("base.mp4"), seconds)
    with av.open(str(base)) as reader, av.open(str(path), "w", format=container) as out:
        out.metadata.update(TAGS)
        video: Any = out.add_stream(picture, rate=25)
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        video.options = {"deadline": "realtime", "cpu-used": "8"} if "vpx" in picture else {}
        audio: Any = out.add_stream(audio_encoder, rate=48_000, layout="stereo")
        sample = {"libopus": "s16", "libmp3lame": "s16p"}.get(audio_encoder, "fltp")
        for frame in reader.decode(video=0):
            frame.pict_type = 0
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        _tone(out, audio, seconds, sample, 48_000)
    base.unlink()
    return path


def cover_sound(path: Path) -> Path:
    """An MP3 with an embedded cover, as music shops sell them."""
    picture = jpeg(path.with_name("cover.jpg"), 300, 300).read_bytes()
    mp3 = sound(path.with_name("plain.mp3"), tags=False).read_bytes()
    mp3 = mp3[10 + int.from_bytes(mp3[6:10], "big") :] if mp3.startswith(b"ID3") else mp3
    body = b"\x00image/jpeg\x00\x03\x00" + picture
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\x00\x00" + body
    size = len(frame)
    header = bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127))
    path.write_bytes(b"ID3\x03\x00\x00" + header + frame + mp3)
    return path


def picture(path: Path, width: int = 320, height: int = 200) -> Path:
    """A gradient in the format of the file extension."""
    gradient = _gradient(width, height)
    if path.suffix in (".heic", ".bmp"):
        image = Image.frombytes("RGB", (width, height), gradient.write_to_memory())
        if path.suffix == ".heic":
            pillow_heif.from_pillow(image).save(str(path), quality=80)
        else:
            image.save(path)
    elif path.suffix == ".avif":
        gradient.heifsave(str(path), compression="av1", effort=0)
    else:
        gradient.write_to_file(str(path))
    return path


def animation(path: Path, frames: int = 6) -> Path:
    """An animated GIF or WebP of plain colours, 120 ms for each frame."""
    single = [
        pyvips.Image.black(80, 60, bands=3).linear(1, [40 * n, 200 - 30 * n, 90]).cast("uchar") for n in range(frames)
    ]
    joined = pyvips.Image.arrayjoin([frame.copy(interpretation="srgb") for frame in single], across=1).copy_memory()
    joined.set_type(pyvips.GValue.gint_type, "page-height", 60)
    joined.set_type(pyvips.GValue.array_int_type, "delay", [120] * frames)
    joined.write_to_file(str(path))
    return path


def svg(path: Path, inner: str = "", attributes: str = "") -> Path:
    path.write_text(
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="200" height="100" {attributes}><title>A drawing</title>'
        f'<rect width="200" height="100" fill="#00ff00"/>{inner}</svg>'
    )
    return path


_CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<dc:title>Annual report</dc:title><dc:creator>Ada Martin</dc:creator><cp:keywords>museum; report</cp:keywords>"
    "<dcterms:created>2021-05-06T07:08:09Z</dcterms:created></cp:coreProperties>"
)
_PARTS = {
    "docx": ("word/document.xml",
             '<w:document xmlns:w="w"><w:p><w:r><w:t>Words of the report</w:t></w:r></w:p></w:document>'),
    "pptx": ("ppt/slides/slide1.xml",
             '<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>Words of the talk</a:t></a:r></a:p></p:sld>'),
    "xlsx": ("xl/sharedStrings.xml", '<sst xmlns="x"><si><t>Words of the sheet</t></si></sst>'),
}  # fmt: skip


def office(path: Path, *, thumbnail: bool = True) -> Path:
    """A minimal office package: docx, pptx, xlsx or odt."""
    picture_bytes = _gradient(256, 192).jpegsave_buffer()
    with zipfile.ZipFile(path, "w") as package:
        if path.suffix == ".odt":
            package.writestr("mimetype", "application/vnd.oasis.opendocument.text")
            package.writestr(
                "meta.xml",
                '<o:document-meta xmlns:o="o" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:meta="m"><dc:title>'
                'Annual report</dc:title><meta:document-statistic meta:page-count="7"/></o:document-meta>',
            )
            package.writestr("content.xml", '<d xmlns:text="t"><text:p>Words of the text</text:p></d>')
            if thumbnail:
                package.writestr("Thumbnails/thumbnail.png", _gradient(256, 192).pngsave_buffer())
            return path
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("docProps/core.xml", _CORE)
        package.writestr(*_PARTS[path.suffix[1:]])
        if thumbnail:
            package.writestr("docProps/thumbnail.jpeg", picture_bytes)
    return path


_TURNS = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def phone_film(path: Path, clockwise: int, seconds: float = 1.0) -> Path:
    """A video with a rotation in its track header, as phones write it (ISO/IEC 14496-12 section 8.3.2)."""
    data = bytearray(mp4(path, seconds, 320, 180).read_bytes())
    at = data.index(b"tkhd") - 4 + 48
    a, b, c, d = (factor * 0x10000 for factor in _TURNS[clockwise])
    matrix = (a, b, 0, c, d, 0, 0, 0, 0x40000000)
    data[at : at + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in matrix)
    path.write_bytes(data)
    return path
