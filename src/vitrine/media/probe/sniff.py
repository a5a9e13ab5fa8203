"""The type of a file by its first bytes. The name only helps where the content says nothing."""

import re

import puremagic

from vitrine.media.kinds import OLD_OFFICE, PDF, kind_of

HEAD_BYTES = 64 * 1024
ZIP = "application/zip"
OLE = "application/x-ole-storage"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", PDF),
    (b"\x1aE\xdf\xa3", "video/x-matroska"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"8BPS\x00\x01", "image/vnd.adobe.photoshop"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"PK\x03\x04", ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"{\\rtf", "application/rtf"),
    (b"CWS", "application/x-shockwave-flash"),
    (b"FWS", "application/x-shockwave-flash"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"3gp4": "video/3gpp",
    b"3gp5": "video/3gpp",
    b"crx ": "image/x-canon-cr3",
}
_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # QuickTime files from before `ftyp`
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_RAW_TIFF = ((b"CR\x02", "image/x-canon-cr2"),)
_MARKUP = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*|<!doctype\s+svg[^>\[]*(?:\[[^\]]*\])?\s*>\s*)*"
    rb"<(!doctype\s+html|html|head|body|script|svg)",
    re.I | re.S,
)
_NAMED_MEDIA = {
    "jpg": "picture", "jpeg": "picture", "png": "picture", "gif": "picture", "webp": "picture", "tif": "picture",
    "tiff": "picture", "heic": "picture", "heif": "picture", "avif": "picture", "svg": "picture", "psd": "picture",
    "mp4": "video", "mov": "video", "m4v": "video", "webm": "video", "mkv": "video", "avi": "video",
    "mp3": "sound", "wav": "sound", "flac": "sound", "ogg": "sound", "oga": "sound", "opus": "sound", "m4a": "sound",
    "pdf": "PDF", "docx": "Word", "pptx": "PowerPoint", "xlsx": "Excel", "odt": "OpenDocument",
}  # fmt: skip
_OFFICE = ("Word", "PowerPoint", "Excel", "OpenDocument")


def mime_of(head: bytes, name: str) -> str:
    """The media type of a file from its first HEAD_BYTES; `application/octet-stream` when nothing is known.

    `application/zip` and `application/x-ole-storage` are containers: `probe.office` looks further.
    """
    for magic, mime in _MAGIC:
        if head.startswith(magic):
            return "video/webm" if mime == "video/x-matroska" and b"webm" in head[:64] else mime
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return next((mime for mark, mime in _RAW_TIFF if head[8:].startswith(mark)), "image/tiff")
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if head[:4] == b"OggS":
        return "video/ogg" if b"\x80theora" in head[:4096] else "audio/ogg"
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head[4:8] in _BOXES and int.from_bytes(head[:4], "big") in range(1, 1 << 31):
        return "video/quicktime"
    return _stream_of(head) or _markup_of(head) or _other(head, name)


def _brand(head: bytes) -> str:
    """By the major brand; `mif1` says only "a picture", the compatible ones then say which."""
    major = _BRANDS.get(head[8:12], "video/mp4")
    if major != "image/heif":
        return major
    length = min(int.from_bytes(head[:4], "big"), 256)
    others = [_BRANDS.get(head[at : at + 4]) for at in range(16, length - 3, 4)]
    return next((one for one in ("image/avif", "image/heic") if one in others), major)


def _stream_of(head: bytes) -> str | None:
    """Streams without a header of their own: MPEG audio, AAC, transport streams, BMP with its checks."""
    if len(head) > 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        layer, rate = head[1] & 0x06, head[2] >> 4
        if layer == 0 and head[1] & 0xF6 == 0xF0:
            return "audio/aac"
        if layer and rate not in (0, 15) and head[2] & 0x0C != 0x0C and head[1] & 0x18 != 0x08:
            return "audio/mpeg"
    if head[:1] == b"G" and len(head) > 564 and all(head[at] == 0x47 for at in (188, 376, 564)):
        return "video/mp2t"
    if head[:2] == b"BM" and head[6:10] == b"\x00" * 4 and len(head) > 26:
        return "image/bmp"
    return None


def _markup_of(head: bytes) -> str | None:
    markup = _MARKUP.match(head[:8192].removeprefix(b"\xef\xbb\xbf"))
    if markup is None:
        return None
    return "image/svg+xml" if markup[1].lower() == b"svg" else "text/html"


def _other(head: bytes, name: str) -> str:
    if _is_text(head):
        return "text/plain"
    try:
        found = puremagic.from_string(head, mime=True, filename=name)
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"
    # A type that we open is believed only when its own first bytes say so, which was looked at above.
    return str(found) if found and kind_of(str(found)) == "unknown" else "application/octet-stream"


def _is_text(head: bytes) -> bool:
    sample = head[:4096]
    if b"\x00" in sample:
        return False
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as failure:
        return failure.start > len(sample) - 4  # a character cut at the end of the sample
    return True


def old_office(name: str) -> str:
    """The type of a compound file (Word 97 and its kin), which only its name tells cheaply."""
    return OLD_OFFICE.get(name.rpartition(".")[2].lower(), OLE)


def promised(name: str) -> str | None:
    """What a file name promises, in a word for people, when it promises a media file."""
    return _NAMED_MEDIA.get(name.rpartition(".")[2].lower())


def is_lie(name: str, mime: str) -> bool:
    """True when the name promises media and the content is none: a `.jpg` that is HTML. A `.jpg` that is really a PNG
    is only mistaken, and is taken for what it is; so is a `.docx` in the form of Word 97."""
    promise = promised(name)
    if promise is None or kind_of(mime) in ("image", "video", "audio"):
        return False
    if promise in _OFFICE:
        return kind_of(mime) != "document" or mime.startswith("text/")
    # Camera raw and the like are pictures, though none that we open.
    return mime != PDF and not mime.startswith("image/")
