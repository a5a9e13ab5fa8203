"""Rights as JSON, in and out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntFlag
from typing import Any, TypeVar

from vitrine.accounts import CollectionGrant, DataboxRight, Right
from vitrine.accounts.rights import names
from vitrine.api.v4.content import moment
from vitrine.api.v4.schemas import NUMBER, PERHAPS_MOMENT, Schema, full_object_of, list_of, object_of
from vitrine.errors import Invalid

STATUS_BITS = range(32)
_ONLY: Schema = {
    "type": "object",
    "additionalProperties": {"type": "boolean"},
    "description": "by number of a status bit: only records on which it is so are seen",
}
_RIGHTS: Schema = list_of({"enum": sorted(Right.__members__)})
DATABOX_RIGHTS: Schema = list_of({"enum": sorted(DataboxRight.__members__)})
_LIMITS: dict[str, Schema] = {
    "valid_from": PERHAPS_MOMENT,
    "valid_until": PERHAPS_MOMENT,
    "only_status": _ONLY,
    "monthly_downloads": {"type": ["integer", "null"], "minimum": 0},
}
GRANT_BODY = object_of(rights=_RIGHTS, **_LIMITS)
GRANT_EXAMPLE = {"rights": ["actif", "candwnldpreview"], "only_status": {"4": False}}
MEMBERS: dict[str, Any] = {
    "rights": list, "valid_from": str, "valid_until": str, "only_status": dict, "monthly_downloads": int,
}  # fmt: skip
COMPONENTS: dict[str, Schema] = {
    "Grant": full_object_of(base_id=NUMBER, databox_id=NUMBER, rights=_RIGHTS, **_LIMITS),
    "DataboxGrant": full_object_of(databox_id=NUMBER, rights=DATABOX_RIGHTS),
}
F = TypeVar("F", bound=IntFlag)


def grant_json(grant: CollectionGrant) -> dict[str, Any]:
    return {
        "base_id": grant.base_id,
        "databox_id": grant.databox_id,
        "rights": names(grant.rights),
        "valid_from": moment(grant.valid_from),
        "valid_until": moment(grant.valid_until),
        "only_status": {str(bit): bool(grant.mask_xor >> bit & 1) for bit in STATUS_BITS if grant.mask_and >> bit & 1},
        "monthly_downloads": grant.monthly_downloads,
    }


def databox_grants(rights: Mapping[int, DataboxRight]) -> list[dict[str, Any]]:
    return [{"databox_id": box, "rights": names(rights[box])} for box in sorted(rights)]


def rights_of(value: Any, kind: type[F]) -> F:
    """The rights with these names. Raises Invalid."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Invalid("rights must be a list of names of rights.", field="rights")
    unknown = [name for name in value if name not in kind.__members__]
    if unknown:
        raise Invalid(f"There is no right called {unknown[0][:80]} here.", field="rights")
    return kind(sum(kind[name] for name in set(value)))


def grant_of(base_id: int, databox_id: int, members: Mapping[str, Any]) -> CollectionGrant:
    """Raises Invalid, naming the member."""
    mask_and, mask_xor = _mask_of(members.get("only_status"))
    downloads = members.get("monthly_downloads")
    if downloads is not None and not 0 <= downloads < 2**31:
        raise Invalid("monthly_downloads must be a number of downloads.", field="monthly_downloads")
    begin, end = (moment_of(members.get(name), name) for name in ("valid_from", "valid_until"))
    if begin is not None and end is not None and end < begin:
        raise Invalid("valid_until is before valid_from.", field="valid_until")
    rights = rights_of([] if members.get("rights") is None else members["rights"], Right)
    return CollectionGrant(base_id, databox_id, rights, begin, end, mask_and, mask_xor, downloads)


def _mask_of(value: Any) -> tuple[int, int]:
    mask_and = mask_xor = 0
    for text, state in (value or {}).items():
        if not (text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) in STATUS_BITS):
            raise Invalid("only_status has numbers of status bits, from 0 to 31.", field="only_status")
        if not isinstance(state, bool):
            raise Invalid("The state of a status bit is true or false.", field="only_status")
        mask_and |= 1 << int(text)
        mask_xor |= int(state) << int(text)
    return mask_and, mask_xor


def moment_of(text: str | None, field: str) -> datetime | None:
    """RFC 3339, with a zone. Raises Invalid."""
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
        in_utc = None if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        in_utc = None
    if in_utc is None:
        raise Invalid(f"{field} must be an instant such as 2026-03-02T10:15:30Z.", field=field)
    return in_utc
