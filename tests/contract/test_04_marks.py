"""Contract 04 section 5 and 06 section 3: watermark and stamp, on every path that delivers a picture."""

import hashlib
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import pyvips

from vitrine.accounts import COMMAND, Right, User, record_grants
from vitrine.accounts.record_grants import GrantSource, SourceKind
from vitrine.accounts.rights import ALL_RIGHTS
from vitrine.errors import Invalid
from vitrine.library.model import RecordKey
from vitrine.library.overlays.policy import Overlay
from vitrine.library.sharing.permalinks import paths
from vitrine.media.errors import MediaError
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record, mp3_file, pdf_file
from vitrine.testing.server import Server

STAMP = {
    "blocks": [
        {"place": "BOTTOM", "background": "#203040", "colour": "#ffffff", "lines": [["No ", {"var": "RECORD_ID"}]]},
        {"place": "TOP-OVER", "lines": [[{"field": "Title"}]]},
    ]
}
PLAIN, WM, STAMPED = None, "wm", "stamp"


@pytest.fixture
def ada(server: Server) -> User:
    """Has every right, including the one to files without watermark."""
    return server.user("ada")


@pytest.fixture
def bob(server: Server) -> User:
    """Sees everything, but always with the watermark."""
    return server.user("bob", ALL_RIGHTS & ~Right.nowatermark)


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 1600, 1000), ada)


def present(server: Server, **changes: Any) -> None:
    with server.services.database.write() as work:
        server.services.library.presentation.set(work, COMMAND, server.photographs.id, changes)


class Paths:
    """Every way to the bytes of one rendition."""

    def __init__(self, server: Server, key: RecordKey, name: str, issuer: User) -> None:
        self.server, self.key, self.name = server, key, name
        with server.services.database.read() as work:
            _, rendition = server.services.library.records.rendition_without_check(work, key, name)
            self.plain = rendition.sha256
            permalink_paths = paths(key, rendition, rendition.permalink)  # type: ignore[arg-type]
            self.token = rendition.permalink.token  # type: ignore[union-attr]
            self.signed = server.services.library.signed_addresses.path(
                (issuer.id, issuer.url_key), key, name, life=None, now=work.now
            )
        self.permalink = permalink_paths.file
        self.old = f"/permalink/v1/label/{key.databox}/{key.number}/{self.token}/{name}/"
        self.datafile = f"/datafiles/{key.databox}/{key.number}/{name}/"

    def shown_by_pages(self, http: Any) -> list[str]:
        """Addresses of pictures that embed page, permaview and oEmbed give for this file."""
        target = self.server.settings.absolute(self.permalink)
        oembed = http.get(f"/oembed?url={quote(target, safe='')}").json()
        addresses = {oembed["url"], oembed.get("thumbnail_url", oembed["url"])}
        for page in (f"/embed/?url={quote(target, safe='')}", f"/permalink/v1/1/1/{self.name}/?token={self.token}"):
            text = http.get(page).text.replace("&amp;", "&")
            addresses |= {
                part.split('"')[0] for part in text.split('content="') if "/permalink/" in part or "/medias/" in part
            }
            addresses |= {
                part.split('"')[0] for part in text.split('src="') if part.startswith(("http", "/permalink", "/medias"))
            }
        local = {urlsplit(address) for address in addresses if "/embed/" not in address and "/static/" not in address}
        return sorted(
            f"{parts.path}?{parts.query}"
            for parts in local
            if parts.path.startswith(("/permalink/", "/medias/")) and not parts.path.endswith("/")
        )


