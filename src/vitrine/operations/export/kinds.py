"""What an export contains: one kind of lines for each table, and why the other tables have none.

A test lists all tables, so that a new one is either here or has its reason. A secret kind is written only with
credentials, encrypted. Lines are ordered by primary key.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from vitrine.accounts import tables as accounts
from vitrine.applications import tables as applications
from vitrine.library import tables as library
from vitrine.library.structure import task_store
from vitrine.library.structure.tasks import EMPTY
from vitrine.oauth import tables as oauth
from vitrine.operations import inventory
from vitrine.platform.database import UnitOfWork
from vitrine.schema import metadata

Condition = Callable[[], sa.ColumnElement[bool]]
SEALED, SECRET = "sealed", "secret"  # the column encrypted under the server key, and its member in a line


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Lines of one kind. *without*: columns that no export has. *only*: the columns besides the key, for a secret part
    of rows of another kind, which it completes. *where*: which rows. *replaced*: what stands in place of a column."""

    name: str
    table_name: str
    what: str
    is_secret: bool = False
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    where: Condition | None = None
    replaced: Mapping[str, Callable[[], sa.ColumnElement[Any]]] = field(default_factory=dict)

    @property
    def table(self) -> sa.Table:
        return metadata.tables[self.table_name]

    @property
    def path(self) -> str:
        return f"data/credentials/{self.name}.jsonl.enc" if self.is_secret else f"data/rows/{self.name}.jsonl"

    @property
    def columns(self) -> list[sa.Column[Any]]:
        key = self.key
        if self.only:
            return [self.table.c[name] for name in (*key, *self.only)]
        return [column for column in self.table.columns if column.name not in self.without]

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.primary_key)

    def select(self, *, is_sqlite: bool) -> sa.Select[Any]:
        """The rows in the order of their key; texts in the order of their bytes on both databases."""
        columns = [
            self.replaced[column.name]().label(column.name) if column.name in self.replaced else column
            for column in self.columns
        ]
        order = [
            column.collate("C") if isinstance(column.type, sa.String) and not is_sqlite else column
            for column in self.table.primary_key
        ]
        query = sa.select(*columns).order_by(*order)
        return query if self.where is None else query.where(self.where())


_tokens = oauth.access_tokens


def _is_lasting() -> sa.ColumnElement[bool]:
    """Developer tokens and other tokens that a person named. Those of a sign-in to an application come again."""
    return sa.or_(_tokens.c.is_developer, _tokens.c.name != "")


def _made_by_lasting(table: sa.Table) -> sa.ColumnElement[bool]:
    """What a token made ends with it (docs/decisions/0080), so it goes along only where the token does."""
    maker = table.c.made_by_token_id
    return sa.or_(maker.is_(None), maker.in_(sa.select(_tokens.c.id).where(_is_lasting())))


def _of_persons() -> sa.ColumnElement[bool]:
    return applications.redirect_addresses.c.made_by_token_id.is_(None)


def _of_tokens() -> sa.ColumnElement[bool]:
    return sa.and_(sa.not_(_of_persons()), _made_by_lasting(applications.redirect_addresses))


def _views() -> sa.ColumnElement[bool]:
    secrets = applications.application_secrets
    kept = sa.select(secrets.c.id).where(_made_by_lasting(secrets))
    return applications.application_secret_views.c.secret_id.in_(kept)


def _bulk_state() -> sa.ColumnElement[Any]:
    """The authority of unfinished work does not go along, so the work ends."""
    state = library.bulk_operations.c.state
    return sa.case((state.in_(("waiting", "running")), "ended"), else_=state)


def _task_state() -> sa.ColumnElement[Any]:
    tasks = library.structure_tasks.c
    needs_authority = sa.and_(tasks.kind == EMPTY, tasks.state.in_(task_store.UNFINISHED))
    return sa.case((needs_authority, task_store.REPLACED), else_=tasks.state)


