"""Fixtures shared by the tests of several capabilities."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from xdist.remote import Producer
from xdist.scheduler.loadgroup import LoadGroupScheduling

from vitrine.testing import compiled, folders
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.s3 import S3
from vitrine.testing.server import Server, furnish_database

# Tests that share a running server, or would spoil each other's machine, go to one worker of pytest-xdist. The browser
# tests are two groups of about the same length, each with a server of its own, so that both workers have one to do.
TOGETHER = {
    "tests/browser/test_pages.py": "browser, pages",
    "tests/browser/test_embed.py": "browser, pages",
    "tests/browser/": "browser, flows",
    "tests/load/": "faults",
    "tests/operations/test_nginx.py": "nginx",
    "tests/operations/test_supervision.py": "supervision",
    "tests/fast_paths/test_equal_answers.py": "equal answers",
    "tests/contract/test_01_switches.py": "switches",
    "tests/oauth/test_pages_schema.py": "pages of a flow",
}
# What these share takes long to make, for each database anew: the tests of one database stay together.
BY_DATABASE = (
    "tests/growth/test_growth.py",
    "tests/contract/test_02_objects.py",
    "tests/upgrade/test_release_0_1_0.py",
)
_DATABASE = re.compile(r"\[(sqlite|postgresql)(-fast|-ordinary)?")


class _Together(LoadGroupScheduling):
    """Groups tests by path: `--dist loadgroup` needs to change names, which pytest 9.2 no longer allows plugins to
    do."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/revocation/test_table.py::"):
            return nodeid.rpartition("-")[0]  # the cells of one event share a server
        if nodeid.startswith(BY_DATABASE) and (database := _DATABASE.search(nodeid)):
            return nodeid.partition("::")[0] + database[0]
        return next((group for path, group in TOGETHER.items() if nodeid.startswith(path)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadGroupScheduling:
    return _Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones begin first, whatever their order, so that at the end no worker waits for the other's."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


# Logged failures as servers print them: the default renderer prints every variable, which takes ten seconds each.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
compiled.share()
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folders.parent()))  # where pytest makes the folders of `tmp_path`
DATABASES = ("sqlite", "postgresql")
STORES = ("local", "s3")
PATHS = (True, False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` or `both_stores` run on each; all others on the embedded one. Those marked
    `both_paths` run with the fast paths and without; all others with them."""
    if "database_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("database_url", DATABASES, indirect=True)
    if "blobs_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_stores"):
        metafunc.parametrize("blobs_url", STORES, indirect=True)
    if "fast_paths" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_paths"):
        metafunc.parametrize("fast_paths", PATHS, indirect=True, ids=("fast", "ordinary"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    # Not below pytest's own folder, which the next test run on this machine may delete.
    postgresql_server = PostgreSQL(folders.temporary("vitrine-postgresql-"))
    yield postgresql_server
    postgresql_server.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    s3_server = S3()
    yield s3_server
    s3_server.close()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The setting of this name; empty is SQLite in the data folder."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield ""
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    is_for_server = not {"server", "make"}.isdisjoint(request.fixturenames)
    with (
        server.database(server.template("furnished", furnish_database))
        if is_for_server
        else server.database() as address
    ):
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
    instance = Server(tmp_path / "data", database_url=database_url, blobs_url=blobs_url, fast_paths=fast_paths)
    yield instance
    instance.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for those tests of a module that change nothing: what they send is refused, or only reads."""
    instance = Server(tmp_path_factory.mktemp("shared") / "data")
    yield instance
    instance.close()
