"""The layout of an export: a bag of BagIt 1.0 (RFC 8493). See docs/wire/export.md.

    bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt
    data/export.json             what this is, of which instance, how many lines of each kind
    data/files/ab/cd/<sha256>    originals, renditions, pictures, once each
    data/missing.jsonl           files that rows name and the store no longer has
    data/rows/<kind>.jsonl       one line for each row
    data/credentials/<kind>.jsonl.enc

The library `bagit` keeps every path of a bag in memory, so the few lines are written and read here.
"""

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec

from vitrine.errors import Invalid
from vitrine.operations.export.encryption import Parameters
from vitrine.operations.export.kinds import BY_NAME, KINDS

FORMAT = 1
BAGIT, BAG_INFO = "bagit.txt", "bag-info.txt"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
TAGGED = (BAG_INFO, BAGIT, MANIFEST)
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
HEAD, MISSING, SERVER_KEY = "data/export.json", "data/missing.jsonl", "data/credentials/server_key.enc"
_FILE = re.compile(r"data/files/([0-9a-f]{2})/([0-9a-f]{2})/((\1)(\2)[0-9a-f]{60})")
_KIND_PATHS = frozenset(kind.path for kind in KINDS)
_MOST_HEAD_BYTES = 1 << 20


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    count: int
    bytes: int
    missing: int


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """*lines*: by kind. *highest_ids*: by table, the highest id ever given, which no other row may get. *credentials*:
    how they are encrypted; null where there are none."""

    format: int
    software: str
    schema: str
    created: str
    instance: str
    base_url: str
    files: Files
    lines: dict[str, int]
    highest_ids: dict[str, int]
    credentials: Parameters | None


class _Missing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


def file_path(sha256: str) -> str:
    return f"data/files/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def digest_in(path: str) -> str | None:
    """The digest that a path of `file_path` names; None for every other path."""
    match = _FILE.fullmatch(path)
    return match[3] if match else None


def is_known(path: str) -> bool:
    """True for the paths that an export can have: nothing else is ever opened."""
    return path in (HEAD, MISSING, SERVER_KEY) or path in _KIND_PATHS or _FILE.fullmatch(path) is not None


def is_export(folder: Path) -> bool:
    return (folder / BAGIT).is_file()


def head_of(content: bytes) -> Head:
    """Raises Invalid for what this program cannot read."""
    try:
        stored: Any = msgspec.json.decode(content[:_MOST_HEAD_BYTES])
        number = stored["format"] if isinstance(stored, dict) else None
    except (msgspec.DecodeError, KeyError, RecursionError):
        number = None
    if number != FORMAT:
        raise Invalid(f"{HEAD}: this program reads the format {FORMAT} of exports only.", field="source")
    try:
        head = msgspec.json.decode(content, type=Head)
    except msgspec.DecodeError as failure:
        raise Invalid(f"{HEAD}: {failure}.", field="source") from None
    unknown = sorted(set(head.lines) - set(BY_NAME))
    if unknown:
        raise Invalid(f"{HEAD}: there is no kind {unknown[0]}.", field="source")
    expected = {kind.name for kind in KINDS if head.credentials is not None or not kind.is_secret}
    if expected - set(head.lines):
        raise Invalid(f"{HEAD}: the kind {sorted(expected - set(head.lines))[0]} is missing.", field="source")
    return head


def expected_paths(head: Head) -> list[str]:
    """Every path besides the files."""
    kinds = [BY_NAME[name].path for name in head.lines]
    return sorted([HEAD, MISSING, *kinds, *([SERVER_KEY] if head.credentials is not None else [])])


def missing_of(line: bytes, place: str) -> str:
    """The digest in a line of MISSING. Raises Invalid."""
    try:
        sha256 = msgspec.json.decode(line, type=_Missing).sha256
    except msgspec.DecodeError as failure:
        raise Invalid(f"{place}: {failure}.", field="source") from None
    return sha256