KINDS: tuple[Kind, ...] = (
    # People
    Kind("users", "users", "accounts of people, closed ones too", without=("password_hash",)),
    Kind("groups", "groups", "groups of people"),
    Kind("group_members", "group_members", "who is in a group"),
    Kind("rights_templates", "rights_templates", "templates of rights"),
    Kind("notifications", "notifications", "what people were told"),
    # Structure
    Kind("databoxes", "databoxes", "databoxes: labels, logo, next numbers"),
    Kind("collections", "collections", "collections: order, presentation, default status, marks"),
    Kind("fields", "fields", "fields of databoxes"),
    Kind("status_bits", "status_bits", "status bits of databoxes"),
    Kind("recipes", "recipes", "what renditions are made"),
    Kind("suggested_values", "suggested_values", "values offered to editors"),
    Kind("terms_versions", "terms_versions", "versions of terms of use"),
    Kind("terms_texts", "terms_texts", "their texts by language"),
    Kind("terms_acceptances", "terms_acceptances", "who accepted which version"),
    Kind("databox_registration", "databox_registration", "rules of registration"),
    Kind("collection_registration", "collection_registration", "rules of registration"),
    Kind("registration_requests", "registration_requests", "who asks for access"),
    Kind("quarantine_checks", "quarantine_checks", "what is checked on arrival"),
    Kind("structure_tasks", "structure_tasks", "work that follows a change of the structure",
         replaced={"state": _task_state}),
    # Rights
    Kind("databox_rights", "databox_rights", "rights of people on databoxes"),
    Kind("collection_rights", "collection_rights", "rights of people on collections, time limits, masks, quotas"),
    Kind("group_databox_rights", "group_databox_rights", "rights of groups on databoxes"),
    Kind("group_collection_rights", "group_collection_rights", "rights of groups on collections"),
    Kind("template_collection_rights", "template_collection_rights", "rights of templates"),
    # Records
    Kind("records", "records", "records and stories"),
    Kind("field_values", "field_values", "values of fields"),
    Kind("renditions", "renditions", "files of records, substituted ones too"),
    Kind("permalinks", "permalinks", "lasting addresses of files"),
    Kind("document_texts", "document_texts", "texts read from documents"),
    Kind("original_versions", "original_versions", "originals that were replaced"),
    Kind("story_children", "story_children", "records of stories in order"),
    Kind("record_grants", "record_grants", "records given to people, by what and until when"),
    Kind("removed_records", "removed_records", "records deleted in the last days, which can be restored"),
    Kind("removed_files", "removed_files", "their files"),
    Kind("quarantine_items", "quarantine_items", "files in the quarantine"),
    # Baskets and feeds
    Kind("baskets", "baskets", "baskets"),
    Kind("basket_elements", "basket_elements", "their records in order"),
    Kind("basket_participants", "basket_participants", "with whom they are shared, who votes"),
    Kind("basket_votes", "basket_votes", "votes and their due dates"),
    Kind("basket_choices", "basket_choices", "what voters chose and wrote"),
    Kind("feeds", "feeds", "feeds"),
    Kind("feed_publishers", "feed_publishers", "who publishes in them"),
    Kind("feed_entries", "feed_entries", "their entries"),
    Kind("feed_items", "feed_items", "records of entries in order"),
    # Applications
    Kind("applications", "applications", "applications and their settings"),
    Kind("application_logos", "application_logos", "their pictures"),
    Kind("application_owners", "application_owners", "who manages them"),
    Kind("application_testers", "application_testers", "who tries them"),
    Kind("redirect_addresses", "redirect_addresses", "addresses to return to", where=_of_persons),
    Kind("connections", "accounts", "which person allowed which application what"),
    Kind("consents", "consents", "when they allowed, denied or withdrew it"),
    # History
    Kind("bulk_operations", "bulk_operations", "changes of many records", without=("delegation_id",),
         replaced={"state": _bulk_state}),
    Kind("bulk_items", "bulk_items", "their records and outcomes"),
    Kind("record_changes", "record_changes", "the history of records"),
    Kind("audit_log", "audit_log", "who did what"),
    # Credentials
    Kind("passwords", "users", "hashes of passwords", is_secret=True, only=("password_hash",),
         where=lambda: accounts.users.c.password_hash.is_not(None)),
    Kind("second_factors", "second_factors", "secrets of authenticators", is_secret=True),
    Kind("recovery_codes", "recovery_codes", "digests of recovery codes", is_secret=True),
    Kind("passkeys", "passkeys", "public keys of passkeys", is_secret=True),
    Kind("linked_identities", "linked_identities", "accounts at providers that sign people in", is_secret=True),
    Kind("signing_keys", "signing_keys", "keys that sign id_tokens", is_secret=True),
    Kind("lasting_tokens", "access_tokens", "developer tokens and named tokens", is_secret=True,
         without=("code_id",), where=_is_lasting),
    Kind("application_secrets", "application_secrets", "client secrets", is_secret=True,
         where=lambda: _made_by_lasting(applications.application_secrets)),
    Kind("application_secret_views", "application_secret_views", "who saw them", is_secret=True, where=_views),
    Kind("redirect_addresses_of_tokens", "redirect_addresses", "addresses to return to that a token added",
         is_secret=True, where=_of_tokens),
    Kind("feed_addresses", "feed_addresses", "digests of readers' addresses of feeds", is_secret=True,
         where=lambda: _made_by_lasting(metadata.tables["feed_addresses"])),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}


def referenced(work: UnitOfWork) -> Iterator[tuple[str, int | None]]:
    """(digest, size if a row has it) of the files that an export has, in the order of digests."""
    return inventory.referenced(work, without=LEFT_OUT)


EPHEMERAL, DERIVED, MEASURED = "ends by itself", "made again when needed", "measurements of this machine's traffic"
LEFT_OUT: dict[str, str] = {
    "authorization_codes": EPHEMERAL,
    "device_codes": EPHEMERAL,
    "refresh_tokens": EPHEMERAL + "; applications send people through sign-in again",
    "sessions": EPHEMERAL,
    "mailed_links": EPHEMERAL,
    "passkey_challenges": EPHEMERAL,
    "identity_provider_flows": EPHEMERAL,
    "sign_in_failures": EPHEMERAL,
    "idempotency_keys": EPHEMERAL,
    "delegations": EPHEMERAL + "; work that needs it is ended in the export",
    "jobs": EPHEMERAL + "; an import queues the work that rows ask for",
    "workers": EPHEMERAL,
    "tasks": "which workers of this machine are stopped",
    "stamps": "where work of this machine has stopped",
    "derived_files": DERIVED,
    "collection_counts": DERIVED,
    "collection_count_deltas": DERIVED,
    "request_log": MEASURED,
    "usage_hours": MEASURED,
    "usage_routes": MEASURED,
    "usage_people": MEASURED,
    "deprecated_feature_uses": MEASURED,
}
