"""What happens to rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.library.model import DataboxId


@dataclass(frozen=True, slots=True)
class RuleChanged:
    """A rule was made (*before* is empty), changed, switched, or deleted (*after* is empty)."""

    databox_id: DataboxId
    rule_id: int
    actor_id: int | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleRan:
    """A rule looked for its records and gave *matched* of them to an operation. *held* are records that it no longer
    changes: it did so too often, or somebody took its change back. *ended* is the code of why the run did nothing."""

    databox_id: DataboxId
    rule_id: int
    run_id: int
    matched: int
    refused: int
    held: int
    ended: str | None
