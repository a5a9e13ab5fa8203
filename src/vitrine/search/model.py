"""Documents, queries and hits: plain values, the same for every engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MOST_HITS = 1_000
DEEPEST = 10_000


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """One record as the index sees it. *rid* is its number in the instance; *fields* and *business* hold the values of
    public and business fields by field name; *extra* holds further searchable text (file name, contents of the file
    …)."""

    rid: int
    databox_id: int
    number: int
    base_id: int
    kind: str
    is_story: bool
    created: datetime
    updated: datetime
    status: int
    title: str
    sha256: str
    uuid: str
    fields: Mapping[str, list[str]]
    business: Mapping[str, list[str]]
    extra: tuple[str, ...] = ()
    slots: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BaseClause:
    """One collection that the person may search: the mask of visible states, and whether business fields are
    searched."""

    base_id: int
    mask_and: int = 0
    mask_xor: int = 0
    business: bool = False


@dataclass(slots=True, eq=False)
class GrantedRecords:
    """The records granted to one person, in ascending order. *compiled* is the engine's own form of them, made by the
    first search and kept as long as this object."""

    rids: Sequence[int] = ()
    compiled: Any = None


@dataclass(frozen=True, slots=True)
class VisibleScope:
    """Everything that one person may find: collections, and individually granted records."""

    bases: tuple[BaseClause, ...]
    granted: GrantedRecords = field(default_factory=GrantedRecords)


@dataclass(frozen=True, slots=True)
class Query:
    """*text* holds plain words and "quoted phrases", all required; empty matches everything. *sort* is relevance,
    created_on, updated_on, recordid or `slot:<n>`; ties are ordered by record, in the same direction."""

    text: str
    scope: VisibleScope
    bases: frozenset[int] | None = None
    kinds: frozenset[str] | None = None
    stories: bool | None = False
    fields: tuple[str, ...] = ()
    truncation: bool = False
    sort: str = "relevance"
    descending: bool = True
    offset: int = 0
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Hits:
    """*rids* is one page in order, *total* the exact number of records found, *took_ms* the engine's time."""

    total: int
    rids: tuple[int, ...]
    took_ms: float