def mark_of(server: Server, answer: Any, plain: str | None) -> str | None:
    """The overlay that a response carries, determined by the row of the copy whose bytes it has."""
    assert answer.status_code == 200, answer.text
    digest = hashlib.sha256(answer.content).hexdigest()
    if digest == plain:
        return None
    with server.services.database.read() as work:
        rows = work.db.exec_driver_sql("SELECT source, recipe FROM derived_files WHERE sha256 = ?", (digest,)).all()
    assert [row[0] for row in rows] == [plain], "the bytes are the file's own or an overlaid copy of it"
    # The bottom bar of the stamp is dark blue; the watermark leaves that corner of the test picture unchanged.
    corner = pyvips.Image.new_from_buffer(answer.content, "")(
        2, pyvips.Image.new_from_buffer(answer.content, "").height - 3
    )
    return STAMPED if abs(corner[0] - 0x20) + abs(corner[1] - 0x30) + abs(corner[2] - 0x40) < 30 else WM


# setting, rendition: (anonymous by any link, ada with token, bob with token, ada's browser, bob's browser)
TABLE = [
    ("none", "preview", PLAIN, PLAIN, WM, PLAIN, WM),
    ("none", "preview_mobile", PLAIN, PLAIN, WM, PLAIN, WM),
    ("none", "thumbnail", PLAIN, PLAIN, PLAIN, PLAIN, PLAIN),
    ("none", "document", PLAIN, PLAIN, PLAIN, PLAIN, PLAIN),
    ("wm", "preview", WM, PLAIN, WM, PLAIN, WM),
    ("wm", "preview_mobile", WM, PLAIN, WM, PLAIN, WM),
    ("wm", "thumbnail", PLAIN, PLAIN, PLAIN, PLAIN, PLAIN),
    ("wm", "document", PLAIN, PLAIN, PLAIN, PLAIN, PLAIN),
    ("stamp", "preview", STAMPED, PLAIN, WM, PLAIN, WM),
    ("stamp", "preview_mobile", STAMPED, PLAIN, WM, PLAIN, WM),
    ("stamp", "thumbnail", STAMPED, PLAIN, STAMPED, PLAIN, PLAIN),
    ("stamp", "document", STAMPED, PLAIN, STAMPED, PLAIN, PLAIN),
]


@pytest.mark.parametrize("setting", ["none", "wm", "stamp"])
def test_every_path_for_every_viewer(server: Server, ada: User, bob: User, key: RecordKey, setting: str) -> None:
    """04 §5, design 5.6."""
    present(server, stamp=STAMP, public_presentation=setting)
    tokens = {"ada": server.token(ada), "bob": server.token(bob)}
    browsers = {"ada": server.browser(ada), "bob": server.browser(bob)}
    wrong: list[str] = []

    def expect(path: str, client: Any, address: str, links: Paths, wanted: str | None, **more: Any) -> None:
        answer = client.get(address, **more)
        mark = mark_of(server, answer, links.plain)
        if mark != wanted:
            wrong.append(f"{path} {links.name}: {mark}, not {wanted}")
        if wanted is not None:
            assert answer.headers["cache-control"].startswith("private"), path
        head = client.head(address, **more)
        assert head.headers["content-length"] == str(len(answer.content)), path
        assert head.headers["etag"] == answer.headers["etag"], path
        headers = more.get("headers", {})
        part = client.get(address, headers={**headers, "Range": "bytes=5-14"})
        assert (part.status_code, part.content) == (206, answer.content[5:15]), path
        again = {**headers, "If-None-Match": answer.headers["etag"]}
        assert client.get(address, headers=again).status_code == 304, path

    for _, name, anonymous, by_ada, by_bob, home_ada, home_bob in [row for row in TABLE if row[0] == setting]:
        of_ada, of_bob = (Paths(server, key, name, issuer) for issuer in (ada, bob))
        http = server.http
        expect("permalink", http, of_ada.permalink, of_ada, anonymous)
        expect("old permalink", http, of_ada.old, of_ada, anonymous)
        expect("signed by ada", http, of_ada.signed, of_ada, anonymous)
        issued_by_bob = anonymous or (WM if name.startswith("preview") else None)
        expect("signed by bob", http, of_bob.signed, of_bob, issued_by_bob)
        for login, wanted in (("ada", by_ada), ("bob", by_bob)):
            headers = {"Authorization": f"Bearer {tokens[login]}"}
            expect(f"permalink, token of {login}", http, of_ada.permalink, of_ada, wanted, headers=headers)
        for login, wanted in (("ada", home_ada), ("bob", home_bob)):
            expect(f"datafile of {login}", browsers[login].client, of_ada.datafile, of_ada, wanted)
        # Pages contain links, and whoever follows them is a stranger.
        shown = of_ada.shown_by_pages(http)
        assert shown
        for address in shown:
            sub = "thumbnail" if "/medias/" in address else name
            row = next(line for line in TABLE if (line[0], line[1]) == (setting, sub))
            expect(f"page shows {address[:30]}", http, address, Paths(server, key, sub, ada), row[2])
    assert wrong == []


