"""The type of a file by its first bytes. The name counts only if the content is ambiguous."""

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
    """The media type of a file from its first HEAD_BYTES; `application/octet-stream` if it is unknown.

    `application/zip` and `application/x-ole-storage` are containers; `probe.office` inspects them.
    """
    for magic, mime in _MAGIC:
        if head.startswith(magic):
            return "video/webm" if mime == "video/x-matroska" and b"webm" in head[:64] else mime
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return next((mime for signature, mime in _RAW_TIFF if head[8:].startswith(signature)), "image/tiff")
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if head[:4] == b"OggS":
        return "video/ogg" if b"\x80theora" in head[:4096] else "audio/ogg"
    if head[4:8] == b"ftyp":
        return _mime_of_brand(head)
    if head[4:8] in _BOXES and int.from_bytes(head[:4], "big") in range(1, 1 << 31):
        return "video/quicktime"
    return _mime_of_stream(head) or _mime_of_markup(head) or _guess(head, name)


def _mime_of_brand(head: bytes) -> str:
    """The type by the major brand. `mif1` means any picture; then the compatible brands decide."""
    major = _BRANDS.get(head[8:12], "video/mp4")
    if major != "image/heif":
        return major
    length = min(int.from_bytes(head[:4], "big"), 256)
    compatible = [_BRANDS.get(head[at : at + 4]) for at in range(16, length - 3, 4)]
    return next((mime for mime in ("image/avif", "image/heic") if mime in compatible), major)


def _mime_of_stream(head: bytes) -> str | None:
    """Formats without a distinctive header: MPEG audio, AAC, transport streams, BMP."""
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


def _mime_of_markup(head: bytes) -> str | None:
    markup = _MARKUP.match(head[:8192].removeprefix(b"\xef\xbb\xbf"))
    if markup is None:
        return None
    return "image/svg+xml" if markup[1].lower() == b"svg" else "text/html"


def _guess(head: bytes, name: str) -> str:
    if _is_text(head):
        return "text/plain"
    try:
        guessed = puremagic.from_string(head, mime=True, filename=name)
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"
    # A type that we decode must be recognised by its first bytes, which were checked above.
    return str(guessed) if guessed and kind_of(str(guessed)) == "unknown" else "application/octet-stream"


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
    """The type of a compound file (such as Word 97), taken from its name, which is cheap."""
    return OLD_OFFICE.get(name.rpartition(".")[2].lower(), OLE)


def promised_type(name: str) -> str | None:
    """The type that a media file name promises, as a word for people; None for other names."""
    return _NAMED_MEDIA.get(name.rpartition(".")[2].lower())


def is_misnamed(name: str, mime: str) -> bool:
    """True if the name promises media and the content is not media, such as a `.jpg` that is HTML. A `.jpg` that is a
    PNG is accepted as a PNG, and a `.docx` in Word 97 format as such."""
    promise = promised_type(name)
    if promise is None or kind_of(mime) in ("image", "video", "audio"):
        return False
    if promise in _OFFICE:
        return kind_of(mime) != "document" or mime.startswith("text/")
    # Camera raw files and the like are pictures, though we cannot open them.
    return mime != PDF and not mime.startswith("image/")
