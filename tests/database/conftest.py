"""An empty database of the newest schema."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vitrine.platform import migrate
from vitrine.platform.database import Database


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    database = Database(database_url) if database_url else Database.in_folder(tmp_path)
    migrate.upgrade(database)
    yield database
    database.close()
