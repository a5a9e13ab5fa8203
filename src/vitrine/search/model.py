"""What is indexed, what is asked, and what comes back: plain values, the same for every engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

MOST_HITS = 1_000
DEEPEST = 10_000


@dataclass(frozen=True, slots=True)
class Document:
    """One record as the index sees it. *rid* is its number in the instance; *fields* and *business* hold the values of
    public and business fields by field name; *extra* are further words that find it (file name, uuid …)."""

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
    """One collection the person may search: the mask of visible states, and whether its business fields count."""

    base_id: int
    mask_and: int = 0
    mask_xor: int = 0
    business: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything one person may find: collections, and single records that were granted."""

    bases: tuple[BaseClause, ...]
    granted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Query:
    """*text* is plain words, all required, and "quoted phrases"; empty means everything. *sort* is relevance,
    created_on, updated_on, recordid or `slot:<n>`; ties go by record in the same direction."""

    text: str
    scope: Scope
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
