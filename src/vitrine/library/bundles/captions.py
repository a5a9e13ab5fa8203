"""The captions of a bundle as one CSV file, for spreadsheets: a line for each file."""

import csv
from collections.abc import Sequence
from io import StringIO

from vitrine.library import store
from vitrine.library.bundles.selection import Current
from vitrine.library.model import Field, Record
from vitrine.library.records import Records
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import spreadsheet_text


def captions_csv(work: UnitOfWork, records: Records, files: Sequence[tuple[str, Current]]) -> bytes:
    """*files* with their names in the archive. Business fields are never in it: a bundle goes to other people. The
    values of a field are joined by "; ". With the mark by which spreadsheets know UTF-8."""
    structure = records.structure(work)
    distinct: dict[int, Record] = {current.record.id: current.record for _, current in files}
    values = store.values_of(work, [record.id for record in distinct.values()])
    boxes = dict.fromkeys(record.databox_id for record in distinct.values())
    fields: list[Field] = [field for box in boxes for field in structure.fields[box] if not field.business]
    columns = list(dict.fromkeys(field.name for field in fields))
    by_id = {field.id: field.name for field in fields}
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["file", "databox_id", "record_id", "title", *map(spreadsheet_text, columns)])
    for name, current in files:
        record = current.record
        texts: dict[str, list[str]] = {}
        for value in values.get(record.id, ()):
            if value.field_id in by_id:
                texts.setdefault(by_id[value.field_id], []).append(value.value)
        cells = [spreadsheet_text("; ".join(texts.get(column, ()))) for column in columns]
        writer.writerow(
            [spreadsheet_text(name), record.databox_id, record.number, spreadsheet_text(record.title), *cells]
        )
    return out.getvalue().encode("utf-8-sig")