def test_a_signed_in_person_lifts_the_mark_of_a_signed_address(
    server: Server, ada: User, bob: User, key: RecordKey
) -> None:
    present(server, public_presentation="wm")
    links = Paths(server, key, "preview", ada)
    assert mark_of(server, server.browser(ada).get(links.signed), links.plain) is None
    assert mark_of(server, server.browser(bob).get(links.signed), links.plain) == WM
    assert mark_of(server, server.browser(ada).get(links.permalink), links.plain) == WM, (
        "no cookie is read under /permalink"
    )


def test_a_grant_on_the_record_lifts_the_watermark(server: Server, ada: User, bob: User, key: RecordKey) -> None:
    links = Paths(server, key, "preview", ada)
    visitor = server.browser(bob)
    assert mark_of(server, visitor.get(links.datafile), links.plain) == WM
    with server.services.database.write() as work:
        record, _ = server.services.library.records.rendition_without_check(work, key, "preview")
        record_grants.give(work, bob.id, [record.id], GrantSource(SourceKind.PUSH, 1), giver_id=ada.id)
    assert mark_of(server, visitor.get(links.datafile), links.plain) is None


def test_a_right_taken_away_counts_at_once(server: Server, ada: User, key: RecordKey) -> None:
    links = Paths(server, key, "preview", ada)
    visitor = server.browser(ada)
    plain = visitor.get(links.datafile)
    assert mark_of(server, plain, links.plain) is None
    server.regrant(ada, server.photographs, ALL_RIGHTS & ~Right.nowatermark)
    marked = visitor.get(links.datafile, headers={"If-None-Match": plain.headers["etag"]})
    assert mark_of(server, marked, links.plain) == WM, "a cached plain copy is not called current"
    assert mark_of(server, server.http.get(links.signed), links.plain) == WM


def test_films_sounds_and_pdfs_are_never_marked(server: Server, ada: User, bob: User, tmp_path: Path) -> None:
    present(server, stamp=STAMP, public_presentation="stamp")
    for kind, held in {
        "video": StoredRecord(make.mp4(tmp_path / "a.mp4", 0.2), "video/mp4"),
        "audio": StoredRecord(mp3_file(tmp_path / "a.mp3", 0.2), "audio/mpeg"),
        "document": StoredRecord(pdf_file(tmp_path / "a.pdf", 1), "application/pdf"),
    }.items():
        shelved = add_record(server.services, server.photographs, kind, {"document": held}, creator=ada.id)
        links = Paths(server, shelved, "document", ada)
        assert server.http.get(links.permalink).content == held.path.read_bytes()
        assert server.browser(bob).get(links.datafile).content == held.path.read_bytes()


def test_a_poster_is_a_picture_like_any_other(server: Server, ada: User, tmp_path: Path) -> None:
    present(server, public_presentation="wm")
    film = server.add(make.mp4(tmp_path / "a.mp4", 0.5), ada)
    links = Paths(server, film, "poster", ada)
    assert mark_of(server, server.http.get(links.permalink), links.plain) == WM


