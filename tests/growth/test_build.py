"""The filled instances on which growth is measured: complete, the same for the same seed, and usable."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from benchmarks.scale.build import build
from benchmarks.scale.bulk import Row
from benchmarks.scale.instance import HIDDEN_STATUS, LOGINS, PASSWORD, RENDITIONS, SEEN, Instance
from benchmarks.scale.rows import CHILDREN_PER_STORY, TABLES, Filler

from vitrine.accounts import COMMAND
from vitrine.testing.postgresql import PostgreSQL
from vitrine.testing.server import Server

RECORDS = 1_000
TODAY = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.both_databases
def test_a_built_instance_answers_its_people(tmp_path: Path, database_url: str, request: pytest.FixtureRequest) -> None:
    postgresql: PostgreSQL | None = request.getfixturevalue("postgresql") if database_url else None
    instance = build(tmp_path / "data", RECORDS, postgresql.empty() if postgresql else "")
    assert Instance.load(tmp_path / "data") == instance
    server = Server.of(tmp_path / "data", database_url=instance.database_url)
    try:
        finds_what_it_may(server, instance)
        holds_rows_in_every_table(server)
        form = {"login": "reader", "password": PASSWORD}
        assert server.browser().submit("/login/", "/login/", form).status_code == 303
        with server.services.database.write() as work:  # numbers go on after those that were written in bulk
            newest = max(work.db.scalars(sa.select(sa.table("users", sa.column("id")).c.id)))
            added = server.services.accounts.users.add(work, COMMAND, login="newcomer", password=PASSWORD)
            assert added.id > newest
    finally:
        server.close()


def finds_what_it_may(server: Server, instance: Instance) -> None:
    everything = server.get("/search/?per_page=100", instance.tokens["admin"])
    assert everything["total_results"] == RECORDS
    visible = server.get("/search/?per_page=100", instance.tokens["reader"])
    assert 0 < visible["total_results"] < RECORDS
    assert {int(record["base_id"]) for record in visible["results"]["records"]} <= set(instance.seen)
    assert len(instance.seen) == SEEN
    files = server.get(f"/records/1/{instance.images[0]}/embed/", instance.tokens["reader"])["embed"]
    assert {file["name"] for file in files} > {"thumbnail", "preview"}
    answer = server.http.get(files[0]["permalink"]["url"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")


def holds_rows_in_every_table(server: Server) -> None:
    with server.services.database.read() as work:
        counts = {name: work.db.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0 for name in TABLES}
        indexes = {index["name"] for index in sa.inspect(work.db).get_indexes("records")}
    assert {name for name, count in counts.items() if not count} == set()
    stories = counts["story_children"] // CHILDREN_PER_STORY
    assert (counts["records"], counts["field_values"]) == (RECORDS + stories, 8 * RECORDS)
    assert counts["renditions"] == counts["permalinks"]
    assert "ix_records_sha256" in indexes


class KeptRows:
    """A bulk writer that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}

    def instant(self, at: datetime) -> datetime:
        return at

    def flag(self, value: bool) -> bool:
        return value

    def write(self, table: str, columns: Sequence[str], rows: list[Row]) -> None:
        assert all(len(row) == len(columns) for row in rows)
        self.rows.setdefault(table, []).extend(rows)

    def close(self) -> None:
        raise AssertionError("the caller closes it")


def rows(seed: int) -> dict[str, list[Row]]:
    numbers = {login: number for number, login in enumerate(LOGINS, 1)}
    fields = dict.fromkeys(("Title", "Caption", "Keywords", "Author", "Date", "City", "Country"), 1)
    instance = Instance(
        records=60, seed=seed, database_url="", databox_id=1, collections=list(range(1, 201)),
        seen=list(range(1, 61)), fields=fields, words={}, users=numbers, applications=numbers, tokens={},
        client_id="", client_secret="",
    )  # fmt: skip
    writer = KeptRows()
    Filler(instance, dict.fromkeys(["document", *RENDITIONS], 1), writer, TODAY, lambda _digest, _name: None).fill()
    return writer.rows


def test_the_same_seed_makes_the_same_rows() -> None:
    first = rows(3)
    assert first == rows(3)
    assert first["records"] != rows(4)["records"]
    status = TABLES["records"].index("status")
    assert {row[status] for row in first["records"]} == {0, HIDDEN_STATUS}
