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
class RowKind:
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


def _never() -> sa.ColumnElement[Any]:
    """A rule acts in somebody's name, and that authority does not go along: it is off until it is turned on again."""
    return sa.type_coerce(sa.null(), library.rules.c.next_run.type)


def _no_place() -> sa.ColumnElement[Any]:
    return sa.type_coerce(sa.null(), library.rules.c.cursor.type)


KINDS: tuple[RowKind, ...] = (
    # People
    RowKind("users", "users", "accounts of people, closed ones too", without=("password_hash",)),
    RowKind("groups", "groups", "groups of people"),
    RowKind("group_members", "group_members", "who is in a group"),
    RowKind("rights_templates", "rights_templates", "templates of rights"),
    RowKind("notifications", "notifications", "what people were told"),
    RowKind("recipient_lists", "recipient_lists", "lists of people to whom documents are sent"),
    RowKind("recipient_list_roles", "recipient_list_roles", "who works with a list"),
    RowKind("recipient_list_members", "recipient_list_members", "who is in a list"),
    # Structure
    RowKind("databoxes", "databoxes", "databoxes: labels, logo, next numbers"),
    RowKind("collections", "collections", "collections: order, presentation, default status, marks"),
    RowKind("fields", "fields", "fields of databoxes"),
    RowKind("status_bits", "status_bits", "status bits of databoxes"),
    RowKind("recipes", "recipes", "what renditions are made"),
    RowKind("suggested_values", "suggested_values", "values offered to editors"),
    RowKind("terms_versions", "terms_versions", "versions of terms of use"),
    RowKind("terms_texts", "terms_texts", "their texts by language"),
    RowKind("terms_acceptances", "terms_acceptances", "who accepted which version"),
    RowKind("databox_registration", "databox_registration", "rules of registration"),
    RowKind("collection_registration", "collection_registration", "rules of registration"),
    RowKind("registration_requests", "registration_requests", "who asks for access"),
    RowKind("quarantine_checks", "quarantine_checks", "what is checked on arrival"),
    RowKind("structure_tasks", "structure_tasks", "work that follows a change of the structure",
         replaced={"state": _task_state}),
    RowKind("rules", "rules", "changes made whenever records meet criteria; off until somebody turns them on",
         without=("delegation_id",), replaced={"enabled": sa.false, "next_run": _never, "cursor": _no_place}),
    # Rights
    RowKind("databox_rights", "databox_rights", "rights of people on databoxes"),
    RowKind("collection_rights", "collection_rights", "rights of people on collections, time limits, masks, quotas"),
    RowKind("download_counts", "download_counts", "downloads of this month where they are limited"),
    RowKind("group_databox_rights", "group_databox_rights", "rights of groups on databoxes"),
    RowKind("group_collection_rights", "group_collection_rights", "rights of groups on collections"),
    RowKind("template_collection_rights", "template_collection_rights", "rights of templates"),
    # Records
    RowKind("records", "records", "records and stories"),
    RowKind("field_values", "field_values", "values of fields"),
    RowKind("renditions", "renditions", "files of records, substituted ones too"),
    RowKind("permalinks", "permalinks", "lasting addresses of files"),
    RowKind("document_texts", "document_texts", "texts read from documents"),
    RowKind("original_versions", "original_versions", "originals that were replaced"),
    RowKind("story_children", "story_children", "records of stories in order"),
    RowKind("record_grants", "record_grants", "records given to people, by what and until when"),
    RowKind("removed_records", "removed_records", "records deleted in the last days, which can be restored"),
    RowKind("removed_files", "removed_files", "their files"),
    RowKind("quarantine_items", "quarantine_items", "files in the quarantine"),
    # Baskets and feeds
    RowKind("baskets", "baskets", "baskets"),
    RowKind("basket_elements", "basket_elements", "their records in order"),
    RowKind("basket_participants", "basket_participants", "with whom they are shared, who votes"),
    RowKind("basket_votes", "basket_votes", "votes and their due dates"),
    RowKind("basket_choices", "basket_choices", "what voters chose and wrote"),
    RowKind("feeds", "feeds", "feeds"),
    RowKind("feed_publishers", "feed_publishers", "who publishes in them"),
    RowKind("feed_entries", "feed_entries", "their entries"),
    RowKind("feed_items", "feed_items", "records of entries in order"),
    # Applications
    RowKind("applications", "applications", "applications and their settings"),
    RowKind("application_logos", "application_logos", "their pictures"),
    RowKind("application_owners", "application_owners", "who manages them"),
    RowKind("application_testers", "application_testers", "who tries them"),
    RowKind("redirect_addresses", "redirect_addresses", "addresses to return to", where=_of_persons),
    RowKind("connections", "accounts", "which person allowed which application what"),
    RowKind("consents", "consents", "when they allowed, denied or withdrew it"),
    # History
    RowKind("bulk_operations", "bulk_operations", "changes of many records", without=("delegation_id",),
         replaced={"state": _bulk_state}),
    RowKind("bulk_items", "bulk_items", "their records and outcomes"),
    RowKind("rule_runs", "rule_runs", "what rules did, by which they know what people took back",
         without=("delegation_id",), replaced={"is_over": sa.true}),
    RowKind("record_changes", "record_changes", "the history of records"),
    RowKind("record_uses", "record_uses", "what people did with records without changing them"),
    RowKind("permalink_views", "permalink_views", "views by permalink, of each day"),
    RowKind("search_counts", "search_counts", "searches of each day"),
    RowKind("audit_log", "audit_log", "who did what"),
    # Credentials
    RowKind("passwords", "users", "hashes of passwords", is_secret=True, only=("password_hash",),
         where=lambda: accounts.users.c.password_hash.is_not(None)),
    RowKind("second_factors", "second_factors", "secrets of authenticators", is_secret=True),
    RowKind("recovery_codes", "recovery_codes", "digests of recovery codes", is_secret=True),
    RowKind("passkeys", "passkeys", "public keys of passkeys", is_secret=True),
    RowKind("linked_identities", "linked_identities", "accounts at providers that sign people in", is_secret=True),
    RowKind("signing_keys", "signing_keys", "keys that sign id_tokens", is_secret=True),
    RowKind("lasting_tokens", "access_tokens", "developer tokens and named tokens", is_secret=True,
         without=("code_id",), where=_is_lasting),
    RowKind("application_secrets", "application_secrets", "client secrets", is_secret=True,
         where=lambda: _made_by_lasting(applications.application_secrets)),
    RowKind("application_secret_views", "application_secret_views", "who saw them", is_secret=True, where=_views),
    RowKind("redirect_addresses_of_tokens", "redirect_addresses", "addresses to return to that a token added",
         is_secret=True, where=_of_tokens),
    RowKind("feed_addresses", "feed_addresses", "digests of readers' addresses of feeds", is_secret=True,
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
    "counted_downloads": EPHEMERAL,
    "download_bundles": EPHEMERAL + ", within days",
    "bundle_files": EPHEMERAL + ", within days",
    "bundle_links": EPHEMERAL + ", within days",
    "notification_broadcasts": EPHEMERAL + ", when all are told",
    "delegations": EPHEMERAL + "; work that needs it is ended in the export",
    "jobs": EPHEMERAL + "; an import queues the work that rows ask for",
    "workers": EPHEMERAL,
    "hot_folders": "folders of this machine",
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
