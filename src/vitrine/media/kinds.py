"""The known media types, the kind of record of each, and so the possible renditions (06 section 4).

A file of any other type is stored and can be downloaded; its record is of the kind `unknown`.
"""

# Pictures that libvips opens itself, drawings, and pictures that Pillow opens for libvips.
VIPS_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff", "image/avif")
SVG = "image/svg+xml"
PILLOW_PICTURES = (
    "image/heic",
    "image/heif",
    "image/bmp",
    "image/vnd.adobe.photoshop",
    "image/jp2",
)
PICTURES = (*VIPS_PICTURES, SVG, *PILLOW_PICTURES)
ANIMATED = ("image/gif", "image/webp")
FILMS = (
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-matroska",
    "video/x-msvideo",
    "video/mpeg",
    "video/mp2t",
    "video/ogg",
    "video/3gpp",
    "video/x-flv",
    "video/x-ms-asf",
)
SOUNDS = (
    "audio/mpeg",
    "audio/wav",
    "audio/flac",
    "audio/ogg",
    "audio/mp4",
    "audio/aac",
    "audio/aiff",
    "audio/webm",
    "audio/x-matroska",
    "audio/x-ms-wma",
    "audio/x-msvideo",
    "audio/x-flv",
    "audio/mp2p",
    "audio/mp2t",
)
PDF = "application/pdf"
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
OPEN_XML = {
    "word/": _OPEN_XML + "wordprocessingml.document",
    "ppt/": _OPEN_XML + "presentationml.presentation",
    "xl/": _OPEN_XML + "spreadsheetml.sheet",
}
OPEN_DOCUMENT = tuple(
    "application/vnd.oasis.opendocument." + document_type
    for document_type in ("text", "spreadsheet", "presentation", "graphics")
)
OFFICE = (*OPEN_XML.values(), *OPEN_DOCUMENT)
OLD_OFFICE = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
}
FLASH = "application/x-shockwave-flash"
# Type of a video file -> its type as audio, if it has no video stream.
SOUND_OF = {
    "video/mp4": "audio/mp4",
    "video/quicktime": "audio/mp4",
    "video/3gpp": "audio/mp4",
    "video/webm": "audio/webm",
    "video/x-matroska": "audio/x-matroska",
    "video/ogg": "audio/ogg",
    "video/x-ms-asf": "audio/x-ms-wma",
    "video/x-msvideo": "audio/x-msvideo",
    "video/x-flv": "audio/x-flv",
    "video/mpeg": "audio/mp2p",
    "video/mp2t": "audio/mp2t",
}
_DOCUMENTS = frozenset((PDF, *OFFICE, *OLD_OFFICE.values(), "application/rtf", "application/epub+zip"))
_BY_TYPE = {
    **dict.fromkeys(PICTURES, "image"),
    **dict.fromkeys(FILMS, "video"),
    **dict.fromkeys(SOUNDS, "audio"),
    **dict.fromkeys(_DOCUMENTS, "document"),
    FLASH: "flash",
}


# A copy with an overlay keeps its type if it is one of these, and is converted otherwise.
_OVERLAID = {
    "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "image/tiff": "tif",
}  # fmt: skip


def overlay_type(mime: str) -> tuple[str, str]:
    """Type and extension of a picture's copy with an overlay: its own type, PNG for a drawing, otherwise JPEG."""
    if mime in _OVERLAID:
        return mime, _OVERLAID[mime]
    return ("image/png", "png") if mime == SVG else ("image/jpeg", "jpg")


def kind_of(mime: str) -> str:
    """The kind of record of a media type: image, video, audio, document, flash or unknown."""
    return _BY_TYPE.get(mime) or ("document" if mime.startswith("text/") else "unknown")
