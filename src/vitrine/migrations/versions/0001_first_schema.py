"""The first schema: see docs/decisions/0002-data-model.md."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Instant, Json
from vitrine.platform.tables import Id

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("application_id", Id, nullable=True),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("object", sa.String(length=200), server_default="", nullable=False),
        sa.Column("details", Json(), nullable=True),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        comment="who changed or saw what matters; written in the transaction of the change, kept when users go",
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_log_at"), ["at"], unique=False)

    op.create_table(
        "databoxes",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("view_name", sa.String(length=128), nullable=False),
        sa.Column("labels", Json(), nullable=False),
        sa.Column("version", sa.String(length=20), server_default="4.1.0", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_record", Id, server_default="1", nullable=False),
        sa.Column("next_collection", Id, server_default="1", nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_databoxes")),
        sa.UniqueConstraint("name", name=op.f("uq_databoxes_name")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("lane", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default="5", nullable=False),
        sa.Column("run_after", Instant(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("leased_by", sa.String(length=80), nullable=True),
        sa.Column("dead_at", Instant(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        comment="written in the transaction of the change, leased, retried with back-off, deleted only when done",
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_jobs_ready", ["lane", "priority", "run_after"], unique=False, sqlite_where=sa.text("dead_at IS NULL")
        )
        batch_op.create_index(
            "uq_jobs_waiting_key",
            ["kind", "key"],
            unique=True,
            sqlite_where=sa.text("key IS NOT NULL AND leased_until IS NULL AND dead_at IS NULL"),
            postgresql_where=sa.text("key IS NOT NULL AND leased_until IS NULL AND dead_at IS NULL"),
        )

    op.create_table(
        "request_log",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("account_id", Id, nullable=True),
        sa.Column("application_id", Id, nullable=True),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("route", sa.String(length=200), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("duration_us", sa.Integer(), nullable=False),
        sa.Column("habits", sa.String(length=120), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_log")),
        comment="API calls, written every two seconds; no bodies, no queries",
    )
    with op.batch_alter_table("request_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_log_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_log_at"), ["at"], unique=False)

    op.create_table(
        "sign_in_failures",
        sa.Column("id", Id, nullable=False),
        sa.Column("login_folded", sa.String(length=128), nullable=False),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_failures_address", ["address", "at"], unique=False)
        batch_op.create_index("ix_sign_in_failures_login", ["login_folded", "at"], unique=False)

    op.create_table(
        "stamps",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", Id, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stamps")),
        comment="counters that tell caches of other processes when to read again",
    )
    op.create_table(
        "users",
        sa.Column("id", Id, nullable=False),
        sa.Column("login", sa.String(length=128), nullable=False),
        sa.Column("login_folded", sa.String(length=128), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_folded", sa.String(length=254), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("first_name", sa.String(length=128), server_default="", nullable=False),
        sa.Column("last_name", sa.String(length=128), server_default="", nullable=False),
        sa.Column("gender", sa.Integer(), nullable=True, comment="0 Miss, 1 Mrs, 2 Mr (contract 06 section 16)"),
        sa.Column("address", sa.String(length=255), server_default="", nullable=False),
        sa.Column("zip_code", sa.String(length=64), server_default="", nullable=False),
        sa.Column("city", sa.String(length=128), server_default="", nullable=False),
        sa.Column("country", sa.String(length=64), server_default="", nullable=False),
        sa.Column("geoname_id", sa.Integer(), nullable=True),
        sa.Column("phone", sa.String(length=64), server_default="", nullable=False),
        sa.Column("fax", sa.String(length=64), server_default="", nullable=False),
        sa.Column("job", sa.String(length=128), server_default="", nullable=False),
        sa.Column("activity", sa.String(length=128), server_default="", nullable=False),
        sa.Column("company", sa.String(length=128), server_default="", nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=True),
        sa.Column("is_admin", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("is_guest", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("mail_locked", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("preferences", Json(), nullable=True),
        sa.Column("rights_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "url_key",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="generation of the key of signed addresses",
        ),
        sa.Column("last_connection", Instant(), nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login_folded", name=op.f("uq_users_login_folded")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_users_email_folded"), ["email_folded"], unique=False)

    op.create_table(
        "applications",
        sa.Column("id", Id, nullable=False),
        sa.Column("creator_id", Id, nullable=True),
        sa.Column("type", sa.String(length=8), nullable=False, comment="web or desktop, as on the wire"),
        sa.Column(
            "profile",
            sa.String(length=16),
            nullable=False,
            comment="compatibility, strict, desktop or public (design 5.3)",
        ),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("website", sa.Text(), nullable=False),
        sa.Column("client_id", sa.String(length=128), nullable=False),
        sa.Column("activated", sa.Boolean(), server_default="1", nullable=False),
        sa.Column(
            "switches", Json(), nullable=False, comment="{name of a switch of design 5.3: true or false}, where chosen"
        ),
        sa.Column("list_shapes", sa.String(length=12), server_default="automatic", nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["creator_id"], ["users.id"], name=op.f("fk_applications_creator_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("client_id", name=op.f("uq_applications_client_id")),
    )
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_applications_creator_id"), ["creator_id"], unique=False)

    op.create_table(
        "collections",
        sa.Column("id", Id, nullable=False, comment="base_id on the wire"),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False, comment="collection_id on the wire, unique inside its databox"),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("labels", Json(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("public_presentation", sa.String(length=8), server_default="none", nullable=False),
        sa.Column("default_status", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["databox_id"], ["databoxes.id"], name=op.f("fk_collections_databox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("databox_id", "number", name=op.f("uq_collections_databox_id_number")),
    )
    op.create_table(
        "databox_rights",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("rights", sa.Integer(), nullable=False, comment="bit mask, accounts.rights.DataboxRight"),
        sa.ForeignKeyConstraint(
            ["databox_id"], ["databoxes.id"], name=op.f("fk_databox_rights_databox_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_databox_rights_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "databox_id", name=op.f("pk_databox_rights")),
    )
    with op.batch_alter_table("databox_rights", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_databox_rights_databox_id"), ["databox_id"], unique=False)

    op.create_table(
        "fields",
        sa.Column("id", Id, nullable=False, comment="meta_structure_id on the wire"),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("labels", Json(), nullable=False),
        sa.Column("type", sa.String(length=8), server_default="string", nullable=False),
        sa.Column("multi", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("separator", sa.String(length=8), server_default="", nullable=False),
        sa.Column(
            "source",
            sa.String(length=80),
            server_default="",
            nullable=False,
            comment="the tag it is read from and written to",
        ),
        sa.Column("fallbacks", Json(), nullable=False, comment="tags tried in order when the source is empty"),
        sa.Column("readonly", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("required", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("business", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("indexable", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("aggregable", sa.Integer(), server_default="0", nullable=False),
        sa.Column("thumbtitle", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("dces_element", sa.String(length=16), nullable=True),
        sa.Column("thesaurus_branch", sa.Text(), server_default="", nullable=False),
        sa.Column("generate_cterms", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("vocabulary_type", sa.String(length=40), nullable=True),
        sa.Column("vocabulary_restricted", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("report", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("gui_editable", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("gui_visible", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("printable", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("input_disable", sa.Boolean(), server_default="0", nullable=False),
        sa.Column(
            "sort_slot", sa.Integer(), nullable=True, comment="slot of the index when people may sort by the field"
        ),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["databox_id"], ["databoxes.id"], name=op.f("fk_fields_databox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fields")),
        sa.UniqueConstraint("databox_id", "name", name=op.f("uq_fields_databox_id_name")),
    )
    op.create_table(
        "recipes",
        sa.Column("id", Id, nullable=False),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("group", sa.String(length=12), nullable=False, comment="kind of record it is for: image, video, …"),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column(
            "klass",
            sa.String(length=12),
            nullable=False,
            comment="thumbnail, preview or document: the right it asks for",
        ),
        sa.Column(
            "mediatype", sa.String(length=12), nullable=False, comment="what is made: image, gif, video, audio, pdf"
        ),
        sa.Column("devices", Json(), nullable=False),
        sa.Column("labels", Json(), nullable=False),
        sa.Column("options", Json(), nullable=False),
        sa.Column("presets", sa.String(length=64), nullable=True),
        sa.Column("downloadable", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("orderable", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("substituable", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("tobuild", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["databox_id"], ["databoxes.id"], name=op.f("fk_recipes_databox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipes")),
        sa.UniqueConstraint("databox_id", "group", "name", name=op.f("uq_recipes_databox_id_group_name")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("proved_at", Instant(), nullable=False, comment="when the password was last given"),
        sa.Column("last_seen", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.Column("agent", sa.String(length=255), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "status_bits",
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("bit", sa.Integer(), nullable=False, comment="4 to 31"),
        sa.Column("label_on", sa.String(length=128), server_default="", nullable=False),
        sa.Column("label_off", sa.String(length=128), server_default="", nullable=False),
        sa.Column("labels_on", Json(), nullable=False),
        sa.Column("labels_off", Json(), nullable=False),
        sa.Column("searchable", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("printable", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["databox_id"], ["databoxes.id"], name=op.f("fk_status_bits_databox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("databox_id", "bit", name=op.f("pk_status_bits")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("api_version", sa.String(length=8), server_default="2.0.0", nullable=False),
        sa.Column(
            "granted_at", Instant(), nullable=True, comment="when the person last allowed it; never: no consent given"
        ),
        sa.Column(
            "granted_scope", Json(), nullable=True, comment="what was allowed; null is everything (compatibility)"
        ),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("last_used", Instant(), nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_accounts_application_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_accounts_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("user_id", "application_id", name=op.f("uq_accounts_user_id_application_id")),
        comment="one person's grant to one application (01 section 2.1)",
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_application_id"), ["application_id"], unique=False)

    op.create_table(
        "application_secrets",
        sa.Column("id", Id, nullable=False),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False, comment="encrypted under the server key, for the settings page"),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=True, comment="set on the old one by a rotation"),
        sa.Column("last_used", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_application_secrets_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_secrets")),
    )
    with op.batch_alter_table("application_secrets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_secrets_application_id"), ["application_id"], unique=False)

    op.create_table(
        "collection_rights",
        sa.Column("user_id", Id, nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("rights", sa.Integer(), nullable=False, comment="bit mask, accounts.rights.Right"),
        sa.Column("valid_from", Instant(), nullable=True),
        sa.Column("valid_until", Instant(), nullable=True),
        sa.Column("mask_and", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mask_xor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("monthly_downloads", sa.Integer(), nullable=True),
        sa.Column("remaining_downloads", sa.Integer(), nullable=True),
        sa.Column("refilled", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_collection_rights_collection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_collection_rights_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "collection_id", name=op.f("pk_collection_rights")),
        comment="06 section 17.1 and 17.4; a row is access, the bit `actif` makes it live",
    )
    with op.batch_alter_table("collection_rights", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_collection_rights_collection_id"), ["collection_id"], unique=False)

    op.create_table(
        "quarantine_items",
        sa.Column("id", Id, nullable=False),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("session", sa.String(length=36), nullable=False, comment="one upload of several files shares it"),
        sa.Column("original_name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("size", Id, nullable=False),
        sa.Column("mime", sa.String(length=120), nullable=False),
        sa.Column("forced", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("checks", Json(), nullable=False, comment="{checker: [record ids it clashes with]}"),
        sa.Column("attributes", Json(), nullable=False, comment="fields and status to use when it is accepted"),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_quarantine_items_collection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_quarantine_items_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_items")),
    )
    with op.batch_alter_table("quarantine_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quarantine_items_collection_id"), ["collection_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quarantine_items_sha256"), ["sha256"], unique=False)

    op.create_table(
        "records",
        sa.Column("id", Id, nullable=False, comment="unique in the instance; never on the wire"),
        sa.Column("databox_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False, comment="record_id on the wire, unique inside its databox"),
        sa.Column("collection_id", Id, nullable=False),
        sa.Column("is_story", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("cover_record_id", Id, nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("mime", sa.String(length=120), nullable=True),
        sa.Column("original_name", sa.String(length=255), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", Id, nullable=True),
        sa.Column("status", Id, server_default="0", nullable=False),
        sa.Column(
            "technical", sa.Text(), nullable=False, comment="JSON list of {name, value}, in the words of the wire"
        ),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("duration_ms", Id, nullable=True),
        sa.Column("creator_id", Id, nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name=op.f("fk_records_collection_id")),
        sa.ForeignKeyConstraint(
            ["cover_record_id"], ["records.id"], name=op.f("fk_records_cover_record_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_records_creator_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["databox_id"], ["databoxes.id"], name=op.f("fk_records_databox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
        sa.UniqueConstraint("databox_id", "number", name=op.f("uq_records_databox_id_number")),
    )
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.create_index("ix_records_collection", ["collection_id", "created"], unique=False)
        batch_op.create_index("ix_records_sha256", ["sha256"], unique=False)
        batch_op.create_index("ix_records_uuid", ["uuid"], unique=False)

    op.create_table(
        "redirect_addresses",
        sa.Column("id", Id, nullable=False),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column(
            "position", sa.Integer(), server_default="0", nullable=False, comment="0 is the callback URL of the portal"
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_redirect_addresses_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redirect_addresses")),
        sa.UniqueConstraint("application_id", "uri", name=op.f("uq_redirect_addresses_application_id_uri")),
    )
    with op.batch_alter_table("redirect_addresses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_redirect_addresses_application_id"), ["application_id"], unique=False)

    op.create_table(
        "authorization_codes",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", Json(), nullable=True),
        sa.Column("code_challenge", sa.String(length=128), nullable=True, comment="S256 only (RFC 7636 section 4.2)"),
        sa.Column("issued", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_authorization_codes_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_codes")),
        sa.UniqueConstraint("digest", name=op.f("uq_authorization_codes_digest")),
    )
    with op.batch_alter_table("authorization_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authorization_codes_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_authorization_codes_expires"), ["expires"], unique=False)

    op.create_table(
        "consents",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=False, comment="allow, deny or revoke"),
        sa.Column("scope", Json(), nullable=True),
        sa.Column(
            "shown", Json(), nullable=False, comment="name, description, website and return address as they were shown"
        ),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_consents_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        comment="every decision a person took about an application (design 5.2)",
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_account_id"), ["account_id"], unique=False)

    op.create_table(
        "field_values",
        sa.Column("id", Id, nullable=False, comment="meta_id on the wire"),
        sa.Column("record_id", Id, nullable=False),
        sa.Column("field_id", Id, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["field_id"], ["fields.id"], name=op.f("fk_field_values_field_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_field_values_record_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_values")),
    )
    with op.batch_alter_table("field_values", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_field_values_field_id"), ["field_id"], unique=False)
        batch_op.create_index("ix_field_values_record", ["record_id", "field_id", "position"], unique=False)

    op.create_table(
        "permalinks",
        sa.Column("id", Id, nullable=False),
        sa.Column("record_id", Id, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("activated", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_permalinks_record_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permalinks")),
        sa.UniqueConstraint("record_id", "name", name=op.f("uq_permalinks_record_id_name")),
        comment="one per (record, rendition); outlives re-building, so its rendition may be missing for a while",
    )
    op.create_table(
        "record_grants",
        sa.Column("id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("record_id", Id, nullable=False),
        sa.Column(
            "document",
            sa.Boolean(),
            server_default="0",
            nullable=False,
            comment="the original too; every grant has preview",
        ),
        sa.Column("reason", sa.String(length=20), nullable=False, comment="push, validate, order, share"),
        sa.Column("giver_id", Id, nullable=True),
        sa.Column("expires", Instant(), nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["giver_id"], ["users.id"], name=op.f("fk_record_grants_giver_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_record_grants_record_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_record_grants_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_grants")),
        sa.UniqueConstraint(
            "user_id",
            "record_id",
            "reason",
            "giver_id",
            name=op.f("uq_record_grants_user_id_record_id_reason_giver_id"),
        ),
        comment="several grants stand side by side with their reasons, the best counts (06 section 17.5)",
    )
    with op.batch_alter_table("record_grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_record_grants_record_id"), ["record_id"], unique=False)

    op.create_table(
        "renditions",
        sa.Column("id", Id, nullable=False),
        sa.Column("record_id", Id, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False, comment="`document` is the original"),
        sa.Column("state", sa.String(length=8), nullable=False, comment="waiting, ready or failed"),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("mime", sa.String(length=120), server_default="", nullable=False),
        sa.Column("extension", sa.String(length=12), server_default="", nullable=False),
        sa.Column("width", sa.Integer(), server_default="0", nullable=False),
        sa.Column("height", sa.Integer(), server_default="0", nullable=False),
        sa.Column("size", Id, server_default="0", nullable=False),
        sa.Column("substituted", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("failure", sa.String(length=40), nullable=True, comment="code of what went wrong the last time"),
        sa.Column("failure_detail", sa.Text(), nullable=True),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("updated", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_renditions_record_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renditions")),
        sa.UniqueConstraint("record_id", "name", name=op.f("uq_renditions_record_id_name")),
    )
    with op.batch_alter_table("renditions", schema=None) as batch_op:
        batch_op.create_index("ix_renditions_sha256", ["sha256"], unique=False)
        batch_op.create_index("ix_renditions_state", ["state"], unique=False)

    op.create_table(
        "access_tokens",
        sa.Column("id", Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("code_id", Id, nullable=True),
        sa.Column(
            "is_developer",
            sa.Boolean(),
            server_default="0",
            nullable=False,
            comment="the one token of the settings page",
        ),
        sa.Column("name", sa.String(length=128), server_default="", nullable=False),
        sa.Column("scope", Json(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True, comment="encrypted, for the settings page; developer token only"),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("created", Instant(), nullable=False),
        sa.Column("expires", Instant(), nullable=True, comment="null: no end"),
        sa.Column("idle_limit_s", sa.Integer(), nullable=True, comment="dies after this long without use"),
        sa.Column("last_used", Instant(), nullable=True),
        sa.Column("last_address", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_access_tokens_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["authorization_codes.id"], name=op.f("fk_access_tokens_code_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_access_tokens_digest")),
    )
    with op.batch_alter_table("access_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_tokens_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_access_tokens_code_id"), ["code_id"], unique=False)
        batch_op.create_index("ix_access_tokens_expires", ["expires"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("access_tokens", schema=None) as batch_op:
        batch_op.drop_index("ix_access_tokens_expires")
        batch_op.drop_index(batch_op.f("ix_access_tokens_code_id"))
        batch_op.drop_index(batch_op.f("ix_access_tokens_account_id"))

    op.drop_table("access_tokens")
    with op.batch_alter_table("renditions", schema=None) as batch_op:
        batch_op.drop_index("ix_renditions_state")
        batch_op.drop_index("ix_renditions_sha256")

    op.drop_table("renditions")
    with op.batch_alter_table("record_grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_grants_record_id"))

    op.drop_table("record_grants")
    op.drop_table("permalinks")
    with op.batch_alter_table("field_values", schema=None) as batch_op:
        batch_op.drop_index("ix_field_values_record")
        batch_op.drop_index(batch_op.f("ix_field_values_field_id"))

    op.drop_table("field_values")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_account_id"))

    op.drop_table("consents")
    with op.batch_alter_table("authorization_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_authorization_codes_expires"))
        batch_op.drop_index(batch_op.f("ix_authorization_codes_account_id"))

    op.drop_table("authorization_codes")
    with op.batch_alter_table("redirect_addresses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_redirect_addresses_application_id"))

    op.drop_table("redirect_addresses")
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.drop_index("ix_records_uuid")
        batch_op.drop_index("ix_records_sha256")
        batch_op.drop_index("ix_records_collection")

    op.drop_table("records")
    with op.batch_alter_table("quarantine_items", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_items_sha256"))
        batch_op.drop_index(batch_op.f("ix_quarantine_items_collection_id"))

    op.drop_table("quarantine_items")
    with op.batch_alter_table("collection_rights", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_collection_rights_collection_id"))

    op.drop_table("collection_rights")
    with op.batch_alter_table("application_secrets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_application_secrets_application_id"))

    op.drop_table("application_secrets")
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_application_id"))

    op.drop_table("accounts")
    op.drop_table("status_bits")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_user_id"))

    op.drop_table("sessions")
    op.drop_table("recipes")
    op.drop_table("fields")
    with op.batch_alter_table("databox_rights", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_databox_rights_databox_id"))

    op.drop_table("databox_rights")
    op.drop_table("collections")
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_applications_creator_id"))

    op.drop_table("applications")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_users_email_folded"))

    op.drop_table("users")
    op.drop_table("stamps")
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_failures_login")
        batch_op.drop_index("ix_sign_in_failures_address")

    op.drop_table("sign_in_failures")
    with op.batch_alter_table("request_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_log_at"))
        batch_op.drop_index(batch_op.f("ix_request_log_application_id"))

    op.drop_table("request_log")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_jobs_waiting_key",
            sqlite_where=sa.text("key IS NOT NULL AND leased_until IS NULL AND dead_at IS NULL"),
            postgresql_where=sa.text("key IS NOT NULL AND leased_until IS NULL AND dead_at IS NULL"),
        )
        batch_op.drop_index("ix_jobs_ready", sqlite_where=sa.text("dead_at IS NULL"))

    op.drop_table("jobs")
    op.drop_table("databoxes")
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_log_at"))

    op.drop_table("audit_log")
