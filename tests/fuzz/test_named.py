"""Faults that hostile requests found, each in its plainest form: the server failed on what is the caller's mistake."""

import json
import re
from base64 import urlsafe_b64encode
from html import unescape
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from lxml import etree

from tests.contract.test_04_embed import address
from vitrine.accounts import User
from vitrine.applications import OUT_OF_BAND, Profile
from vitrine.cli.main import cli
from vitrine.edge import spool
from vitrine.library.model import RecordKey
from vitrine.platform import json_text
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

DEEP = b"[" * 3_000
DEEP_OBJECT = b'{"a":' * 3_000
BAD_JSON = {
    "deep list": DEEP, "deep object": DEEP_OBJECT, "closed deep list": DEEP + b"]" * 3_000, "latin-1": b'{"a":"\xe9"}',
    "half a pair": b'{"a":"\\ud800"}', "half a pair as name": b'{"\\udfff":1}', "UTF-16": '{"a":1}'.encode("utf-16"),
    "5000 digits": b'{"a":' + b"9" * 5_000 + b"}", "1e400": b'{"a":1e400}', "NaN": b'{"a":NaN}', "cut off": b'{"a',
    "a byte": b"\xff",
}  # fmt: skip
LONG = "9" * 5_000
PADDED = "000000001" + LONG
json_cases = pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON.keys())


@pytest.fixture(scope="module")
def grace(shared_server: Server) -> User:
    return shared_server.user("grace", is_admin=True)


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", is_admin=True)


def shown(server: Server, tmp_path: Path, kind: str = "image", **more: Any) -> RecordKey:
    file = StoredRecord(
        make.jpeg(tmp_path / "harbour.jpg", 64, 48), "video/mp4" if kind == "video" else "image/jpeg", 64, 48
    )
    return add_record(server.services, server.photographs, kind, {"document": file, "preview": file}, **more)


# -- JSON --------------------------------------------------------------------------------------------------------------


@json_cases
@pytest.mark.parametrize("path", ["token", "revoke", "introspect", "device_authorization"])
def test_json_that_cannot_be_read_is_refused_by_the_oauth_endpoints(
    shared_server: Server, path: str, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = shared_server.http.post(f"/api/oauthv2/{path}", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@json_cases
def test_json_that_cannot_be_read_is_refused_by_the_portal(shared_server: Server, grace: User, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = shared_server.call("POST", "/api/applications/", shared_server.token(grace), content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@json_cases
def test_json_that_cannot_be_read_is_refused_by_the_import_page(
    shared_server: Server, grace: User, body: bytes
) -> None:
    browser = shared_server.browser(grace)
    form = browser.form("/developers/application/import/")
    answer = browser.client.post("/developers/application/import/", data=form, files={"file": ("a.json", body)})
    assert answer.status_code in (200, 400, 422)


@pytest.mark.parametrize("part", [0, 1])
@json_cases
def test_a_signed_address_of_unreadable_json_is_no_address(shared_server: Server, body: bytes, part: int) -> None:
    good = [b'{"typ":"JWT","alg":"HS256","kid":"1-1"}', b'{"iat":0,"iss":1,"sdef":[1,1,"preview"]}', b"x"]
    good[part] = body
    path = "/medias/" + ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in good)
    assert shared_server.http.get(path).status_code == 400
    for page in ("/embed/?url=", "/oembed?url=", "/embed/oembed/?url=", "/embed/vtt/?choice=1&url="):
        assert shared_server.http.get(page + quote(path, safe="")).status_code == 400


def test_a_chapter_of_unreadable_json_is_shown_as_it_is(server: Server, tmp_path: Path) -> None:
    text = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n" + '{"a":' * 3_000 + "\n"
    key = shown(server, tmp_path, "video", values={"VideoTextTrackChapters": text})
    link = address(server, key)
    page = server.http.get(f"/embed/?url={quote(link, safe='')}").text
    track = unescape(re.findall(r'<track[^>]* src="([^"]+)"', page)[0]).removeprefix(server.settings.base_url)
    answer = server.http.get(track)
    assert (answer.status_code, answer.text.startswith("WEBVTT")) == (200, True)


@json_cases
def test_the_one_reader_of_json_has_one_refusal(body: bytes) -> None:
    with pytest.raises(json_text.NotJson):
        json_text.parse(body)


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [LONG, "9" * 40, "0" * 5_000, "²", "١"])
def test_a_number_of_any_length_is_refused(shared_server: Server, grace: User, number: str) -> None:
    token, browser = shared_server.token(grace), shared_server.browser(grace)
    for path, status in (
        (f"/api/v1/collections/{number}/", 401),
        (f"/api/v1/quarantine/item/{number}/", 404),
        (f"/api/v1/search/?per_page={number}", 400),
        (f"/api/v1/search/?bases[]={number}", 400),
        (f"/api/applications/?page={number}", 400),
    ):
        answer = shared_server.call("GET", path, token)
        assert answer.status_code in (status, 200, 404), path
    for path in (
        f"/?start={number}&base={number}", f"/library/quarantine/?start={number}&added={number}",
        f"/admin/audit/?before={number}", f"/admin/applications/?page={number}", f"/records/1/{number[:300]}/",
        f"/developers/application/1/usage/?before={number}",
    ):  # fmt: skip
        assert browser.get(path).status_code < 500, path


@pytest.mark.parametrize("number", [PADDED, "0" * 5_000 + "1"])
def test_leading_noughts_do_not_hide_the_length_of_a_number(
    server: Server, ada: User, tmp_path: Path, number: str
) -> None:
    answer = server.call("GET", f"/api/applications/?per_page={number}", server.token(ada))
    assert (answer.status_code, answer.json()["field"]) == (400, "per_page")
    link = address(server, shown(server, tmp_path))
    for name in ("maxwidth", "maxheight"):
        assert server.http.get(f"/oembed?{name}={number}&url={quote(link, safe='')}").status_code == 400


@pytest.mark.parametrize(
    "button", ["add", ":", "", "substitute:1:" + LONG, "delete:1:2:3:4", "delete:" + LONG, "a:b:c"]
)
def test_a_decision_of_the_quarantine_that_is_none_is_refused(shared_server: Server, grace: User, button: str) -> None:
    browser = shared_server.browser(grace)
    csrf = browser.form("/upload/")["csrf"]
    answer = browser.client.post("/library/quarantine/decide/", data={"csrf": csrf, "one": button})
    assert answer.status_code == 303
    assert "/library/quarantine/" in answer.headers["location"]


# -- search ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields", ["fields[]=", "fields[]=&fields[]=Title", "fields[]=.", "fields[]=a..b", "fields=", "fields[a][b]=x"]
)
@pytest.mark.parametrize("path", ["search", "records/search"])
def test_a_field_without_a_name_is_ignored(shared_server: Server, grace: User, path: str, fields: str) -> None:
    """Contract 02 section 6.5: unknown names are ignored."""
    token = shared_server.token(grace)
    for query in ("cat", '"cat dog"', "cat&truncation=1"):
        assert shared_server.call("GET", f"/api/v1/{path}/?query={query}&{fields}", token).status_code == 200


# -- dates -------------------------------------------------------------------------------------------------------------

DATES = ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 10000 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359",
         "Mon, 01 Jan 2026 00:00:00 +999999999999", "Mon, 32 Jan 2026 25:61:61 GMT", "9" * 400]  # fmt: skip


