"""journal: how documents are used. Lists as tables for spreadsheets (CSV) or as JSON, the newest first."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import json_option
from vitrine.edge.services import Services
from vitrine.errors import Invalid
from vitrine.library.model import CollectionId, DataboxId, RecordKey
from vitrine.library.reports import Reports
from vitrine.library.reports.service import MOST_SHOWN
from vitrine.platform import audit
from vitrine.platform.audit import AuditFilter
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import spreadsheet_text

Row = dict[str, Any]
limit_option = click.option("--limit", type=click.IntRange(1), default=1_000, show_default=True, help="Most lines.")
record_option = click.option("--record", "record", help="Of one record, as DATABOX/NUMBER.")
collection_option = click.option("--collection", "base_id", type=int, help="Of the records of one collection.")


@click.group()
def journal() -> None:
    """Views, downloads, searches and sign-ins, as CSV or JSON."""


def _write(rows: Iterator[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """JSON is one object a line, so that neither form is ever whole in memory."""
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    table = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow(
            {name: spreadsheet_text(value) if isinstance(value, str) else value for name, value in row.items()}
        )


def _pages(read: Any, limit: int) -> Iterator[Any]:
    """The items of a list of `Reports`, page by page: *read* takes `before` and `limit`."""
    before: int | None = None
    while limit > 0:
        page = read(before=before, limit=min(limit, MOST_SHOWN))
        yield from page
        if len(page) < min(limit, MOST_SHOWN):
            return
        limit -= len(page)
        before = page[-1].id


def _key(record: str) -> RecordKey:
    databox, _, number = record.partition("/")
    if not (databox.isdecimal() and number.isdecimal() and len(record) < 40):
        raise Invalid("Name the record as DATABOX/NUMBER, such as 1/17.", field="record")
    return RecordKey(DataboxId(int(databox)), int(number))


def _of(services: Services, work: UnitOfWork, name: str, record: str | None, base_id: int | None) -> Any:
    """The list *name* of a record or of a collection, with `before` and `limit` left to be given."""
    reports: Reports = services.library.reports
    if (record is None) == (base_id is None):
        raise Invalid("Give either --record or --collection.", field="record")
    if record is not None:
        key = _key(record)
        read = reports.views_of_record if name == "views" else reports.uses_of_record
        return lambda **page: read(work, COMMAND, key, **page)
    base = CollectionId(base_id or 0)
    of_collection = reports.views_of_collection if name == "views" else reports.uses_of_collection
    return lambda **page: of_collection(work, COMMAND, base, **page)


@journal.command("views")
@record_option
@collection_option
@limit_option
@data_option
@json_option
def list_views(record: str | None, base_id: int | None, limit: int, data: Path, as_json: bool) -> None:
    """Views of files by their links, by day and referring host."""
    columns = ("databox_id", "record_id", "day", "rendition", "referrer", "views")
    with instance(data) as services, services.database.read() as work:
        views = _pages(_of(services, work, "views", record, base_id), limit)
        rows = (
            dict(zip(columns, (line.databox_id, line.number, line.day.isoformat(), line.rendition, line.referrer,
                               line.views), strict=True))
            for line in views
        )  # fmt: skip
        _write(rows, columns, as_json=as_json)


@journal.command("uses")
@record_option
@collection_option
@limit_option
@data_option
@json_option
def list_uses(record: str | None, base_id: int | None, limit: int, data: Path, as_json: bool) -> None:
    """Downloads, pushes, votes and publications of records."""
    columns = ("at", "kind", "databox_id", "record_id", "base_id", "user_id", "application_id")
    with instance(data) as services, services.database.read() as work:
        uses = _pages(_of(services, work, "uses", record, base_id), limit)
        rows = (
            dict(zip(columns, (line.at.isoformat(), line.kind, line.databox_id, line.number, line.collection_id,
                               line.user_id, line.application_id), strict=True))
            for line in uses
        )  # fmt: skip
        _write(rows, columns, as_json=as_json)


@journal.command("searches")
@click.option("--databox", "databox_id", type=int, required=True, help="In which it was searched.")
@limit_option
@data_option
@json_option
def list_searches(databox_id: int, limit: int, data: Path, as_json: bool) -> None:
    """Words that were searched for, by day, without who searched."""
    columns = ("day", "words", "searches", "without_result")
    with instance(data) as services, services.database.read() as work:
        reports, databox = services.library.reports, DataboxId(databox_id)
        words = _pages(lambda **page: reports.searches(work, COMMAND, databox, **page), limit)
        rows = (
            dict(zip(columns, (line.day.isoformat(), line.words, line.searches, line.without_result), strict=True))
            for line in words
        )
        _write(rows, columns, as_json=as_json)


@journal.command("sessions")
@limit_option
@data_option
@json_option
def list_sessions(limit: int, data: Path, as_json: bool) -> None:
    """Sign-ins and sign-outs, from the audit log."""
    columns = ("at", "action", "object", "user_id", "address")
    with instance(data) as services, services.database.read() as work:
        lines = islice(audit.lines(work, AuditFilter(action="session."), limit), limit)
        rows = (
            dict(zip(columns, (line.at.isoformat(), line.action, line.object, line.user_id, line.address), strict=True))
            for line in lines
        )
        _write(rows, columns, as_json=as_json)
