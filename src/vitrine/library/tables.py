"""Databoxes, collections, structure, records, values, renditions, permalinks and the quarantine."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vitrine.platform.schema import WITHIN_ONE_TABLE, Instant, Json, metadata
from vitrine.platform.tables import Id

databoxes = Table(
    "databoxes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("view_name", String(128), nullable=False),
    Column("labels", Json, nullable=False),
    Column("version", String(20), nullable=False, server_default="4.1.0"),
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("next_record", Id, nullable=False, server_default="1"),
    Column("next_collection", Id, nullable=False, server_default="1"),
    Column("registration_open", Boolean, nullable=False, server_default="0", comment="people may ask for access"),
    Column("logo", Json, nullable=True, comment="{sha256, mime, width, height, size} of a picture"),
    Column("terms_number", Id, nullable=False, server_default="0", comment="version of its terms of use; 0: none"),
    Column("terms_required", Id, nullable=False, server_default="0", comment="the oldest version that counts"),
    Column("revision", Id, nullable=False, server_default="1", comment="increased by each change; tells two editors"),
    Column("created", Instant, nullable=False),
    sqlite_autoincrement=True,
)

collections = Table(
    "collections",
    metadata,
    Column("id", Id, primary_key=True, comment="base_id on the wire"),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("number", Id, nullable=False, comment="collection_id on the wire, unique inside its databox"),
    Column("name", String(128), nullable=False),
    Column("labels", Json, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default="1"),
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("public_presentation", String(8), nullable=False, server_default="none"),
    Column("default_status", BigInteger, nullable=False, server_default="0"),
    Column("watermark", String(64), nullable=True, comment="SHA-256 of the picture laid over previews"),
    Column("stamp", Json, nullable=True, comment="blocks of the stamp: texts and pictures in order"),
    Column("public_by_link", Boolean, nullable=False, server_default="1", comment="what records that are added get"),
    Column("registration_open", Boolean, nullable=True, comment="people may ask for access; null: as the databox"),
    Column("logo", Json, nullable=True, comment="{sha256, mime, width, height, size} of a picture"),
    Column("revision", Id, nullable=False, server_default="1", comment="increased by each change; tells two editors"),
    Column("created", Instant, nullable=False),
    UniqueConstraint("databox_id", "number"),
    sqlite_autoincrement=True,
)

collection_counts = Table(
    "collection_counts",
    metadata,
    Column(
        "collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Column("records", Id, nullable=False),
    comment="number of records; the rows of collection_count_deltas are not in it yet",
)

collection_count_deltas = Table(
    "collection_count_deltas",
    metadata,
    Column("id", Id, primary_key=True),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("delta", Id, nullable=False),
    sqlite_autoincrement=True,
    comment="records added to a collection or removed from it; the deferred writes add them up",
)

fields = Table(
    "fields",
    metadata,
    Column("id", Id, primary_key=True, comment="meta_structure_id on the wire"),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("labels", Json, nullable=False),
    Column("type", String(8), nullable=False, server_default="string"),
    Column("multi", Boolean, nullable=False, server_default="0"),
    Column("separator", String(8), nullable=False, server_default=""),
    Column("source", String(80), nullable=False, server_default="", comment="the tag it is read from and written to"),
    Column("fallbacks", Json, nullable=False, comment="tags tried in order when the source is empty"),
    Column("readonly", Boolean, nullable=False, server_default="0"),
    Column("required", Boolean, nullable=False, server_default="0"),
    Column("business", Boolean, nullable=False, server_default="0"),
    Column("indexable", Boolean, nullable=False, server_default="1"),
    Column("aggregable", BigInteger, nullable=False, server_default="0"),
    Column("thumbtitle", Boolean, nullable=False, server_default="0"),
    Column("dces_element", String(16), nullable=True),
    Column("thesaurus_branch", Text, nullable=False, server_default=""),
    Column("generate_cterms", Boolean, nullable=False, server_default="0"),
    Column("vocabulary_type", String(40), nullable=True),
    Column("vocabulary_restricted", Boolean, nullable=False, server_default="0"),
    Column("report", Boolean, nullable=False, server_default="1"),
    Column("gui_editable", Boolean, nullable=False, server_default="1"),
    Column("gui_visible", Boolean, nullable=False, server_default="1"),
    Column("printable", Boolean, nullable=False, server_default="1"),
    Column("input_disable", Boolean, nullable=False, server_default="0"),
    Column("sort_slot", Integer, nullable=True, comment="slot of the index when people may sort by the field"),
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("title_language", String(2), nullable=True, comment="with thumbtitle: part of titles in this language only"),
    Column("removed", Boolean, nullable=False, server_default="0", comment="deleted; a job still deletes its values"),
    Column("revision", Id, nullable=False, server_default="1", comment="increased by each change; tells two editors"),
    UniqueConstraint("databox_id", "name"),
    sqlite_autoincrement=True,
)

status_bits = Table(
    "status_bits",
    metadata,
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), primary_key=True),
    Column("bit", Integer, primary_key=True, comment="4 to 31"),
    Column("label_on", String(128), nullable=False, server_default=""),
    Column("label_off", String(128), nullable=False, server_default=""),
    Column("labels_on", Json, nullable=False),
    Column("labels_off", Json, nullable=False),
    Column("searchable", Boolean, nullable=False, server_default="0"),
    Column("printable", Boolean, nullable=False, server_default="0"),
    Column("icon_on", Json, nullable=True, comment="{sha256, mime, width, height, size} of a picture"),
    Column("icon_off", Json, nullable=True),
    Column("revision", Id, nullable=False, server_default="1", comment="increased by each change; tells two editors"),
)

recipes = Table(
    "recipes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("group", String(12), nullable=False, comment="kind of record it is for: image, video, …"),
    Column("name", String(64), nullable=False),
    Column("klass", String(12), nullable=False, comment="thumbnail, preview or document: the right it asks for"),
    Column("mediatype", String(12), nullable=False, comment="what is made: image, gif, video, audio, pdf"),
    Column("devices", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("options", Json, nullable=False),
    Column("presets", String(64), nullable=True),
    Column("downloadable", Boolean, nullable=False, server_default="1"),
    Column("orderable", Boolean, nullable=False, server_default="1"),
    Column("substituable", Boolean, nullable=False, server_default="0"),
    Column("tobuild", Boolean, nullable=False, server_default="1"),
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("revision", Id, nullable=False, server_default="1", comment="increased by each change; tells two editors"),
    UniqueConstraint("databox_id", "group", "name"),
    sqlite_autoincrement=True,
)

suggested_values = Table(
    "suggested_values",
    metadata,
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("field_id", Id, ForeignKey("fields.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("values", Json, nullable=False, comment="in the order of the lists that editors show"),
    comment="values that are offered while a field is filled in, by collection",
)

structure_tasks = Table(
    "structure_tasks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("details", Json, nullable=False, comment="what is done, in the words of its kind"),
    Column("state", String(8), nullable=False, comment="waiting, running or done"),
    Column("cursor", Id, nullable=False, server_default="0", comment="the last row that was looked at"),
    Column("total", Id, nullable=True, comment="how many rows there were at the beginning, about"),
    Column("done", Id, nullable=False, server_default="0", comment="rows that were looked at"),
    Column("changed", Id, nullable=False, server_default="0"),
    Column("failed", Id, nullable=False, server_default="0"),
    Column("failures", Json, nullable=False, comment="[{record, code, detail}], the first hundred"),
    Column("user_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Index("ix_structure_tasks_databox_id_id", "databox_id", "id"),
    Index("ix_structure_tasks_updated", "updated"),
    sqlite_autoincrement=True,
    comment="work on many records that follows from a change of the structure, and how far it is",
)

terms_versions = Table(
    "terms_versions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("number", Id, nullable=False, comment="1, 2, … in its databox"),
    Column("must_accept", Boolean, nullable=False, comment="an acceptance of an earlier version no longer counts"),
    Column("publisher_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("published", Instant, nullable=False),
    UniqueConstraint("databox_id", "number"),
    sqlite_autoincrement=True,
    comment="terms of use of a databox; the highest number is in force",
)

terms_texts = Table(
    "terms_texts",
    metadata,
    Column("version_id", Id, ForeignKey("terms_versions.id", ondelete="CASCADE"), primary_key=True),
    Column("language", String(2), primary_key=True),
    Column("html", Text, nullable=False, comment="sanitized"),
)

terms_acceptances = Table(
    "terms_acceptances",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Id, primary_key=True, comment="of the version"),
    Column("accepted", Instant, nullable=False),
    Index("ix_terms_acceptances_databox_id_user_id", "databox_id", "user_id", "number"),
    comment="who accepted which version of the terms of use, and when",
)

records = Table(
    "records",
    metadata,
    Column("id", Id, primary_key=True, comment="unique in the instance; never on the wire"),
    Column("databox_id", Id, ForeignKey("databoxes.id"), nullable=False),
    Column("number", Id, nullable=False, comment="record_id on the wire, unique inside its databox"),
    Column("collection_id", Id, ForeignKey("collections.id"), nullable=False),
    Column("is_story", Boolean, nullable=False, server_default="0"),
    Column(
        "cover_record_id",
        Id,
        ForeignKey("records.id", ondelete="SET NULL", **WITHIN_ONE_TABLE),
        nullable=True,
    ),
    Column("kind", String(12), nullable=False),
    Column("mime", String(120), nullable=True),
    Column("original_name", String(255), nullable=True),
    Column("original_name_folded", String(255), nullable=True, comment="as it is compared without case; maybe cut"),
    Column("title", Text, nullable=False),
    Column("uuid", String(36), nullable=False),
    Column("sha256", String(64), nullable=True),
    Column("size", Id, nullable=True),
    Column("status", Id, nullable=False, server_default="0"),
    Column("technical", Text, nullable=False, comment="JSON list of {name, value}, in the words of the wire"),
    Column("width", BigInteger, nullable=True),
    Column("height", BigInteger, nullable=True),
    Column("duration_ms", Id, nullable=True),
    Column("creator_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True),
    Column(
        "public_by_link",
        Boolean,
        nullable=False,
        server_default="1",
        comment="off: no permalink of the record opens anything, whatever its own switch says",
    ),
    Column("public_before_bin", Boolean, nullable=True, comment="public_by_link as it was outside the bin"),
    Column("titles", Json, nullable=True, comment="{language: title} where the databox has titles by language"),
    Column(
        "in_public_feed",
        Boolean,
        nullable=False,
        server_default="0",
        comment="its preview and thumbnail are free; kept right by the feeds (docs/decisions/0133)",
    ),
    Column(
        "rotation",
        Integer,
        nullable=False,
        server_default="0",
        comment="degrees by which renditions are turned clockwise",
    ),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    UniqueConstraint("databox_id", "number"),
    Index("ix_records_collection", "collection_id", "created"),
    Index("ix_records_sha256", "sha256"),
    Index("ix_records_uuid", "uuid"),
    Index("ix_records_databox_id_original_name_folded", "databox_id", "original_name_folded", "id"),
    sqlite_autoincrement=True,
)

# A deletion looks up its children in these; records without a parent pay for no entry (docs/decisions/0093).
for _column in (records.c.cover_record_id, records.c.creator_id):
    _some = _column.is_not(None)
    Index(f"ix_records_{_column.name}", _column, sqlite_where=_some, postgresql_where=_some)

story_children = Table(
    "story_children",
    metadata,
    Column("story_id", Id, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column(
        "child_id", Id, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    ),
    Column("position", BigInteger, nullable=False, comment="children are in the order of (position, child_id)"),
    Column("thumbnail_source", String(64), nullable=True, comment="of the cover: its file that the story shows"),
    Column("preview_source", String(64), nullable=True, comment="the same for the larger picture"),
    Index("ix_story_children_place", "story_id", "position", "child_id"),
)

field_values = Table(
    "field_values",
    metadata,
    Column("id", Id, primary_key=True, comment="meta_id on the wire"),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False),
    Column("field_id", Id, ForeignKey("fields.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("value", Text, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    Index("ix_field_values_record", "record_id", "field_id", "position"),
    sqlite_autoincrement=True,
)

renditions = Table(
    "renditions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False, comment="`document` is the original"),
    Column("state", String(8), nullable=False, comment="waiting, ready or failed"),
    Column("sha256", String(64), nullable=True),
    Column("mime", String(120), nullable=False, server_default=""),
    Column("extension", String(12), nullable=False, server_default=""),
    Column("width", BigInteger, nullable=False, server_default="0"),
    Column("height", BigInteger, nullable=False, server_default="0"),
    Column("size", Id, nullable=False, server_default="0"),
    Column("substituted", Boolean, nullable=False, server_default="0"),
    Column("failure", String(40), nullable=True, comment="code of what went wrong the last time"),
    Column("failure_detail", Text, nullable=True),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    UniqueConstraint("record_id", "name"),
    Index("ix_renditions_sha256", "sha256"),
    Index("ix_renditions_state", "state"),
    sqlite_autoincrement=True,
)

document_texts = Table(
    "document_texts",
    metadata,
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True),
    Column("pages", BigInteger, nullable=True, comment="of the original, where it has any"),
    Column("text", Text, nullable=False, comment="the words in the file, at most 200,000 characters, for the search"),
    comment="apart from records, so that no list of records carries it",
)

permalinks = Table(
    "permalinks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("token", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("activated", Boolean, nullable=False, server_default="1"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    UniqueConstraint("record_id", "name"),
    sqlite_autoincrement=True,
    comment="one per (record, rendition); outlives re-building, so its rendition may be missing for a while",
)

quarantine_items = Table(
    "quarantine_items",
    metadata,
    Column("id", Id, primary_key=True),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("session", String(36), nullable=False, index=True, comment="one upload of several files shares it"),
    Column("original_name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("uuid", String(36), nullable=False),
    Column("size", Id, nullable=False),
    Column("mime", String(120), nullable=False),
    Column("forced", Boolean, nullable=False, server_default="0"),
    Column("checks", Json, nullable=False, comment="{checker: [record ids it clashes with]}"),
    Column("attributes", Json, nullable=False, comment="fields and status to use when it is accepted"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Index("ix_quarantine_items_newest", "collection_id", "id"),
    sqlite_autoincrement=True,
)

removed_records = Table(
    "removed_records",
    metadata,
    Column("id", Id, primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("number", Id, nullable=False),
    Column("title", Text, nullable=False),
    Column("removed_at", Instant, nullable=False, index=True),
    Column("removed_by", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("kept", Json, nullable=False, comment="the rows of the record, its values, renditions and permalinks"),
    UniqueConstraint("databox_id", "number"),
    sqlite_autoincrement=True,
    comment="deleted records that a command can bring back for seven days",
)

removed_files = Table(
    "removed_files",
    metadata,
    Column("removed_id", Id, ForeignKey("removed_records.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String(64), primary_key=True, index=True),
    comment="bytes that the sweep must leave while their record may come back",
)

derived_files = Table(
    "derived_files",
    metadata,
    Column("source", String(64), primary_key=True, comment="SHA-256 of what it was made from"),
    Column("recipe", String(40), primary_key=True, comment="digest of how it was made: kind, texts, pictures, version"),
    Column("sha256", String(64), nullable=False, index=True),
    Column("mime", String(120), nullable=False),
    Column("extension", String(12), nullable=False),
    Column("size", Id, nullable=False),
    Column("created", Instant, nullable=False),
    comment="copies made on demand (marked pictures, pictures of quarantined files); may be made again at any time",
)

quarantine_checks = Table(
    "quarantine_checks",
    metadata,
    Column("scope", String(12), primary_key=True, comment="instance, databox or collection"),
    Column("scope_id", Id, primary_key=True, autoincrement=False, comment="0 for the instance"),
    Column("policy", Json, nullable=False, comment="{check: {on, …options}}"),
)

bulk_operations = Table(
    "bulk_operations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), nullable=True),
    Column("delegation_id", Id, ForeignKey("delegations.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("change", Json, nullable=False, comment="what is done to each record"),
    Column("undoes_id", Id, nullable=True, comment="the operation that this one takes back"),
    Column("state", String(10), nullable=False, comment="waiting, running, done, cancelled or ended"),
    Column("total", Id, nullable=False),
    Column("next_position", Id, nullable=False, server_default="0", comment="those before it are done"),
    Column("changed", Id, nullable=False, server_default="0"),
    Column("refused", Id, nullable=False, server_default="0"),
    Column("created", Instant, nullable=False, index=True),
    Column("updated", Instant, nullable=False),
    Index("ix_bulk_operations_user_id_id", "user_id", "id"),
    sqlite_autoincrement=True,
    comment="one change of many records, done by a job",
)

bulk_items = Table(
    "bulk_items",
    metadata,
    Column("operation_id", Id, ForeignKey("bulk_operations.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Id, primary_key=True, autoincrement=False),
    Column("databox_id", Id, nullable=False),
    Column("number", Id, nullable=False),
    Column("change_id", Id, nullable=True, comment="of record_changes: what an undo takes back"),
    Column("outcome", String(40), nullable=True, comment="changed, unchanged, or the code of the refusal"),
    comment="the records of an operation, and what became of each",
)

rules = Table(
    "rules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(128), nullable=False),
    Column("criteria", Json, nullable=False, comment="which records it concerns"),
    Column("action", Json, nullable=False, comment="what it does to them"),
    Column("enabled", Boolean, nullable=False, server_default="0"),
    Column("interval_minutes", BigInteger, nullable=False),
    Column("delegation_id", Id, ForeignKey("delegations.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("cursor", Json, nullable=True, comment="where the last run stopped before the end"),
    Column("next_run", Instant, nullable=True, comment="null while it is off"),
    Column("ended", String(40), nullable=True, comment="code of why it was switched off by itself"),
    Column("revision", Id, nullable=False, server_default="1", comment="increased by each change; tells two editors"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    Index("ix_rules_databox_id_id", "databox_id", "id"),
    sqlite_autoincrement=True,
    comment="changes that are made to records of a databox whenever they meet criteria",
)
Index(
    "ix_rules_next_run",
    rules.c.next_run,
    sqlite_where=rules.c.next_run.is_not(None),
    postgresql_where=rules.c.next_run.is_not(None),
)

rule_runs = Table(
    "rule_runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("rule_id", Id, ForeignKey("rules.id", ondelete="CASCADE"), nullable=False),
    Column("delegation_id", Id, ForeignKey("delegations.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("by_hand", Boolean, nullable=False),
    Column("is_over", Boolean, nullable=False, server_default="0", comment="its records are found"),
    Column("looked_at", Id, nullable=False, server_default="0"),
    Column("matched", Id, nullable=False, server_default="0"),
    Column("refused", Id, nullable=False, server_default="0", comment="records on which a right is missing"),
    Column("held", Id, nullable=False, server_default="0", comment="records that it changed too often"),
    Column("has_more", Boolean, nullable=False, server_default="0", comment="the next run goes on where it stopped"),
    Column("outcome", String(40), nullable=True, comment="code of why it did nothing"),
    Column("operation_id", Id, ForeignKey("bulk_operations.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("created", Instant, nullable=False, index=True),
    Column("ended", Instant, nullable=True),
    Index("ix_rule_runs_rule_id_id", "rule_id", "id"),
    sqlite_autoincrement=True,
    comment="what a rule did each time",
)

hot_folders = Table(
    "hot_folders",
    metadata,
    Column("id", Id, primary_key=True),
    Column("path", String(1000), nullable=False, unique=True),
    Column("collection_id", Id, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("mask", String(200), nullable=False, comment="of names, separated by ;"),
    Column("sidecar_mask", String(200), nullable=False, comment="empty: no sidecars"),
    Column("deletes", Boolean, nullable=False, server_default="0", comment="what was taken is deleted, not moved"),
    Column("is_enabled", Boolean, nullable=False, server_default="1"),
    Column("fault", Text, nullable=False, server_default="", comment="why it cannot be used at the moment"),
    Column("taken", Id, nullable=False, server_default="0", comment="files, since it was made"),
    Column("failed", Id, nullable=False, server_default="0"),
    Column("last_taken", Instant, nullable=True),
    Column("holder", String(80), nullable=True, comment="the worker that looks after it, while it lives"),
    Column("delegation_id", Id, ForeignKey("delegations.id", ondelete="SET NULL"), nullable=True, index=True),
    Column("revision", Id, nullable=False, server_default="1"),
    Column("created", Instant, nullable=False),
    Column("updated", Instant, nullable=False),
    sqlite_autoincrement=True,
    comment="folders of the server whose files become records by themselves",
)

record_changes = Table(
    "record_changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("databox_id", Id, ForeignKey("databoxes.id", ondelete="CASCADE"), nullable=False),
    Column("number", Id, nullable=False, comment="of a record that may be deleted"),
    Column("kind", String(12), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True),
    Column("application_id", Id, ForeignKey("applications.id", ondelete="SET NULL"), nullable=True),
    Column("operation_id", Id, ForeignKey("bulk_operations.id", ondelete="SET NULL"), nullable=True),
    Column("undoes_id", Id, nullable=True, comment="the change that this one takes back"),
    Column("is_cut", Boolean, nullable=False, server_default="0", comment="texts are shortened: it cannot be undone"),
    Column("before", Json, nullable=False),
    Column("after", Json, nullable=False),
    Index("ix_record_changes_databox_id_number_id", "databox_id", "number", "id"),
    sqlite_autoincrement=True,
    comment="who changed what of a record: written in the transaction of the change",
)
for _column in (
    record_changes.c.user_id, record_changes.c.application_id, record_changes.c.operation_id,
    record_changes.c.undoes_id,
):  # fmt: skip
    _some = _column.is_not(None)
    Index(f"ix_record_changes_{_column.name}", _column, sqlite_where=_some, postgresql_where=_some)

original_versions = Table(
    "original_versions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("mime", String(120), nullable=False),
    Column("size", Id, nullable=False),
    Column("kept", Json, nullable=False, comment="columns of the record, its original and its text"),
    Column("replaced_at", Instant, nullable=False, index=True),
    Column("replaced_by", Id, ForeignKey("users.id", ondelete="SET NULL"), nullable=True),
    sqlite_autoincrement=True,
    comment="originals that were replaced, until their time is over",
)
Index(
    "ix_original_versions_replaced_by",
    original_versions.c.replaced_by,
    sqlite_where=original_versions.c.replaced_by.is_not(None),
    postgresql_where=original_versions.c.replaced_by.is_not(None),
)
