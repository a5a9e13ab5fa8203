"""Downloads of several documents: put together, mailed, fetched by whoever has a link, by the rights of their maker
now."""

import io
import re
import threading
import zipfile
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.v4.conftest import Call
from tests.v4.test_frame import problem
from vitrine import app, housekeeping
from vitrine.accounts import COMMAND, CollectionGrant, Right, User, Via
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.library import store as library_store
from vitrine.library.bundles import preparing
from vitrine.library.bundles.preparing import BundlePreparation
from vitrine.library.model import Collection, RecordKey
from vitrine.library.sharing.tables import bundle_files, bundle_links, download_bundles
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return make.jpeg(tmp_path / "harbour.jpg", 90, 60)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return make.jpeg(tmp_path / "small.jpg", 45, 30)


@pytest.fixture
def keys(server: Server, picture: Path, small: Path) -> list[RecordKey]:
    return [add(server, server.photographs, picture, small, f"Boat {number}") for number in range(3)]


def add(server: Server, into: Collection, picture: Path, small: Path, title: str = "Quay") -> RecordKey:
    files = {
        "document": StoredRecord(picture, "image/jpeg", 90, 60),
        "preview": StoredRecord(small, "image/jpeg", 45, 30),
    }
    return add_record(server.services, into, "image", files, title=title)


def named(*keys: RecordKey) -> list[dict[str, Any]]:
    return [{"databox_id": key.databox, "record_ids": [key.number]} for key in keys]


ONE = [{"databox_id": 1, "record_ids": [1]}]


def begin(call: Call, keys: list[RecordKey], **more: Any) -> str:
    """The path of a new download."""
    answer = call("POST", "/downloads", {"records": named(*keys), **more.pop("body", {})}, **more)
    assert answer.status_code == 202, answer.text
    path = f"/downloads/{answer.json()['download_id']}"
    assert answer.headers["location"].endswith(f"/api/v4{path}")
    return path


def prepared(server: Server, call: Call, keys: list[RecordKey], **more: Any) -> str:
    path = begin(call, keys, **more)
    server.work()
    assert call("GET", path).json()["state"] == "ready"
    return path


def link(call: Call, path: str) -> str:
    """A link to hand out, without host."""
    answer = call("POST", path + "/links")
    assert answer.status_code == 201, answer.text
    return re.sub(r"^https?://[^/]+", "", str(answer.json()["url"]))


def unzipped(answer: Any) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def fetched(server: Server, address: str) -> dict[str, bytes]:
    return unzipped(server.http.get(address.replace("/prepare/", "/get/")))


def outcomes(call: Call, path: str) -> list[str | None]:
    return [file["outcome"] for file in call("GET", path + "/files").json()["data"]]


def mails(server: Server) -> list[Any]:
    folder = server.settings.data_dir / "outbox"
    paths = sorted(folder.glob("*.eml")) if folder.exists() else []
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


def link_in(mail: Any) -> str:
    match = re.search(r"https?://[^/\s]+(/download/\w+/prepare/)", mail.get_content())
    assert match, mail.get_content()
    return match[1]


def test_a_download_from_its_making_to_its_end(
    server: Server, call: Call, token: str, keys: list[RecordKey], picture: Path
) -> None:
    path = begin(call, keys, body={"title": "Boats", "note": "For the wall"})
    waiting = call("GET", path).json()
    assert (waiting["state"], waiting["total"], waiting["prepared"]) == ("waiting", 3, 0)
    address = link(call, path)
    assert server.http.get(address.replace("/prepare/", "/get/")).status_code == 404
    page = server.http.get(address)
    assert page.status_code == 200 and "Boats" in page.text and "/get/" not in page.text
    server.work()
    assert call("GET", path).json()["state"] == "ready"
    assert outcomes(call, path) == ["ready"] * 3
    page = server.http.get(address)
    assert page.status_code == 200 and "For the wall" in page.text and "harbour (2).jpg" in page.text
    content = picture.read_bytes()
    assert fetched(server, address) == dict.fromkeys(("harbour.jpg", "harbour (2).jpg", "harbour (3).jpg"), content)
    assert call("GET", path).json()["downloads"] == 1
    assert call("POST", path + "/revoke").json()["state"] == "revoked"
    assert server.http.get(address.replace("/prepare/", "/get/")).status_code == 404
    gone = server.http.get(address)
    assert gone.status_code == 404 and "Ada" in gone.text
    assert call("POST", path + "/revoke").status_code == 200
    own = {"Authorization": f"Bearer {token}"}
    assert server.http.get(f"{path}/archive.zip", headers=own).status_code == 404


