"""The text of plain text files, for search. Files with markup, such as HTML, are included as they are."""

from pathlib import Path
from typing import Any

from vitrine.media.probe.model import MOST_TEXT

BYTES_A_CHARACTER = 4


def facts_of(path: str) -> dict[str, Any]:
    """The first MOST_TEXT characters of a UTF-8 file."""
    with Path(path).open("rb") as file:
        raw = file.read(MOST_TEXT * BYTES_A_CHARACTER)
    return {"text": raw.decode("utf-8", "replace").replace("\x00", "")[:MOST_TEXT]}