@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
def test_a_date_of_no_calendar_is_ignored(server: Server, tmp_path: Path, name: str, date: str) -> None:
    path = address(server, shown(server, tmp_path)).removeprefix(server.settings.base_url)
    headers = {name: date, **({"Range": "bytes=0-1"} if name == "If-Range" else {})}
    answer = server.http.get(path, headers=headers)
    assert answer.status_code in (200, 304), "9999 is a date, after which nothing was changed"
    assert answer.status_code == 200 or "9999" in date


# -- out-of-band -------------------------------------------------------------------------------------------------------

DEVICE = {"name": "Desk", "description": "D.", "website": "https://x.example", "kind": "device"}


@pytest.mark.parametrize("more", [[], ["https://x.example/cb"], ["http://127.0.0.1/cb"]])
def test_a_desktop_application_may_name_the_address_that_it_has(server: Server, ada: User, more: list[str]) -> None:
    """By POST, PUT and PATCH of the portal's API."""
    token = server.register(ada).developer_token
    new = server.call("POST", "/api/applications/", token, json={**DEVICE, "redirect_uris": [OUT_OF_BAND, *more]})
    assert new.status_code == 201, new.text
    assert new.json()["document"]["redirect_uris"] == more
    path = f"/api/applications/{new.json()['id']}/"
    for method, body in (
        ("PATCH", {"redirect_uris": [OUT_OF_BAND]}),
        ("PATCH", {"redirect_uris": [*more, OUT_OF_BAND]}),
        ("PUT", {**DEVICE, "redirect_uris": [OUT_OF_BAND, *more]}),
    ):
        answer = server.call(method, path, token, json=body, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["document"]["redirect_uris"] == [
            uri for uri in body["redirect_uris"] if uri != OUT_OF_BAND
        ]
    twice = {"redirect_uris": [OUT_OF_BAND, OUT_OF_BAND]}
    answer = server.call("PATCH", path, token, json=twice, headers={"If-Match": "*"})
    assert (answer.status_code, list(answer.json()["faults"])) == (422, ["redirect_uris.1"])
    added = server.call("POST", path + "redirects/", token, json={"uri": OUT_OF_BAND})
    assert added.status_code == 422, added.text


def test_the_import_page_and_the_form_take_the_out_of_band_address(server: Server, ada: User) -> None:
    browser = server.browser(ada)
    form = browser.form("/developers/application/import/")
    text = json.dumps({"vitrine_application": 1, **DEVICE, "redirect_uris": [OUT_OF_BAND]})
    imported = browser.client.post("/developers/application/import/", data={**form, "text": text})
    assert imported.status_code == 303, imported.text
    values = {**DEVICE, "name": "B", "callback": OUT_OF_BAND}
    registered = browser.submit("/developers/application/new/", "/developers/application/", values)
    assert registered.status_code == 302, registered.text
    assert "/developers/application/" in registered.headers["location"]


def test_the_command_takes_the_out_of_band_address(server: Server, ada: User, tmp_path: Path) -> None:
    file = tmp_path / "desk.json"
    document = {"vitrine_application": 1, "client_id": "desk", **DEVICE, "redirect_uris": [OUT_OF_BAND]}
    file.write_text(json.dumps(document))
    data = ["--data", str(server.settings.data_dir)]
    for _ in range(2):
        result = CliRunner().invoke(cli, ["app", "import", str(file), "--owner", ada.login, *data])
        assert result.exit_code == 0, result.output


def test_another_kind_is_told_that_the_out_of_band_address_is_not_for_it(server: Server, ada: User) -> None:
    token = server.register(ada, profile=Profile.STRICT).developer_token
    body = {**DEVICE, "kind": "server", "redirect_uris": [OUT_OF_BAND]}
    answer = server.call("POST", "/api/applications/", token, json=body)
    assert (answer.status_code, list(answer.json()["faults"])) == (422, ["redirect_uris.0"])


# -- what we write -----------------------------------------------------------------------------------------------------

CONTROLS = "Quay\x01\x0b\x1b\x7f\x85\ufffe\uffff\r\n]]> <&\"'"


def test_control_characters_of_a_title_reach_no_format(server: Server, tmp_path: Path, ada: User) -> None:
    """XML 1.0 section 2.2 has no place for most of them; a header none for a line break."""
    key = shown(server, tmp_path, title=CONTROLS, values={"Caption": CONTROLS, "Title": CONTROLS})
    link = address(server, key)
    for path in ("/oembed", "/embed/oembed/"):
        answer = server.http.get(f"{path}?format=xml&url={quote(link, safe='')}")
        assert answer.status_code == 200
        title = etree.fromstring(answer.content).findtext("title")
        assert title is not None
        assert title.startswith("Quay")
    for path in (
        f"/embed/?url={quote(link, safe='')}",
        address(server, key, page=True).removeprefix(server.settings.base_url),
    ):
        page = server.http.get(path)
        assert page.status_code == 200
        assert "\x01" not in page.headers["link"]
    token = server.token(ada)
    for accept in ("application/json", "application/yaml", "application/vnd.phraseanet.record-extended+yaml"):
        answer = server.call("GET", f"/api/v1/records/{key.databox}/{key.number}/", token, headers={"Accept": accept})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "a\r\nX-Set: 1",
        "\x01\x02",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        "\u202egpj.exe",
        '";\\',
        "é" * 300,
        "%0d%0a",
    ],
)
def test_a_file_name_of_the_address_stays_in_its_header(server: Server, tmp_path: Path, name: str) -> None:
    path = address(server, shown(server, tmp_path)).removeprefix(server.settings.base_url)
    answer = server.http.get(f"{path}&download=1&filename={quote(name)}")
    assert answer.status_code == 200
    assert "x-set" not in answer.headers
    assert answer.headers["content-disposition"].isprintable()


# -- uploads that nobody asked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "more"),
    [("/login/", {}), ("/api/oauthv2/token", {}), ("/api/v1/search/", {}),
     ("/api/applications/", {}), ("/device", {}),
     ("/api/v1/search/", {"Authorization": "Bearer vit_at_x"}), ("/api/v1/records/add/", {"X-Nested": "1"})],
)  # fmt: skip
def test_every_file_of_a_form_is_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch, path: str, more: dict[str, str]
) -> None:
    """Also where the request is refused, or its route takes no files."""
    spooled: list[Any] = []

    def temporary(**named: Any) -> Any:
        spooled.append(SpooledTemporaryFile(**named))  # noqa: SIM115 - whether it is closed is the question
        return spooled[-1]

    monkeypatch.setattr(spool, "SpooledTemporaryFile", temporary)
    form = {"a" + "[x]" * 9: "1"} if "X-Nested" in more else {"a": "1"}
    server.http.post(path, data=form, files=[("file", ("a.jpg", b"x")), ("other", ("b", b""))], headers=more)
    assert all(file.closed for file in spooled)
    is_refused_before = path == "/device" or "Authorization" in more
    assert bool(spooled) is not is_refused_before
