"""The report of an import: a line of each file, as JSON Lines or CSV by the extension of its name."""

import csv
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from vitrine.errors import Invalid, Unavailable
from vitrine.operations.file_import.model import FileResult
from vitrine.platform.texts import spreadsheet_text

COLUMNS = (
    "path", "state", "databox_id", "record_id", "base_id", "quarantine_item", "line", "sidecar", "values", "detail",
)  # fmt: skip
Note = Callable[[FileResult], None]


@contextmanager
def reporting(path: Path | None) -> Iterator[Note]:
    """Write each result that is given to the function into the report *path*; without one, nowhere.

    The lines go into `<name>.part` beside it as they come, readable to its owner only, which takes the name of the
    report when the import has ended. Raises Invalid for another extension, or Unavailable where it cannot be written.
    """
    if path is None:
        yield lambda _result: None
        return
    writers = {".jsonl": _json_lines, ".ndjson": _json_lines, ".csv": _table}
    if path.suffix.lower() not in writers:
        raise Invalid("The name of the report ends with .jsonl or .csv.", field="report")
    part = path.with_name(path.name + ".part")
    try:
        file = _created(part)
        note = writers[path.suffix.lower()](file)
    except OSError as failure:
        raise _unwritable(path, failure) from failure

    def flushed(result: FileResult) -> None:
        try:
            note(result)
            file.flush()
        except OSError as failure:
            raise _unwritable(path, failure) from failure

    with closing(file):
        yield flushed
        try:
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except OSError as failure:
            raise _unwritable(path, failure) from failure


def _created(part: Path) -> TextIO:
    """A new file, in place of what an interrupted import left."""
    part.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return os.fdopen(os.open(part, flags, 0o600), "w", encoding="utf-8", newline="")


def _unwritable(path: Path, failure: OSError) -> Unavailable:
    return Unavailable(f"The report {path} cannot be written ({os.strerror(failure.errno or 0)}).", field="report")


def _json_lines(file: TextIO) -> Note:
    def note(result: FileResult) -> None:
        file.write(json.dumps(result.as_members(), ensure_ascii=False) + "\n")

    return note


def _table(file: TextIO) -> Note:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)

    def note(result: FileResult) -> None:
        members = result.as_members()
        members["values"] = json.dumps(members["values"], ensure_ascii=False) if members["values"] else ""
        writer.writerow([_cell(members[name]) for name in COLUMNS])

    return note


def _cell(value: object) -> str:
    return spreadsheet_text("" if value is None else str(value))
