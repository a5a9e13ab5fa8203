"""Requests for access to collections, and where they are taken."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, UniqueConstraint

from vitrine.platform.schema import Instant, Json, metadata
from vitrine.platform.tables import Id

registration_requests = Table(
    "registration_requests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(8), nullable=False, comment="pending or rejected; an accepted one is a row of rights"),
    Column("created", Instant, nullable=False, index=True),
    Column("decided", Instant, nullable=True),
    UniqueConstraint("user_id", "collection_id"),
    Index("ix_registration_requests_collection_id_state_id", "collection_id", "state", "id"),
    Index("ix_registration_requests_state_id", "state", "id"),
    sqlite_autoincrement=True,
    comment="one for each person and collection; it ends after a month (06 section 18)",
)

collection_registration = Table(
    "collection_registration",
    metadata,
    Column(
        "collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("rules", Json, nullable=True, comment="[{pattern, rights}] by e-mail address; null: those of the databox"),
    Column("updated", Instant, nullable=False),
)

databox_registration = Table(
    "databox_registration",
    metadata,
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("rules", Json, nullable=True, comment="[{pattern, rights}] by e-mail address; null: readers, if automatic"),
    Column("updated", Instant, nullable=False),
)