def test_a_marked_copy_has_the_size_that_was_told(server: Server, ada: User, key: RecordKey) -> None:
    for setting in ("wm", "stamp"):
        present(server, stamp=STAMP, public_presentation=setting)
        for name, size in (("preview", (1280, 800)), ("thumbnail", (384, 240))):
            shown = pyvips.Image.new_from_buffer(server.http.get(Paths(server, key, name, ada).permalink).content, "")
            assert (shown.width, shown.height) == size


def test_thumbnails_that_may_be_stamped_are_in_no_shared_cache(server: Server, ada: User, key: RecordKey) -> None:
    links = Paths(server, key, "thumbnail", ada)
    headers = {"Authorization": f"Bearer {server.token(ada)}"}
    assert server.http.get(links.permalink).headers["cache-control"].startswith("public")
    present(server, stamp=STAMP, public_presentation="stamp")
    for more in ({}, headers):
        assert server.http.get(links.permalink, headers=more).headers["cache-control"].startswith("private")


def test_two_who_ask_at_once_wait_for_one_making(
    server: Server, ada: User, key: RecordKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    present(server, public_presentation="wm")
    calls: list[str] = []
    kind = type(server.services.media.sandbox)
    call = kind.call

    def counted(self: Any, op: str, arguments: dict[str, Any], **more: Any) -> Any:
        calls.append(op)
        return call(self, op, arguments, **more)

    monkeypatch.setattr(kind, "call", counted)
    services = server.services
    with services.database.read() as work:
        record, rendition = services.library.records.rendition_without_check(work, key, "preview")
        wanted = services.library.overlays.request_for(work, record, rendition, Overlay.WATERMARK)
    assert wanted is not None
    digests: list[str] = []
    threads = [
        threading.Thread(target=lambda: digests.append(services.library.overlays.make(wanted).sha256)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(digests)) == 1
    assert len(digests) == 4
    assert calls == ["overlay"]
    assert services.library.overlays._busy == {}


def test_what_cannot_be_marked_is_not_shown(server: Server, ada: User, bob: User, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing more")
    held = StoredRecord(tmp_path / "broken.jpg", "image/jpeg", 100, 100)
    broken = add_record(
        server.services, server.photographs, "image", {"document": held, "preview": held}, creator=ada.id
    )
    present(server, public_presentation="wm")
    links = Paths(server, broken, "preview", ada)
    for answer in (
        server.http.get(links.permalink),
        server.browser(bob).get(links.datafile),
        server.http.get(links.signed),
    ):
        assert answer.status_code == 503
        assert b"nothing more" not in answer.content
    assert server.browser(ada).get(links.datafile).status_code == 200


def test_the_collections_own_picture_and_its_change(server: Server, ada: User, key: RecordKey, tmp_path: Path) -> None:
    presentation = server.services.library.presentation
    present(server, public_presentation="wm")
    links = Paths(server, key, "preview", ada)
    named = server.http.get(links.permalink)
    own = presentation.keep_picture(make.png(tmp_path / "own.png", 400, 100, alpha=True), "own.png")
    present(server, watermark=own)
    pictured = server.http.get(links.permalink, headers={"If-None-Match": named.headers["etag"]})
    assert pictured.status_code == 200, "a change of the overlay is a change of the file"
    present(server, watermark=None)
    assert server.http.get(links.permalink).content == named.content
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(MediaError):
        presentation.keep_picture(tmp_path / "text.png", "text.png")
    with pytest.raises(Invalid, match="not a picture"):
        presentation.keep_picture(make.mp4(tmp_path / "film.mp4", 0.2), "film.mp4")


def test_an_invisible_watermark_is_refused_rather_than_laid_over(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    pyvips.Image.black(50, 50, bands=4).copy(interpretation="srgb").pngsave(str(tmp_path / "clear.png"))
    clear = server.services.library.presentation.keep_picture(tmp_path / "clear.png", "clear.png")
    present(server, public_presentation="wm", watermark=clear)
    assert server.http.get(Paths(server, key, "preview", ada).permalink).status_code == 503


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        ({"blocks": []}, "length >= 1"),
        ({"blocks": [{"place": "MIDDLE"}]}, "place"),
        ({"blocks": [{"place": "TOP"}]}, "empty"),
        ({"blocks": [{"place": "TOP", "lines": [[{"field": "Nothing"}]]}]}, "no public field Nothing"),
        ({"blocks": [{"place": "TOP", "lines": [[{"field": "Title", "var": "DATE"}]]}]}, "either a field or a var"),
        ({"blocks": [{"place": "TOP", "lines": [["x"]], "colour": "red"}]}, "colour"),
        ({"blocks": [{"place": "TOP", "lines": [["x"]], "size": 3}]}, "size"),
    ],
)
def test_a_stamp_with_a_fault_is_refused_and_named(server: Server, definition: Any, fault: str) -> None:
    with pytest.raises(Invalid, match=fault):
        present(server, stamp=definition)


def test_stamp_is_asked_for_only_where_there_is_one(server: Server) -> None:
    with pytest.raises(Invalid, match="no stamp yet"):
        present(server, public_presentation="stamp")


def test_only_who_manages_the_collection_sets_its_marks(server: Server, bob: User) -> None:
    from vitrine.accounts import Via
    from vitrine.library.errors import MayNotChange

    server.regrant(bob, server.photographs, Right.actif | Right.canmodifrecord)
    with server.services.database.write() as work:
        fresh = server.services.accounts.users.get(work, bob.id)
        actor = server.services.accounts.users.actor_of(work, fresh, Via.SESSION)
        with pytest.raises(MayNotChange):
            server.services.library.presentation.set(work, actor, server.photographs.id, {"public_presentation": "wm"})


def test_the_sweep_keeps_copies_that_are_needed_and_forgets_the_others(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    from datetime import timedelta

    from vitrine.library import store
    from vitrine.library.sweep import Sweeper

    own = server.services.library.presentation.keep_picture(make.png(tmp_path / "own.png", alpha=True), "own.png")
    present(server, public_presentation="wm", watermark=own)
    links = Paths(server, key, "preview", ada)
    marked = server.http.get(links.permalink)
    sweeper = Sweeper(server.services.database, server.services.media)
    sweeper.sweep(timedelta(0))
    assert server.http.get(links.permalink).content == marked.content
    assert server.services.media.store.size(own) > 0
    with server.services.database.write() as work:
        record = store.by_key(work, key)
        assert record
        store.delete_record(work, record.id)
    sweeper.sweep(timedelta(0))
    with server.services.database.read() as work:
        assert work.db.exec_driver_sql("SELECT count(*) FROM derived_files").scalar() == 0


def test_the_command_sets_the_marks(server: Server, ada: User, key: RecordKey, tmp_path: Path) -> None:
    import json

    from click.testing import CliRunner

    from vitrine.cli.main import cli

    make.png(tmp_path / "logo.png", 60, 30)
    definition = {"blocks": [{"place": "BOTTOM", "logo": "logo.png", "lines": [["© Museum"]]}]}
    (tmp_path / "stamp.json").write_text(json.dumps(definition))
    call = ["collection", "set", str(server.photographs.id), "--data", str(server.settings.data_dir), "--json"]
    runner = CliRunner()
    result = runner.invoke(cli, [*call, "--stamp", str(tmp_path / "stamp.json"), "--public-presentation", "stamp"])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.output.splitlines()[-1])["stamp"]["blocks"][0]["logo"]) == 64
    links = Paths(server, key, "preview", ada)
    stamped = server.http.get(links.permalink)
    assert stamped.status_code == 200
    assert hashlib.sha256(stamped.content).hexdigest() != links.plain, "a running server notices at once"
    (tmp_path / "stamp.json").write_text(json.dumps(definition).replace("logo.png", "none.png"))
    refused = runner.invoke(cli, [*call, "--stamp", str(tmp_path / "stamp.json")])
    assert isinstance(refused.exception, Invalid)
    assert "none.png is not beside" in str(refused.exception)
