"""Rows as lines of JSON and back. The form of a line is made from the columns of its table, so neither can forget a
column of the other. An unknown or missing member, a wrong type, a text too long or a number out of range is refused."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa

from vitrine.errors import Invalid
from vitrine.operations.export.kinds import SEALED, SECRET, RowKind
from vitrine.platform.crypto import Vault
from vitrine.platform.schema import Instant, Json

MOST_BYTES = 256 * 2**20  # of one line: texts of long documents
_MOST_ID = 2**53 - 1  # what every reader of JSON keeps exactly
_ENCODER = msgspec.json.Encoder()
Labels = dict[str, str | None]
Names = list[str]


Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Picture(msgspec.Struct, forbid_unknown_fields=True):
    """A picture of the structure: logo or icon."""

    sha256: Digest
    mime: str
    width: int
    height: int
    size: int


class Stamp(msgspec.Struct, forbid_unknown_fields=True):
    """The stamp of a collection, see library.overlays.stamps."""

    blocks: list[dict[str, Any]]


# What a column may hold beyond its type, by table and column.
SHAPES: dict[str, Any] = {
    "databoxes.labels": Labels,
    "databoxes.logo": Picture,
    "collections.labels": Labels,
    "collections.logo": Picture,
    "collections.watermark": Digest,
    "collections.stamp": Stamp,
    "fields.labels": Labels,
    "fields.fallbacks": Names,
    "status_bits.labels_on": Labels,
    "status_bits.labels_off": Labels,
    "status_bits.icon_on": Picture,
    "status_bits.icon_off": Picture,
    "status_bits.bit": Annotated[int, msgspec.Meta(ge=0, le=63)],
    "recipes.devices": Names,
    "recipes.labels": Labels,
    "recipes.options": dict[str, Any],
    "recipes.klass": Literal["thumbnail", "preview", "document"],
    "suggested_values.values": Names,
    "users.preferences": dict[str, Any],
    "notifications.payload": dict[str, Any],
    "structure_tasks.details": dict[str, Any],
    "structure_tasks.failures": list[dict[str, Any]],
    "structure_tasks.state": Literal["waiting", "running", "done", "replaced"],
    "records.titles": Labels,
    "renditions.state": Literal["waiting", "ready", "failed"],
    "record_grants.source_kind": Literal["basket", "vote", "order", "push"],
    "removed_records.kept": dict[str, Any],
    "original_versions.kept": dict[str, Any],
    "quarantine_items.checks": dict[str, Any],
    "quarantine_items.attributes": dict[str, Any],
    "quarantine_checks.scope": Literal["instance", "databox", "collection"],
    "quarantine_checks.policy": dict[str, Any],
    "registration_requests.state": Literal["pending", "rejected", "accepted"],
    "databox_registration.rules": list[dict[str, Any]],
    "collection_registration.rules": list[dict[str, Any]],
    "applications.type": Literal["web", "desktop"],
    "applications.profile": Literal["compatibility", "strict", "desktop", "public"],
    "applications.kind": Literal["", "server", "page", "device", "machine"],
    "applications.suspended_by": Literal["", "owner", "admin"],
    "applications.approval": Literal["", "waiting", "yes", "no"],
    "applications.switches": dict[str, bool],
    "applications.scope_limit": Names,
    "accounts.granted_scope": Names,
    "accounts.requested_scope": Names,
    "consents.scope": Names,
    "consents.decision": Literal["allow", "deny", "revoke"],
    "consents.shown": dict[str, Any],
    "access_tokens.scope": Names,
    "signing_keys.public": dict[str, Any],
    "signing_keys.state": Literal["pending", "active", "retired"],
    "bulk_operations.change": dict[str, Any],
    "bulk_operations.state": Literal["waiting", "running", "done", "cancelled", "ended"],
    "record_changes.before": dict[str, Any],
    "record_changes.after": dict[str, Any],
}
_NUMBERS = frozenset({"id", "number", "next_record", "next_collection"})


@cache
def form_of(kind: RowKind) -> type[msgspec.Struct]:
    """The form of a line: one member for each column, none optional."""
    return msgspec.defstruct(
        kind.name,
        [(member_of(column), _type_of(column)) for column in kind.columns],
        forbid_unknown_fields=True,
    )


def member_of(column: sa.Column[Any]) -> str:
    return SECRET if column.name == SEALED else str(column.name)


def _type_of(column: sa.Column[Any]) -> Any:
    kind = SHAPES.get(f"{column.table.name}.{column.name}") or _plain_type(column)
    return kind | None if column.nullable and kind is not Any else kind


def _plain_type(column: sa.Column[Any]) -> Any:
    if column.name.endswith("sha256"):
        return Digest
    match column.type:
        case Json():
            return Any
        case Instant():
            return Annotated[datetime, msgspec.Meta(tz=True)]
        case sa.Date():
            return date
        case sa.LargeBinary():
            return Annotated[bytes, msgspec.Meta(max_length=column.type.length or MOST_BYTES)]
        case sa.Boolean():
            return bool
        case sa.Integer():
            bits = 63 if isinstance(column.type, sa.BigInteger) else 31
            if column.name in _NUMBERS:
                return Annotated[int, msgspec.Meta(ge=0, le=_MOST_ID)]
            return Annotated[int, msgspec.Meta(ge=-(2**bits), le=2**bits - 1)]
        case sa.String():
            return Annotated[str, msgspec.Meta(max_length=column.type.length or MOST_BYTES)]
    raise TypeError(f"{column.table.name}.{column.name} has a type that no line can hold")


def words_of(column: sa.Column[Any]) -> str:
    """The type of a member, for the documentation."""
    match column.type:
        case Json():
            words = "any JSON"
        case Instant():
            words = "instant"
        case sa.Date():
            words = "date"
        case sa.LargeBinary():
            words = "bytes"
        case sa.Boolean():
            words = "boolean"
        case sa.Integer():
            words = "integer"
        case _:
            length = getattr(column.type, "length", None)
            words = f"text of {length}" if length else "text"
    return f"{words} or null" if column.nullable else words


def line_of(kind: RowKind, row: Mapping[str, Any], vault: Vault | None = None) -> bytes:
    """A row as a line, without the newline. Sealed values are decrypted by *vault*. Raises Invalid for a row that no
    import would take: better now than then."""
    values = dict(row)
    if SEALED in values:
        assert vault is not None
        values[SECRET] = None if values[SEALED] is None else vault.decrypt(values[SEALED])
        del values[SEALED]
    line = _ENCODER.encode(form_of(kind)(**values))
    key = "/".join(str(row[name]) for name in kind.key)
    decoded(kind, line, f"row {key} of {kind.table_name}")
    return line


def decoded(kind: RowKind, line: bytes, place: str) -> Any:
    """Raises Invalid with *place*."""
    try:
        return msgspec.json.decode(line, type=form_of(kind))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise Invalid(f"{place}: {failure}.", field="source") from None


def row_of(kind: RowKind, line: bytes, place: str, vault: Vault | None = None) -> dict[str, Any]:
    """The row that a line describes. Raises Invalid with *place*, a file and a line. Secrets are sealed by *vault*."""
    read = decoded(kind, line, place)
    if _ENCODER.encode(read) != line:
        _refuse_duplicates(line, place)
    values = {name: _plain(getattr(read, name)) for name in read.__struct_fields__}
    if b"u0000" in line and any(isinstance(value, str) and "\0" in value for value in values.values()):
        raise Invalid(f"{place}: a text contains the character U+0000, which PostgreSQL refuses.", field="source")
    if SECRET in values and any(column.name == SEALED for column in kind.columns):
        assert vault is not None
        values[SEALED] = None if values[SECRET] is None else vault.encrypt(values[SECRET])
        del values[SECRET]
    return values


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value


def _refuse_duplicates(line: bytes, place: str) -> None:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise Invalid(f"{place}: the member {twice} is there twice.", field="source")
        return values

    json.loads(line, object_pairs_hook=members)