def test_it_is_fetched_in_parts_and_continued(server: Server, call: Call, keys: list[RecordKey]) -> None:
    address = link(call, prepared(server, call, keys)).replace("/prepare/", "/get/")
    whole = server.http.get(address)
    head = server.http.head(address)
    assert head.headers["content-length"] == whole.headers["content-length"] and not head.content
    tag = whole.headers["etag"]
    first = server.http.get(address, headers={"Range": "bytes=0-99"})
    rest = server.http.get(address, headers={"Range": "bytes=100-", "If-Range": tag})
    assert "last-modified" not in rest.headers, "its bytes follow the rights of the moment: a date tells nothing"
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == whole.content
    assert server.http.get(address, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    assert server.http.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert whole.headers["cache-control"] == "private, no-store"


def test_files_are_chosen_by_name_and_class_and_refusals_are_named(
    server: Server, call: Call, keys: list[RecordKey], small: Path, picture: Path, ada: User
) -> None:
    path = prepared(server, call, keys[:1], body={"renditions": ["preview", "thumbnail"]})
    assert outcomes(call, path) == ["ready", "no_such_rendition"]
    archive = fetched(server, link(call, path))
    assert archive["harbour-preview.jpg"] == small.read_bytes()
    assert "no_such_rendition" in archive["NOT-INCLUDED.txt"].decode()
    both = prepared(server, call, keys[:1], body={"classes": ["document", "preview"]})
    assert set(fetched(server, link(call, both))) == {"harbour.jpg", "harbour-preview.jpg"}
    hidden = add(server, server.archive, picture, small, "Secret quay")
    with server.services.database.write() as work:
        gone = CollectionGrant(server.archive.id, server.databox.id, Right(0))
        server.services.accounts.users.grant(work, COMMAND, ada.id, gone)
    path = prepared(server, call, [*keys[:1], hidden, RecordKey(server.databox.id, 999)])
    assert outcomes(call, path) == ["ready", "no_such_record", "no_such_record"]
    text = fetched(server, link(call, path))["NOT-INCLUDED.txt"].decode()
    assert f"{hidden.databox}/{hidden.number}" in text and "Secret" not in text
    assert problem(call("POST", "/downloads", {"records": named(hidden)}), 409)["code"] == "nothing_to_download"


def test_what_the_maker_may_no_longer_have_is_no_longer_given(
    server: Server, call: Call, keys: list[RecordKey], ada: User
) -> None:
    address = link(call, prepared(server, call, keys))
    assert len(fetched(server, address)) == 3
    with server.services.database.write() as work:
        record = library_store.by_key(work, keys[0])
        assert record is not None
        library_store.update_record(work, record.id, {"collection_id": server.archive.id})
    server.regrant(ada, server.archive, Right.actif)
    archive = fetched(server, address)
    assert set(archive) == {"harbour (2).jpg", "harbour (3).jpg", "NOT-INCLUDED.txt"}
    with server.services.database.write() as work:
        record = library_store.by_key(work, keys[1])
        assert record is not None
        server.services.library.removal.discard(work, COMMAND, keys[1])
    assert set(fetched(server, address)) == {"harbour (3).jpg", "NOT-INCLUDED.txt"}
    server.regrant(ada, server.photographs, ALL_RIGHTS & ~Right.actif)  # suspended there
    assert set(fetched(server, address)) == {"NOT-INCLUDED.txt"}
    assert server.http.get(address).status_code == 200


def test_another_file_in_its_place_is_not_given_under_the_old_name(
    server: Server, call: Call, keys: list[RecordKey], small: Path
) -> None:
    address = link(call, prepared(server, call, keys[:2]))
    stored = server.services.media.store_file(small)
    with server.services.database.write() as work:
        record = library_store.by_key(work, keys[0])
        assert record is not None
        library_store.update_rendition(work, record.id, "document", {"sha256": stored.sha256, "size": stored.size})
    archive = fetched(server, address)
    assert "harbour.jpg" not in archive and "changed_meanwhile" in archive["NOT-INCLUDED.txt"].decode()


def test_a_closed_account_and_the_end_of_its_time_end_the_links(
    server: Server, call: Call, keys: list[RecordKey], ada: User
) -> None:
    path = prepared(server, call, keys)
    address = link(call, path)
    with server.services.database.write() as work:
        work.db.execute(download_bundles.update().values(expires=work.now - timedelta(seconds=1)))
    assert server.http.get(address.replace("/prepare/", "/get/")).status_code == 404
    assert "has ended" in server.http.get(address).text
    assert call("GET", path).json()["state"] == "ended"
    with server.services.database.write() as work:
        work.db.execute(download_bundles.update().values(expires=work.now - timedelta(days=8)))
    housekeeping.purge(server.services, threading.Event())
    with server.services.database.read() as work:
        for table in (download_bundles, bundle_files, bundle_links):
            assert work.db.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    unknown = server.http.get(address)
    assert unknown.status_code == 404 and "not known here" in unknown.text
    second = link(call, prepared(server, call, keys))
    with server.services.database.write() as work:
        server.services.accounts.administration.close(work, COMMAND, ada.login)
    assert server.http.get(second.replace("/prepare/", "/get/")).status_code == 404


def test_links_are_mailed_when_the_files_are_ready(
    server: Server, call: Call, keys: list[RecordKey], ada: User
) -> None:
    bob = server.user("bob", {}, email="bob@museum.example", locale="fr")
    recipients = [{"login": "bob"}, {"email": "printer@example.com"}]
    path = begin(call, keys, body={"title": "Boats", "note": "Print them", "recipients": recipients})
    assert mails(server) == []
    server.work()
    sent = {mail["To"]: mail for mail in mails(server)}
    assert set(sent) == {"bob@museum.example", "printer@example.com"}
    assert "fonctionne jusqu" in sent["bob@museum.example"].get_content()
    printer = sent["printer@example.com"]
    assert "Print them" in printer.get_content() and "Boats" in printer["Subject"]
    assert link_in(printer) != link_in(sent["bob@museum.example"])
    assert len(fetched(server, link_in(printer))) == 3
    listed = call("GET", path + "/links").json()["data"]
    assert [(each["user_id"], each["email"], each["is_mailed"], each["downloads"]) for each in listed] == [
        (bob.id, "", True, 0), (None, "printer@example.com", True, 1),
    ]  # fmt: skip
    assert call("DELETE", f"{path}/links/{listed[1]['link_id']}").status_code == 204
    assert server.http.get(link_in(printer)).status_code == 404
    assert server.http.get(link_in(sent["bob@museum.example"])).status_code == 200
    server.work()
    assert len(mails(server)) == 2
    with server.services.database.write() as work:
        server.services.accounts.administration.suspend(work, COMMAND, "bob")
    assert server.http.get(link_in(sent["bob@museum.example"])).status_code == 404
    refused = call("POST", "/downloads", {"records": named(*keys), "recipients": [{"login": "bob"}]})
    assert problem(refused, 400)["field"] == "recipients"


def test_sending_to_others_needs_the_right_to_push(
    server: Server, call: Call, keys: list[RecordKey], picture: Path, small: Path, ada: User
) -> None:
    quiet = add(server, server.archive, picture, small)
    server.regrant(ada, server.archive, ALL_RIGHTS & ~Right.canpush)
    body = {"recipients": [{"email": "printer@example.com"}]}
    path = prepared(server, call, [keys[0], quiet], body=body)
    assert outcomes(call, path) == ["ready", "may_not_send"]
    own = prepared(server, call, [keys[0], quiet], body={"recipients": [{"user_id": ada.id}]})
    assert outcomes(call, own) == ["ready", "ready"]
    # A link to hand out gives what may be pushed, whatever the download holds, and for as long as it may be.
    url = call("POST", own + "/links").json()["url"]
    link = url[url.index("/download/") :].replace("/prepare/", "/get/")
    assert len(unzipped(server.http.get(link))) == 2  # a photograph, and which is not there
    assert "Quay" not in unzipped(server.http.get(link))["NOT-INCLUDED.txt"].decode()
    server.regrant(ada, server.photographs, ALL_RIGHTS & ~Right.canpush)
    assert list(unzipped(server.http.get(link))) == ["NOT-INCLUDED.txt"]
    reader = server.user("rita", READER | Right.candwnldhd)
    token = server.token(reader)
    refused = server.call("POST", "/api/v4/downloads", token, json={"records": named(keys[0]), **body})
    assert refused.status_code == 403 and refused.json()["code"] == "may_not_send"
    for stranger in ("ada", "nobody"):  # who may not send is told of nobody
        sent = {"records": named(keys[0]), "recipients": [{"login": stranger}]}
        assert server.call("POST", "/api/v4/downloads", token, json=sent).json()["code"] == "may_not_send"
    begun = server.call("POST", "/api/v4/downloads", token, json={"records": named(keys[0])})
    assert begun.status_code == 202
    number = begun.json()["download_id"]
    assert server.call("POST", f"/api/v4/downloads/{number}/links", token).status_code == 403
    server.work()
    assert unzipped(server.http.get(f"/downloads/{number}/archive.zip", headers={"Authorization": f"Bearer {token}"}))


def test_a_download_is_its_makers(server: Server, call: Call, keys: list[RecordKey]) -> None:
    path = prepared(server, call, keys)
    other = server.token(server.user("eve"))
    for method, address in (
        ("GET", path), ("GET", path + "/files"), ("GET", path + "/links"), ("POST", path + "/links"),
        ("POST", path + "/revoke"), ("DELETE", path + "/links/1"),
    ):  # fmt: skip
        assert server.call(method, "/api/v4" + address, other).status_code == 404
    archive = f"{path}/archive.zip"
    assert server.http.get(archive, headers={"Authorization": f"Bearer {other}"}).status_code == 404
    assert server.http.get(archive).status_code == 404
    assert server.call("GET", "/api/v4/downloads", other).json()["data"] == []
    assert len(call("GET", "/downloads").json()["data"]) == 1


def test_previews_carry_the_mark_that_a_single_download_carries(
    server: Server, call: Call, keys: list[RecordKey], ada: User, small: Path
) -> None:
    server.regrant(ada, server.photographs, READER | Right.canpush)
    path = prepared(server, call, keys[:1])
    marked = fetched(server, link(call, path))["harbour-preview.jpg"]
    assert marked != small.read_bytes()
    shown = server.browser(ada).get(f"/datafiles/{keys[0].databox}/{keys[0].number}/preview/")
    assert shown.content == marked


def test_captions_come_as_a_table_without_business_fields(server: Server, call: Call, picture: Path) -> None:
    with server.services.database.read() as work:
        fields = server.services.library.records.structure(work).fields[server.databox.id]
    business = next(field for field in fields if field.business)
    plain = next(field for field in fields if not field.business and not field.readonly)
    values = {plain.name: "=1+1", business.name: "secret"}
    files = {"document": StoredRecord(picture, "image/jpeg", 90, 60)}
    key = add_record(server.services, server.photographs, "image", files, title="Quay", values=values)
    table = fetched(server, link(call, prepared(server, call, [key], body={"captions": "csv"})))["captions.csv"]
    lines = table.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("file,databox_id,record_id,title,") and plain.name in lines[0]
    assert lines[1].startswith(f"harbour.jpg,{key.databox},{key.number},Quay,") and "'=1+1" in lines[1]
    assert "secret" not in table.decode() and business.name not in lines[0]


def test_a_worker_that_was_killed_goes_on_after_its_last_batch(
    server: Server, call: Call, keys: list[RecordKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "BATCH", 1)
    path = begin(call, keys)
    bundle_id = int(path.rpartition("/")[2])
    handler = app.make_worker(server.services).handlers["bundles.prepare"]
    assert isinstance(handler, BundlePreparation)
    assert handler.run_batch(bundle_id)
    state = call("GET", path).json()
    assert (state["state"], state["prepared"]) == ("preparing", 1)
    address = link(call, path)
    assert server.http.get(address.replace("/prepare/", "/get/")).status_code == 404  # never half of it
    server.work()
    assert len(fetched(server, address)) == 3
    assert not handler.run_batch(bundle_id)  # run again, it does nothing


def test_one_taken_back_while_it_is_prepared_stays_so(server: Server, call: Call, keys: list[RecordKey]) -> None:
    path = begin(call, keys, body={"recipients": [{"email": "printer@example.com"}]})
    assert call("POST", path + "/revoke").json()["state"] == "revoked"
    server.work()
    assert call("GET", path).json()["state"] == "revoked"
    assert mails(server) == []


def test_a_file_without_bytes_never_stops_the_others(
    server: Server, call: Call, keys: list[RecordKey], tmp_path: Path, small: Path
) -> None:
    lost = make.jpeg(tmp_path / "lost.jpg", 33, 22)
    key = add(server, server.photographs, lost, small)
    server.services.media.store.delete(server.services.media.store_file(lost).sha256)
    path = prepared(server, call, [key, keys[0]])
    assert outcomes(call, path) == ["not_found", "ready"]
    assert set(fetched(server, link(call, path))) == {"harbour.jpg", "NOT-INCLUDED.txt"}


def test_a_quota_is_asked_for_the_whole(server: Server, call: Call, keys: list[RecordKey], ada: User) -> None:
    server.regrant(ada, server.photographs, ALL_RIGHTS | Right.restrict_dwnld, monthly_downloads=2)
    refused = problem(call("POST", "/downloads", {"records": named(*keys)}), 403)
    assert refused["code"] == "download_quota_used" and "Photographs" in refused["detail"]
    address = link(call, prepared(server, call, keys[:2]))
    assert len(fetched(server, address)) == 2
    assert len(fetched(server, address)) == 2  # counted when it was made
    (quota,) = call("GET", "/me/download-quotas").json()["quotas"]
    assert quota["remaining"] == 0


def test_terms_of_use_are_accepted_first(server: Server, call: Call, keys: list[RecordKey], ada: User) -> None:
    terms = server.services.library.terms
    object.__setattr__(terms, "required_for_download", True)
    with server.services.database.write() as work:
        version = terms.publish(work, COMMAND, server.databox.id, {"en": "<p>Name the museum.</p>"}, must_accept=True)
    assert problem(call("POST", "/downloads", {"records": named(*keys)}), 409)["code"] == "terms_not_accepted"
    accounts = server.services.accounts.users
    with server.services.database.write() as work:
        actor = accounts.actor_of(work, accounts.get(work, ada.id), Via.SESSION)
        terms.accept(work, actor, server.databox.id, version.number)
    begin(call, keys)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"records": []}, {"records": ONE, "renditions": [""]},
        {"records": ONE, "classes": ["huge"]}, {"records": ONE, "x": 1},
        {"records": [{"databox_id": 2**64, "record_ids": [1]}]}, {"records": "all"},
        {"records": ONE, "title": "t" * 129},
        {"records": ONE, "expires_in_hours": 0},
        {"records": ONE, "recipients": [{}]},
        {"records": ONE, "recipients": [{"email": "nobody"}]},
        {"records": ONE, "recipients": [{"login": "nobody"}]},
        {"records": ONE, "recipients": [{"email": "a@b.example\r\nBcc: c@d.example"}]},
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_is_refused_by_name(call: Call, keys: list[RecordKey], body: dict[str, Any]) -> None:
    answer = call("POST", "/downloads", body)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json().get("faults") or answer.json().get("field")


def test_baskets_and_stories_give_their_records(server: Server, call: Call, keys: list[RecordKey]) -> None:
    basket = call("POST", "/baskets", {"name": "Boats"}).json()["basket_id"]
    elements = {"records": [{"databox_id": key.databox, "record_id": key.number} for key in keys[:2]]}
    call("POST", f"/baskets/{basket}/elements", elements)
    answer = call("POST", "/downloads", {"basket_id": basket, "records": named(keys[2])})
    assert answer.json()["total"] == 3
    eve = server.token(server.user("eve"))
    assert server.call("POST", "/api/v4/downloads", eve, json={"basket_id": basket}).status_code == 404


def test_too_many_at_once_are_refused(
    server: Server, call: Call, keys: list[RecordKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitrine.library.bundles.service.MOST_LIVE", 1)
    path = begin(call, keys)
    assert problem(call("POST", "/downloads", {"records": named(*keys)}), 409)["code"] == "too_many_downloads"
    call("POST", path + "/revoke")
    begin(call, keys)


def test_a_large_selection_of_the_wall_gets_a_link(
    server: Server, keys: list[RecordKey], ada: User, picture: Path
) -> None:
    object.__setattr__(server.settings, "download_max_mbytes", 0)
    visitor = server.browser(ada)
    chosen = {**visitor.form("/account/"), "record[]": [f"{key.databox}/{key.number}" for key in keys]}
    answer = visitor.client.post("/library/download", data=chosen)
    assert answer.status_code == 303
    server.work()
    assert len(fetched(server, answer.headers["location"])) == 3
    script = server.http.post(answer.headers["location"].replace("/prepare/", "/execute/"))
    assert script.json() == {"success": True, "message": ""}
    assert server.http.post("/download/unknown1/execute/").json()["success"] is False


def test_somebody_sends_a_bounded_number_of_mails(
    server: Server, call: Call, keys: list[RecordKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitrine.library.bundles.service.MAILS_AN_HOUR", 1)
    body = {"records": named(*keys), "recipients": [{"email": "printer@example.com"}]}
    assert call("POST", "/downloads", body).status_code == 202
    refused = call("POST", "/downloads", body)
    assert problem(refused, 429)["code"] == "too_many_mails"
    assert int(refused.headers["retry-after"]) > 0
