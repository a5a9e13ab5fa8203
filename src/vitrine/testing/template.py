"""A data folder with the newest schema and one databox, made once a process and copied for each test.

To migrate an empty SQLite database takes ten times as long as to copy one. PostgreSQL's databases of tests are copied
in the same way (`vitrine.testing.postgresql`).
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vitrine.platform import migrate
from vitrine.platform.database import Database

KEY = "server.key"
Files = Mapping[str, bytes]


def copied_database(folder: Path) -> Database:
    """A SQLite database in *folder*, which has none yet, with the newest schema and no rows."""
    write(_migrated(), folder)
    return Database.in_folder(folder)


def take(make: Callable[[Path], None]) -> Files:
    """What *make* leaves in an empty folder, by relative path; without the server's key, which no two servers share."""
    with TemporaryDirectory(prefix="vitrine-template-") as name:
        folder = Path(name)
        make(folder)
        paths = [path for path in folder.rglob("*") if path.is_file() and path.name != KEY]
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def write(files: Files, folder: Path) -> None:
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)


@cache
def _migrated() -> Files:
    return take(_migrate)


def _migrate(folder: Path) -> None:
    database = Database.in_folder(folder)
    migrate.upgrade(database)
    database.close()
