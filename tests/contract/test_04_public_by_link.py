"""Contract 04 sections 1 to 6, 06 section 10: what one switch of a record closes, and what it leaves open.

Every public route is asked with the record switched off, with the file switched off, and with both on, at the server
that switched and at another one that has everything in its caches.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.contract.test_04_embed import VTT, address, configuration, embed
from vitrine.accounts import COMMAND, DataboxRight, User
from vitrine.files import routes as files_routes
from vitrine.library.model import RecordKey
from vitrine.library.sharing import permalinks
from vitrine.library.sharing.permalinks import ImportedPermalink
from vitrine.search import tantivy_index
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server, Visitor
from vitrine.web.embed import viewer as viewer_routes

pytestmark = [pytest.mark.both_databases]
CAPTION = "/permalink/v1/{databox_id:int}/{record_id:int}/caption/"
PAGE = "/permalink/v1/{databox_id:int}/{record_id:int}/{subdef}/"
FILE = PAGE + "{label}"
OLD = "/permalink/v1/{label}/{databox_id:int}/{record_id:int}/{token}/{subdef}/"


@dataclass(frozen=True, slots=True)
class PublicRequest:
    """A request of somebody who is not signed in; *route* is the one that answers."""

    route: str
    path: str
    method: str = "GET"
    headers: Mapping[str, str] | None = None


@pytest.fixture
def ada(server: Server) -> User:
    user = server.user("ada")
    with server.services.database.write() as work:
        server.services.accounts.users.grant_databox(work, COMMAND, user.id, server.databox.id, DataboxRight.bas_chupub)
    return user


@pytest.fixture
def other(server: Server) -> Iterator[Server]:
    """Another process on the same instance, as far as caches are concerned."""
    second = Server.of(
        server.settings.data_dir, database_url=server.settings.database_url, fast_paths=server.settings.fast_paths
    )
    yield second
    second.close()


@pytest.fixture
def film(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    moving = StoredRecord(make.mp4(tmp_path / "film.mp4", 0.4), "video/mp4", 320, 180)
    still = StoredRecord(make.jpeg(tmp_path / "film.jpg", 320, 180), "image/jpeg", 320, 180)
    files = {"document": moving, "preview": moving, "thumbnail": still}
    values = {"VideoTextTrackFr": VTT}
    return add_record(server.services, server.photographs, "video", files, creator=ada.id, values=values)


def local(text: str) -> str:
    return urlsplit(text)._replace(scheme="", netloc="").geturl()


def files_of(server: Server, key: RecordKey, token: str) -> dict[str, Any]:
    files = server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"]
    return {file["name"]: file for file in files}


def public_requests(server: Server, key: RecordKey, name: str, bearer: str) -> dict[str, PublicRequest]:
    """By a name for the reader: every way to the bytes and texts of one file that needs no account."""
    link, page = address(server, key, name), address(server, key, name, page=True)
    token = link.partition("token=")[2]
    signed = local(files_of(server, key, bearer)[name]["url"])
    cover = local(configuration(embed(server, key, name=name).text)["resource"]["coverUrl"])
    old = f"/permalink/v1/Harbour/{key.databox}/{key.number}/{token}/{name}/"
    caption = f"/permalink/v1/{key.databox}/{key.number}/caption/?token={token}"
    etag = server.http.get(local(link)).headers["etag"]
    track = server.http.get("/embed/", params={"url": link}).text.partition("&amp;choice=")[2].partition('"')[0]
    whole = {kind: quote(text, safe="") for kind, text in {"file": link, "page": page, "medias": signed}.items()}
    requests = {
        "file": PublicRequest(FILE, local(link)),
        "file, only headers": PublicRequest(FILE, local(link), "HEAD"),
        "file, other label": PublicRequest(
            FILE, f"/permalink/v1/{key.databox}/{key.number}/{name.upper()}/x?token={token}"
        ),
        "download": PublicRequest(FILE, local(link) + "&download=1"),
        "part of the file": PublicRequest(FILE, local(link), headers={"Range": "bytes=0-9"}),
        "file, known": PublicRequest(FILE, local(link), headers={"If-None-Match": etag}),
        "file, with an access token": PublicRequest(FILE, local(link), headers={"Authorization": f"Bearer {bearer}"}),
        "file, options": PublicRequest(FILE, local(link), "OPTIONS"),
        "page": PublicRequest(PAGE, local(page)),
        "page, options": PublicRequest(PAGE, local(page), "OPTIONS"),
        "caption": PublicRequest(CAPTION, caption),
        "caption, options": PublicRequest(CAPTION, caption, "OPTIONS"),
        "old file": PublicRequest(OLD, old),
        "old page": PublicRequest(OLD + "view/", old + "view/"),
        "signed address": PublicRequest("/medias/{token}", signed),
        "signed address, download": PublicRequest("/medias/{token}", signed + "?download=1"),
        "cover": PublicRequest("/medias/{token}", cover),
        "embed, as it is": PublicRequest("/embed/", f"/embed/?url={link}"),
        "embed of the old file": PublicRequest("/embed/", f"/embed/?url={old}"),
        "embed without a slash": PublicRequest("/embed", f"/embed?url={whole['file']}"),
        "oembed of an embed page": PublicRequest(
            "/oembed", "/oembed?url=" + quote(f"{server.settings.origin}/embed/?url={whole['file']}", safe="")
        ),
        "oembed as XML": PublicRequest("/embed/oembed/", f"/embed/oembed/?format=xml&url={whole['file']}"),
    }
    for kind, text in whole.items():
        requests |= {
            f"embed of {kind}": PublicRequest("/embed/", f"/embed/?url={text}"),
            f"text track of {kind}": PublicRequest("/embed/vtt/", f"/embed/vtt/?url={text}&choice={track}"),
            f"oembed of {kind}": PublicRequest("/oembed", f"/oembed?url={text}"),
            f"oembed/ of {kind}": PublicRequest("/oembed/", f"/oembed/?url={text}"),
            f"embed/oembed/ of {kind}": PublicRequest("/embed/oembed/", f"/embed/oembed/?url={text}"),
        }
    return requests


def statuses(server: Server, requests: Mapping[str, PublicRequest]) -> dict[str, int]:
    return {
        name: server.http.request(request.method, request.path, headers=request.headers).status_code
        for name, request in requests.items()
    }


OTHER_STATUS = {"part of the file": 206, "file, known": 304}


def opened(requests: Mapping[str, PublicRequest]) -> dict[str, int]:
    return {name: OTHER_STATUS.get(name, 200) for name in requests}


def page_of(key: RecordKey) -> str:
    return f"/records/{key.databox}/{key.number}/"


def switch(visitor: Visitor, key: RecordKey, *, record: str = "", file: str = "") -> None:
    action, values = ("public/", {"public": record}) if record else ("links/", {"link": file})
    assert visitor.submit(page_of(key), page_of(key) + action, values).status_code == 303


OFF = [{"record": "off"}, {"file": "off:preview"}]


@pytest.mark.both_paths
@pytest.mark.parametrize("choice", OFF, ids=("record off", "file off"))
def test_a_switch_closes_every_public_route_at_once_in_every_process(
    server: Server, other: Server, ada: User, film: RecordKey, choice: dict[str, str]
) -> None:
    visitor = server.browser(ada)
    requests = public_requests(server, film, "preview", server.token(ada))
    for process in (server, other):  # twice: the second time from the caches
        assert [statuses(process, requests) for _ in range(2)] == [opened(requests)] * 2
    switch(visitor, film, **choice)
    closed = dict.fromkeys(requests, 404)
    assert statuses(other, requests) == closed
    assert statuses(server, requests) == closed
    switch(visitor, film, **{what: how.replace("off", "on") for what, how in choice.items()})
    assert statuses(other, requests) == opened(requests)
    assert statuses(server, requests) == opened(requests)


def test_no_public_route_is_forgotten_here(server: Server, ada: User, film: RecordKey) -> None:
    routes_tested = {request.route for request in public_requests(server, film, "preview", server.token(ada)).values()}
    routes = {route.path for route in [*files_routes.ROUTES, *viewer_routes.ROUTES]}
    of_record = "/datafiles/{databox_id:int}/{record_id:int}/"
    for_signed_in_people = {of_record + "{subdef}/", of_record + "versions/{version:int}/"}
    assert routes - routes_tested == for_signed_in_people


def test_all_files_are_closed_and_each_keeps_its_own_switch(server: Server, ada: User, film: RecordKey) -> None:
    visitor, token = server.browser(ada), server.token(ada)
    links = {name: local(address(server, film, name)) for name in ("document", "preview", "thumbnail")}

    def opens() -> dict[str, int]:
        return {name: server.http.get(link).status_code for name, link in links.items()}

    switch(visitor, film, file="off:document")
    switch(visitor, film, record="off")
    assert opens() == {"document": 404, "preview": 404, "thumbnail": 404}
    switch(visitor, film, file="on:preview")
    assert opens() == {"document": 404, "preview": 404, "thumbnail": 404}, "beneath the switch of the record"
    switch(visitor, film, file="off:thumbnail")
    switch(visitor, film, record="on")
    assert opens() == {"document": 404, "preview": 200, "thumbnail": 404}
    activated = {name: file["permalink"]["is_activated"] for name, file in files_of(server, film, token).items()}
    assert activated == {"document": False, "preview": True, "thumbnail": False}


def test_a_file_without_a_permalink_has_the_switch_of_its_record(server: Server, ada: User, film: RecordKey) -> None:
    signed = local(files_of(server, film, server.token(ada))["thumbnail"]["url"])
    with server.services.database.write() as work:
        work.db.exec_driver_sql("DELETE FROM permalinks WHERE name = 'thumbnail'")
    assert server.http.get(signed).status_code == 200
    switch(server.browser(ada), film, record="off")
    assert server.http.get(signed).status_code == 404


def test_who_is_signed_in_keeps_their_rights(server: Server, other: Server, ada: User, film: RecordKey) -> None:
    visitor, stranger = server.browser(ada), server.browser()
    own = f"/datafiles/{film.databox}/{film.number}/"
    switch(visitor, film, record="off")
    paths = [
        page_of(film), own + "document/", own + "preview/", own + "thumbnail/",
        f"/embed/?url={own}preview/", f"/oembed?url={own}preview/",
    ]  # fmt: skip
    assert [visitor.get(path).status_code for path in paths] == [200] * len(paths)
    assert [stranger.get(path).status_code for path in paths[1:]] == [404] * (len(paths) - 1)
    frame = visitor.get(f"/embed/?url={own}preview/").text
    assert "/medias/" not in frame, "no address that needs no account"
    assert configuration(frame)["resource"]["coverUrl"].endswith(own + "thumbnail/")
    assert visitor.get(own + "thumbnail/").status_code == 200


def test_answers_keep_their_permalinks_and_tell_the_truth(
    server: Server, other: Server, ada: User, film: RecordKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tantivy_index, "RELOAD_EVERY_S", 0)  # the other process sees the index as it is now
    token = server.token(ada)
    paths = [
        f"/api/v1/records/{film.databox}/{film.number}/", f"/api/v1/records/{film.databox}/{film.number}/embed/",
        "/api/v1/search/?query=", "/api/v1/search/?query=&extend%5B%5D=1",
    ]  # fmt: skip
    server.work()

    def activated(process: Server) -> list[set[bool]]:
        states = []
        for path in paths:
            answer = process.call("GET", path, token)
            assert answer.status_code == 200
            states.append(set(permalinks_in(answer.json())))
        return states

    visitor = server.browser(ada)
    assert activated(server) == activated(other) == [{True}] * len(paths)
    switch(visitor, film, record="off")
    assert activated(other) == activated(server) == [{False}] * len(paths)
    switch(visitor, film, record="on")
    assert activated(other) == activated(server) == [{True}] * len(paths)


def permalinks_in(answer: Any) -> list[bool]:
    """`is_activated` of every permalink in an answer."""
    if isinstance(answer, dict):
        own = [answer["is_activated"]] if "is_activated" in answer else []
        return own + [state for value in answer.values() for state in permalinks_in(value)]
    return [state for value in answer for state in permalinks_in(value)] if isinstance(answer, list) else []


def test_a_permalink_that_is_imported_is_beneath_the_switch(server: Server, ada: User, film: RecordKey) -> None:
    switch(server.browser(ada), film, record="off")
    with server.services.database.write() as work:
        structure = server.services.library.records.structure(work)
        permalinks.import_permalink(work, COMMAND, structure, film, "preview", ImportedPermalink("fromElsewhere"))
    link = local(address(server, film))
    assert link.endswith("token=fromElsewhere")
    assert server.http.get(link).status_code == 404
    switch(server.browser(ada), film, record="on")
    assert server.http.get(link).status_code == 200


def test_a_record_that_is_deleted_and_restored_stays_closed(server: Server, ada: User, film: RecordKey) -> None:
    link = local(address(server, film))
    switch(server.browser(ada), film, record="off")
    with server.services.database.write() as work:
        server.services.library.removal.remove(work, COMMAND, film)
    with server.services.database.write() as work:
        server.services.library.removal.restore(work, COMMAND, film)
    assert server.http.get(link).status_code == 404
    switch(server.browser(ada), film, record="on")
    assert server.http.get(link).status_code == 200
