"""Fixtures that several capabilities' tests share."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadgroup import LoadGroupScheduling

from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.s3 import S3
from vitrine.testing.server import Server

# Tests that share a running server, or would spoil each other's machine, go to one worker of pytest-xdist.
TOGETHER = {
    "tests/browser/": "browser",
    "tests/load/test_kill.py": "browser",
    "tests/load/test_faults.py": "browser",
    "tests/operations/test_nginx.py": "nginx",
}


class _Together(LoadGroupScheduling):
    """Groups by path: the marks of `--dist loadgroup` need a name that pytest 9.2 no longer lets a plugin change."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for path, group in TOGETHER.items() if nodeid.startswith(path)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadGroupScheduling:
    return _Together(config, log)


DATABASES = ("sqlite", "postgresql")
STORES = ("local", "s3")
PATHS = (True, False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` or `both_stores` run on each; the others on the one that needs nothing. Those marked
    `both_paths` run with the fast paths and without; the others with them."""
    if "database_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("database_url", DATABASES, indirect=True)
    if "blobs_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_stores"):
        metafunc.parametrize("blobs_url", STORES, indirect=True)
    if "fast_paths" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_paths"):
        metafunc.parametrize("fast_paths", PATHS, indirect=True, ids=("fast", "ordinary"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    # Not below pytest's own folder, which the next run of the tests on this machine may tidy up.
    made = PostgreSQL(Path(mkdtemp(prefix="vitrine-postgresql-")))
    yield made
    made.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    made = S3()
    yield made
    made.close()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The setting of this name; empty is SQLite in the data folder."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield ""
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.database() as address:
        yield address


@pytest.fixture
def blobs_url(request: pytest.FixtureRequest) -> str:
    """The setting of this name; empty is the data folder."""
    if getattr(request, "param", "local") == "local":
        return ""
    server: S3 = request.getfixturevalue("s3")
    return server.bucket()


@pytest.fixture
def fast_paths(request: pytest.FixtureRequest) -> bool:
    """The setting of this name."""
    return bool(getattr(request, "param", True))


@pytest.fixture
def server(tmp_path: Path, database_url: str, blobs_url: str, fast_paths: bool) -> Iterator[Server]:
    made = Server(tmp_path / "data", database_url=database_url, blobs_url=blobs_url, fast_paths=fast_paths)
    yield made
    made.close()
