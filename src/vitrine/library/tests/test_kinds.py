"""Records of every kind from end to end: 04 section 8, 06 sections 4 to 6 and 9."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from vitrine.accounts import COMMAND
from vitrine.library import store, text_store
from vitrine.library.missing_renditions import MissingRenditions
from vitrine.library.model import RecordKey, Rendition
from vitrine.library.tables import databoxes, document_texts, fields, recipes, renditions
from vitrine.library.templates import DEFAULT_FIELDS
from vitrine.media.renditions.recipes import DEFAULT_RECIPES
from vitrine.platform import migrate
from vitrine.platform.database import Database
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds
from vitrine.testing.server import Server


def _renditions(server: Server, key: RecordKey) -> dict[str, Rendition]:
    with server.services.database.read() as work:
        record = store.by_key(work, key)
        assert record is not None
        return {rendition.name: rendition for rendition in store.renditions_of(work, [record.id])[record.id]}


def test_a_pdf_becomes_a_document_that_its_words_find(server: Server, tmp_path: Path) -> None:
    ada = server.user("ada")
    key = server.add(kinds.pdf(tmp_path / "a.pdf", 3, "Quayside cranes", title="Harbours"), ada)
    files = _renditions(server, key)
    assert {name: (file.state, file.mime) for name, file in files.items()} == {
        "document": ("ready", "application/pdf"),
        "thumbnail": ("ready", "image/jpeg"),
        "preview": ("ready", "application/pdf"),
    }
    token = server.token(ada)
    answer = server.get("/search/?query=quayside", token)
    assert answer["total_results"] == 1
    record = server.get(f"/records/{key.databox}/{key.number}/", token)["record"]
    assert (record["phrasea_type"], record["title"]) == ("document", "Harbours")
    with server.services.database.read() as work:
        record_id = store.by_key(work, key)
        assert record_id is not None
        assert text_store.pages(work, record_id.id) == 3


def test_a_sound_gets_its_picture_and_previews(server: Server, tmp_path: Path) -> None:
    key = server.add(kinds.sound(tmp_path / "a.flac"), server.user("ada"))
    files = _renditions(server, key)
    assert {name: file.mime for name, file in files.items()} == {
        "document": "audio/flac",
        "thumbnail": "image/jpeg",
        "preview": "audio/mpeg",
        "preview_mobile": "audio/mpeg",
    }
    assert all(file.state == "ready" for file in files.values())


def test_a_film_gets_every_default_rendition(server: Server, tmp_path: Path) -> None:
    key = server.add(kinds.film(tmp_path / "a.mov"), server.user("ada"))
    files = _renditions(server, key)
    assert {name: file.mime for name, file in files.items() if file.state == "ready"} == {
        "document": "video/quicktime",
        "thumbnail": "image/jpeg",
        "poster": "image/jpeg",
        "preview": "video/mp4",
        "preview_webm": "video/webm",
        "thumbnailgif": "image/gif",
    }


@pytest.mark.parametrize("name", ["a.docx", "a.txt", "a.xyz"])
def test_what_cannot_be_shown_honestly_has_no_failing_renditions(server: Server, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.docx":
        kinds.office(path, thumbnail=False)
    else:
        path.write_bytes(b"plain words" if name == "a.txt" else bytes(range(256)) * 4)
    key = server.add(path, server.user("ada"))
    assert set(_renditions(server, key)) == {"document"}


def test_an_office_file_shows_the_picture_inside_it(server: Server, tmp_path: Path) -> None:
    key = server.add(kinds.office(tmp_path / "a.pptx"), server.user("ada"))
    files = _renditions(server, key)
    assert set(files) == {"document", "thumbnail"}
    assert files["thumbnail"].state == "ready"


def test_a_drawing_is_given_out_as_an_attachment_in_a_sandbox(server: Server, tmp_path: Path) -> None:
    ada = server.user("ada")
    key = server.add(kinds.svg(tmp_path / "a.svg", "<script>alert(1)</script>"), ada)
    assert _renditions(server, key)["preview"].state == "ready"
    answer = server.browser(ada).get(f"/datafiles/{key.databox}/{key.number}/document/")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_the_default_recipes_are_those_of_the_contract() -> None:
    """04 section 8: names, classes, sizes and devices."""
    by_name: dict[tuple[str, str], tuple[Any, ...]] = {
        (recipe.group, recipe.name): (recipe.klass, recipe.mediatype, recipe.options.get("size"), recipe.devices)
        for recipe in DEFAULT_RECIPES
    }
    assert by_name == {
        ("image", "preview"): ("preview", "image", 1280, ("screen",)),
        ("image", "thumbnail"): ("thumbnail", "image", 384, ("screen",)),
        ("image", "preview_mobile"): ("preview", "image", 640, ("handheld",)),
        ("image", "thumbnail_mobile"): ("thumbnail", "image", 192, ("handheld",)),
        ("video", "thumbnail"): ("thumbnail", "image", 384, ("screen",)),
        ("video", "thumbnailgif"): ("thumbnail", "gif", 250, ("screen",)),
        ("video", "preview"): ("preview", "video", 748, ("screen",)),
        ("video", "preview_webm"): ("preview", "video", 748, ("screen",)),
        ("video", "poster"): ("preview", "image", 1280, ("screen",)),
        ("audio", "thumbnail"): ("thumbnail", "image", 384, ("screen",)),
        ("audio", "preview"): ("preview", "audio", None, ("screen",)),
        ("audio", "preview_mobile"): ("preview", "audio", None, ("handheld",)),
        ("document", "thumbnail"): ("thumbnail", "image", 380, ("screen",)),
        ("document", "preview"): ("preview", "pdf", None, ("screen",)),
    }  # fmt: skip


def test_the_fields_of_the_player_are_in_the_template() -> None:
    """06 section 6: subtitles, chapters and the start time are captions that the player reads."""
    names = {field["name"] for field in DEFAULT_FIELDS}
    assert names >= {
        "VideoTextTrackFr", "VideoTextTrackEn", "VideoTextTrackDe", "VideoTextTrackChapters", "StartOfMessage",
        "Latitude", "Longitude",
    }  # fmt: skip


def test_databoxes_from_before_get_the_new_recipes(tmp_path: Path) -> None:
    """A database of an earlier version: recipes are added, changes that people made are left alone."""
    database = Database.in_folder(tmp_path)
    with database.write() as work:
        work.db.execute(sa.text("SELECT 1"))  # as `migrate.upgrade` does: Alembic then joins our transaction
        config = migrate._config()
        config.attributes["connection"] = work.db
        command.upgrade(config, "0001")
        shared_values = {"labels": {}, "created": work.now}
        work.db.execute(databoxes.insert().values(id=1, name="Old", view_name="Old", **shared_values))
        own = {"databox_id": 1, "klass": "document", "devices": ["all"], "labels": {}, "options": {}}
        work.db.execute(recipes.insert().values(group="audio", name="preview", mediatype="audio", position=3, **own))
        own_fallbacks = ["IPTC:Mine"]
        title = ["IPTC:ObjectName", "QuickTime:Title", "PNG:Title"]
        for name, fallbacks in (("Title", title), ("Author", own_fallbacks)):
            values = {"databox_id": 1, "name": name, "labels": {}, "fallbacks": fallbacks}
            work.db.execute(fields.insert().values(values))
    migrate.upgrade(database)
    with database.read() as work:
        known = {(row.group, row.name): row for row in work.db.execute(sa.select(recipes))}
        lists = {row.name: row.fallbacks for row in work.db.execute(sa.select(fields))}
    database.close()
    new = {(recipe.group, recipe.name): recipe for recipe in DEFAULT_RECIPES}
    assert known[("audio", "preview")].klass == "document", "the owner's own recipe stays"
    for key in known.keys() - {("audio", "preview")}:
        row, recipe = known[key], new[key]
        assert (row.klass, row.mediatype, tuple(row.devices), row.labels, row.options) == (
            recipe.klass, recipe.mediatype, recipe.devices, dict(recipe.labels), dict(recipe.options),
        )  # fmt: skip
    assert known.keys() == {key for key in new if key[0] in ("audio", "document")} | {
        ("video", "thumbnailgif"), ("video", "preview_webm"),
    }  # fmt: skip
    assert lists["Author"] == own_fallbacks
    assert lists["Title"] == next(field["fallbacks"] for field in DEFAULT_FIELDS if field["name"] == "Title")


def test_records_from_before_get_what_they_lack_by_command(server: Server, tmp_path: Path) -> None:
    key = server.add(kinds.pdf(tmp_path / "a.pdf", 3, "Quayside cranes"), server.user("ada"))
    whole = server.add(make.jpeg(tmp_path / "a.jpg"), server.user("bob"))
    with server.services.database.write() as work:
        record = store.by_key(work, key)
        assert record is not None
        work.db.execute(renditions.delete().where(renditions.c.record_id == record.id, renditions.c.name != "document"))
        work.db.execute(document_texts.delete())
    services = server.services
    completion = MissingRenditions(services.database, services.library.records, services.media, services.jobs)
    assert completion.complete() == 1
    assert completion.complete() == 0, "waiting renditions are not added twice"
    server.work()
    assert {rendition.state for rendition in _renditions(server, key).values()} == {"ready"}
    assert set(_renditions(server, key)) == {"document", "thumbnail", "preview"}
    assert len(_renditions(server, whole)) == 5
    with server.services.database.read() as work:
        assert "Quayside cranes" in text_store.of(work, [record.id])[record.id]


def test_a_removed_document_comes_back_with_its_words(server: Server, tmp_path: Path) -> None:
    key = server.add(kinds.pdf(tmp_path / "a.pdf", 3, "Quayside cranes"), server.user("ada"))
    with server.services.database.write() as work:
        server.services.library.removal.remove(work, COMMAND, key)
    with server.services.database.write() as work:
        server.services.library.removal.restore(work, COMMAND, key)
    with server.services.database.read() as work:
        record = store.by_key(work, key)
        assert record is not None
        assert text_store.pages(work, record.id) == 3
        assert "Quayside cranes" in text_store.of(work, [record.id])[record.id]


def test_a_replaced_original_brings_its_own_words_and_renditions(server: Server, tmp_path: Path) -> None:
    key = server.add(kinds.pdf(tmp_path / "a.pdf", 3, "Quayside cranes"), server.user("ada"))
    arrival = server.services.library.ingest.take(kinds.office(tmp_path / "b.docx", thumbnail=False), "b.docx")
    with server.services.database.write() as work:
        server.services.library.substitution.replace_original(work, COMMAND, key, arrival)
    server.work()
    assert set(_renditions(server, key)) == {"document"}
    with server.services.database.read() as work:
        record = store.by_key(work, key)
        assert record is not None
        assert text_store.of(work, [record.id]) == {record.id: "Words of the report"}


def test_a_picture_of_an_unknown_kind_is_kept_and_can_be_downloaded(server: Server, tmp_path: Path) -> None:
    raw = make.jpeg(tmp_path / "a.jpg").read_bytes()
    path = tmp_path / "a.cr2"
    path.write_bytes(b"II*\x00\x10\x00\x00\x00CR\x02\x00" + raw)
    ada = server.user("ada")
    key = server.add(path, ada)
    assert set(_renditions(server, key)) == {"document"}
    answer = server.browser(ada).get(f"/datafiles/{key.databox}/{key.number}/document/")
    assert answer.content == path.read_bytes()
