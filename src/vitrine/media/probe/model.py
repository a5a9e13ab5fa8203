"""The values of a probe; they know nothing of decoders."""

from dataclasses import dataclass, field

Technical = int | float | str
MOST_TEXT = 200_000  # characters of a document's text that are kept for search


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of what is decoded, checked before decoding."""

    max_pixels: int = 200_000_000
    max_duration_s: float = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of probing one file.

    *kind* is image, video, audio, document, flash or unknown; *mime* is by content. *width* and *height* are as stored,
    *display_width* and *display_height* after orientation or rotation is applied, all in pixels and None if there is no
    picture (of a PDF: the first page at 96 dots per inch). *technical* holds (name, value) pairs in the words of
    contract 04 section 8; *metadata* the embedded tags as `Group:Tag` -> values. *makes* are the media types of recipes
    that can be made of this file; *pages* and *text* (at most MOST_TEXT characters) are those of a document.
    """

    kind: str
    mime: str
    width: int | None = None
    height: int | None = None
    display_width: int | None = None
    display_height: int | None = None
    duration_s: float | None = None
    technical: list[tuple[str, Technical]] = field(default_factory=list)
    metadata: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    makes: list[str] = field(default_factory=list)
    pages: int | None = None
    text: str = ""
