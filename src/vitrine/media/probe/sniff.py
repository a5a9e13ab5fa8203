"""The type of a file by its first bytes. The name only helps where the content says nothing."""

import re

import puremagic

HEAD_BYTES = 64 * 1024

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"\x1aE\xdf\xa3", "video/x-matroska"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_MARKUP = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script|svg)", re.I | re.S
)
_NAMED_MEDIA = {
    "jpg": "picture", "jpeg": "picture", "png": "picture", "gif": "picture", "webp": "picture", "tif": "picture",
    "tiff": "picture", "heic": "picture", "avif": "picture", "mp4": "video", "mov": "video", "m4v": "video",
    "webm": "video", "mkv": "video", "avi": "video", "mp3": "sound", "wav": "sound", "flac": "sound", "ogg": "sound",
    "m4a": "sound", "pdf": "PDF",
}  # fmt: skip
_DOCUMENTS = ("application/pdf", "application/msword", "application/vnd.", "application/rtf", "text/")


def mime_of(head: bytes, name: str) -> str:
    """The media type of a file from its first HEAD_BYTES; `application/octet-stream` when nothing is known."""
    for magic, mime in _MAGIC:
        if head.startswith(magic):
            return "video/webm" if mime == "video/x-matroska" and b"webm" in head[:64] else mime
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"):
        return "audio/mpeg"
    markup = _MARKUP.match(head[:4096])
    if markup:
        return "image/svg+xml" if markup[1].lower() == b"svg" else "text/html"
    return _other(head, name)


def _other(head: bytes, name: str) -> str:
    if _is_text(head):
        return "text/plain"
    try:
        found = puremagic.from_string(head, mime=True, filename=name)
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"
    return str(found) or "application/octet-stream"


def _is_text(head: bytes) -> bool:
    sample = head[:4096]
    if b"\x00" in sample:
        return False
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as failure:
        return failure.start > len(sample) - 4  # a character cut at the end of the sample
    return True


def kind_of(mime: str) -> str:
    """The kind of record a type makes: image, video, audio, document or unknown."""
    family = mime.partition("/")[0]
    if family in ("image", "video", "audio"):
        return family
    return "document" if mime.startswith(_DOCUMENTS) else "unknown"


def promised(name: str) -> str | None:
    """What a file name promises, in a word for people, when it promises a media file."""
    return _NAMED_MEDIA.get(name.rpartition(".")[2].lower())


def is_lie(name: str, mime: str) -> bool:
    """True when the name promises media and the content is none: a `.jpg` that is HTML. A `.jpg` that is really a PNG
    is only mistaken, and is taken for what it is."""
    return promised(name) is not None and kind_of(mime) not in ("image", "video", "audio") and mime != "application/pdf"
