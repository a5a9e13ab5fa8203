"""The metadata to write."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbeddedFacts:
    """What to write into a file. *title_other* and *caption_other* are translations into *language_other*."""

    title: str
    caption: str
    keywords: tuple[str, ...]
    author: str
    rights: str
    language: str = "en"
    title_other: str = ""
    caption_other: str = ""
    language_other: str = "fr"
    city: str = ""
    country: str = ""
    date: str = ""
    credit: str = ""
