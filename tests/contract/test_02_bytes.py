"""Bytes become text in one way: UTF-8, raw or percent-encoded, wherever a request carries text (contract 02 section
4.2). What is not UTF-8 is refused, and the refusal names the parameter in the route's own shape. Over real sockets,
since HTTP clients encode what they are given."""

import base64
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import pytest
import uvicorn
from click.testing import CliRunner

from vitrine.accounts import User
from vitrine.applications import Profile, Switch
from vitrine.cli.main import cli
from vitrine.edge.bodies import LONGEST_VALUE_BYTES, MOST_FIELD_BYTES
from vitrine.edge.fast.protocol import Protocol
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory as make
from vitrine.testing.server import PASSWORD, Registered, Server

FORM = "application/x-www-form-urlencoded"
NAME = "Château – 城 🏰"
LATIN = "Château".encode("latin-1")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Wire:
    """A connection a request; *path* and *body* go out byte for byte."""

    address: tuple[str, int]

    def ask(self, method: str, path: bytes, body: bytes = b"", kind: str = FORM, /, **headers: Any) -> Answer:
        lines = {"Host": "dam.test", "Connection": "close", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if method != "GET":
            lines |= {"Content-Type": kind, "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
        with closing(socket.create_connection(self.address, timeout=20)) as line:
            line.sendall(method.encode() + b" " + path + b" HTTP/1.1\r\n" + head + b"\r\n" + body)
            received = b"".join(iter(lambda: line.recv(65536), b""))
        start, _, rest = received.partition(b"\r\n\r\n")
        first, *received_lines = start.decode("ascii").split("\r\n")
        named = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in received_lines}
        return Answer(int(first.split(" ")[1]), named, rest)


class Quiet(Protocol):
    """The tests' own log handlers make uvicorn believe that somebody reads its access log."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.access_log = False


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            server.application, http=Quiet, lifespan="off", access_log=False, log_config=None, proxy_headers=False
        )
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Wire(listening.getsockname())
        running.should_exit = True
        thread.join(20)


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def app(server: Server, ada: User) -> Registered:
    return server.register(ada)


@pytest.fixture
def bearer(app: Registered) -> dict[str, str]:
    return {"Authorization": f"Bearer {app.developer_token}"}


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg", 300, 200), ada)


def multipart(*parts: tuple[bytes, bytes]) -> tuple[bytes, str]:
    """A body of parts, each its header lines and its content; and the Content-Type that goes with it."""
    body = b"".join(b"--b\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    return body + b"--b--\r\n", "multipart/form-data; boundary=b"


def field(name: bytes, value: bytes, more: bytes = b"") -> tuple[bytes, bytes]:
    return b'Content-Disposition: form-data; name="' + name + b'"' + more, value


def described(server: Server, token: str, key: RecordKey) -> dict[str, str]:
    listed = server.get(f"/records/{key.databox}/{key.number}/metadatas/", token)["record_metadatas"]
    return {entry["name"]: entry["value"] for entry in listed}


def field_id(server: Server, token: str, name: str) -> bytes:
    meta_field = next(entry for entry in server.get("/me/structures/", token)["meta_fields"] if entry["name"] == name)
    return str(meta_field["id"]).encode()


class TestValues:
    """`POST …/setmetadatas/`, as curl, scripts and the portal's own console send it."""

    def post(self, wire: Wire, key: RecordKey, bearer: dict[str, str], body: bytes, kind: str = FORM) -> Answer:
        path = f"/api/v1/records/{key.databox}/{key.number}/setmetadatas/".encode()
        return wire.ask("POST", path, body, kind, **bearer)

    def body(self, city: bytes, value: bytes) -> bytes:
        return b"metadatas[0][meta_struct_id]=" + city + b"&metadatas[0][meta_id]=&metadatas[0][value]=" + value

    @pytest.mark.parametrize("encoded", [NAME.encode(), quote(NAME).encode(), quote_plus(NAME).encode()])
    def test_a_form_is_utf8(
        self, server: Server, wire: Wire, app: Registered, bearer: dict[str, str], key: RecordKey, encoded: bytes
    ) -> None:
        city = field_id(server, app.developer_token, "City")
        answer = self.post(wire, key, bearer, self.body(city, encoded))
        assert answer.status == 200, answer.body
        assert described(server, app.developer_token, key)["City"] == NAME

    def test_a_large_form_is_read_the_same_way(
        self, server: Server, wire: Wire, app: Registered, bearer: dict[str, str], key: RecordKey
    ) -> None:
        city = field_id(server, app.developer_token, "City")
        body = self.body(city, NAME.encode()) + b"&filler=" + b"x" * 200_000
        assert self.post(wire, key, bearer, body).status == 200
        assert described(server, app.developer_token, key)["City"] == NAME

    def test_a_multipart_form_is_utf8(
        self, server: Server, wire: Wire, app: Registered, bearer: dict[str, str], key: RecordKey
    ) -> None:
        city = field_id(server, app.developer_token, "City")
        body, kind = multipart(
            field(b"metadatas[0][meta_struct_id]", city),
            field(b"metadatas[0][meta_id]", b""),
            field(b"metadatas[0][value]", NAME.encode()),
        )
        assert self.post(wire, key, bearer, body, kind).status == 200
        assert described(server, app.developer_token, key)["City"] == NAME

    @pytest.mark.parametrize(
        "wrong", [LATIN, b"Ch%E2teau", b"%C0%AF", b"%ED%A0%80", b"%F4%90%80%80", b"\xff", b"a%E2%82"]
    )
    def test_what_is_not_utf8_is_refused_by_name(
        self, server: Server, wire: Wire, app: Registered, bearer: dict[str, str], key: RecordKey, wrong: bytes
    ) -> None:
        """Latin-1, overlong, half a surrogate pair, beyond Unicode, and cut in the middle."""
        city = field_id(server, app.developer_token, "City")
        for filler in (b"", b"&filler=" + b"x" * 200_000):
            answer = self.post(wire, key, bearer, self.body(city, wrong) + filler)
            assert answer.status == 400, answer.body
            assert answer.json["meta"]["http_code"] == 400
            assert "metadatas[0][value]" in answer.json["meta"]["error_details"]
        assert "City" not in described(server, app.developer_token, key)

    def test_a_multipart_value_that_is_not_utf8_is_refused_by_name(
        self, wire: Wire, bearer: dict[str, str], key: RecordKey
    ) -> None:
        body, kind = multipart(field(b"metadatas[0][value]", LATIN))
        answer = self.post(wire, key, bearer, body, kind)
        assert answer.status == 400, answer.body
        assert "metadatas[0][value]" in answer.json["meta"]["error_details"]

    def test_a_name_that_is_not_utf8_is_refused_as_it_was_sent(
        self, wire: Wire, bearer: dict[str, str], key: RecordKey
    ) -> None:
        for body, kind in ((LATIN + b"=1", FORM), multipart(field(LATIN, b"1"))):
            answer = self.post(wire, key, bearer, body, kind)
            assert answer.status == 400, answer.body
            assert "Ch%E2teau" in answer.json["meta"]["error_details"]

    @pytest.mark.parametrize(
        ("charset", "raw"),
        [("ISO-8859-1", LATIN), ("windows-1252", LATIN), ("iso-8859-15", LATIN), ("utf-8", "Château".encode())],
    )
    def test_a_declared_charset_is_believed(
        self, server: Server, wire: Wire, app: Registered, bearer: dict[str, str], key: RecordKey, charset: str,
        raw: bytes,
    ) -> None:  # fmt: skip
        """RFC 7578 sections 4.4 to 4.6: of the part, of the form by `_charset_`, or of the whole body."""
        city = field_id(server, app.developer_token, "City")
        ids = (field(b"metadatas[0][meta_struct_id]", city), field(b"metadatas[0][meta_id]", b""))
        of_part = b"\r\nContent-Type: text/plain; charset=" + charset.encode()
        whole, kind = multipart(*ids, field(b"metadatas[0][value]", raw))
        bodies = [
            multipart(*ids, field(b"metadatas[0][value]", raw, of_part)),
            multipart(field(b"_charset_", charset.encode()), *ids, field(b"metadatas[0][value]", raw)),
            (whole, f"{kind}; charset={charset}"),
            (self.body(city, raw), f"{FORM}; charset={charset}"),
            (self.body(city, quote(raw).encode()) + b"&_charset_=" + charset.encode(), FORM),
        ]
        for body, declared in bodies:
            self.post(wire, key, bearer, self.body(city, b""))
            answer = self.post(wire, key, bearer, body, declared)
            assert answer.status == 200, answer.body
            assert described(server, app.developer_token, key)["City"] == "Château", body

    @pytest.mark.parametrize("is_multipart", [False, True])
    @pytest.mark.parametrize("surplus", [0, 1])
    def test_all_fields_together_have_a_bound(
        self, wire: Wire, bearer: dict[str, str], is_multipart: bool, surplus: int
    ) -> None:
        """The route takes files of gigabytes, which go to the disk; fields stay in memory. The last byte is the one
        too many: a server that closes with more to read resets the connection, and its answer may be lost."""
        head = len(b'Content-Dispositionform-data; name="f0"') if is_multipart else len(b"f0")
        sizes = [LONGEST_VALUE_BYTES] * 3
        sizes.append(MOST_FIELD_BYTES - sum(sizes) - 4 * head + surplus)
        values = [(f"f{number}".encode(), b"x" * size) for number, size in enumerate(sizes)]
        body, kind = b"&".join(name + b"=" + value for name, value in values), FORM
        if is_multipart:
            body, kind = multipart(*(field(name, value) for name, value in values))
        answer = wire.ask("POST", b"/api/v1/records/add/", body, kind, **bearer)
        status = 413 if surplus else 400
        assert (answer.status, answer.json["meta"]["http_code"]) == (status, status), answer.body
        assert ("together" in answer.json["meta"]["error_details"]) == bool(surplus)

    def test_an_empty_boundary_is_refused(self, wire: Wire, bearer: dict[str, str], key: RecordKey) -> None:
        body = b"--\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n----\r\n"
        for boundary in ("boundary=", 'boundary=""', "Boundary = "):
            answer = self.post(wire, key, bearer, body, f"multipart/form-data; {boundary}")
            assert (answer.status, answer.json["meta"]["http_code"]) == (400, 400), (boundary, answer.body)
            assert "not well formed" in answer.json["meta"]["error_details"]

    def test_an_unknown_charset_is_refused(self, wire: Wire, bearer: dict[str, str], key: RecordKey) -> None:
        parts = multipart(field(b"value", b"a", b"\r\nContent-Type: text/plain; charset=utf-7"))
        for body, kind, named in [
            (*parts, "value"),
            (b"value=a", f"{FORM}; charset=rot13", "charset"),
            (b"value=a&_charset_=koi8", FORM, "_charset_"),
        ]:
            answer = self.post(wire, key, bearer, body, kind)
            assert answer.status == 400, answer.body
            assert named in answer.json["meta"]["error_details"]


class TestAddresses:
    """Query and path: RFC 3986 has them percent-encoded; curl, scripts and pasted links send them raw."""

    @pytest.mark.parametrize("encoded", ["Château".encode(), b"Ch%C3%A2teau"])
    def test_a_raw_query_is_utf8(self, wire: Wire, bearer: dict[str, str], encoded: bytes) -> None:
        answer = wire.ask("GET", b"/api/v1/search/?query=" + encoded, **bearer)
        assert answer.status == 200, answer.body
        assert answer.json["response"]["query"] == "Château"

    def test_a_raw_path_is_utf8(self, wire: Wire, server: Server, ada: User, key: RecordKey) -> None:
        at = f"/permalink/v1/{key.databox}/{key.number}/document/".encode()
        for label in ("Château".encode(), b"Ch%C3%A2teau"):
            answer = wire.ask("GET", at + label + b"?token=nonsense")
            assert answer.status == 404, answer.body
            assert b"There is nothing" in answer.body

    @pytest.mark.parametrize("wrong", [LATIN, b"Ch%E2teau", b"%C0%AF"])
    def test_a_query_that_is_not_utf8_is_refused_by_name(
        self, server: Server, wire: Wire, bearer: dict[str, str], key: RecordKey, wrong: bytes
    ) -> None:
        at = f"{key.databox}/{key.number}".encode()
        answer = wire.ask("GET", b"/api/v1/search/?query=" + wrong, **bearer)
        assert (answer.status, "query" in answer.json["meta"]["error_details"]) == (400, True), answer.body
        pages = [
            (b"/?q=" + wrong, "q"),
            (b"/login/?redirect=" + wrong, "redirect"),
            (b"/api/oauthv2/authorize?state=" + wrong, "state"),
            (b"/oembed?url=" + wrong, "url"),
            (b"/embed/?url=" + wrong, "url"),
            (b"/permalink/v1/" + at + b"/document/x?token=" + wrong, "token"),
            (b"/permalink/v1/" + at + b"/document/x?token=a&filename=" + wrong, "filename"),
            (b"/datafiles/" + at + b"/document/?filename=" + wrong, "filename"),
            (b"/medias/a.b.c?download=" + wrong, "download"),
        ]
        for address, name in pages:
            answer = wire.ask("GET", address)
            assert answer.status == 400, (address, answer)
            assert answer.headers["content-type"].startswith("text/html")
            assert f"{name} is not" in answer.body.decode(), answer.body

    def test_a_path_value_that_is_not_utf8_is_refused_by_name(self, wire: Wire, key: RecordKey) -> None:
        at = f"{key.databox}/{key.number}".encode()
        for address, name in [
            (b"/medias/%E2", "token"),
            (b"/medias/\xe2", "token"),
            (b"/datafiles/" + at + b"/%E2/", "subdef"),
            (b"/permalink/v1/" + at + b"/%E2/x?token=a", "subdef"),
        ]:
            answer = wire.ask("GET", address)
            assert answer.status == 400, (address, answer)
            assert f"{name} is not" in answer.body.decode()

    def test_a_label_that_nobody_reads_may_be_anything(self, wire: Wire, server: Server, key: RecordKey) -> None:
        """Old pages hold links whose label is Latin-1; it was never looked at (contract 04 section 2)."""
        listed = server.get(f"/records/{key.databox}/{key.number}/embed/", server.token(server.user("eve")))
        address = next(file["permalink"]["url"] for file in listed["embed"] if file["name"] == "document")
        head, _, token = address.partition("?")
        path = head.replace("http://dam.test", "").rpartition("/")[0].encode()
        for label in (b"Ch%E2teau", LATIN, "Château".encode()):
            assert wire.ask("GET", path + b"/" + label + b"?" + token.encode()).status == 200


class TestPeople:
    @pytest.fixture
    def keeper(self, server: Server) -> User:
        return server.user("keeper", is_admin=True)

    @pytest.fixture
    def zoe(self, server: Server) -> User:
        return server.user("zoé")

    def form(self, app: Registered, username: bytes) -> bytes:
        secret = f"&client_id={app.client_id}&client_secret={app.secret}&password={quote(PASSWORD)}".encode()
        return b"grant_type=password&username=" + username + secret

    @pytest.mark.parametrize("username", ["zoé".encode(), b"zo%C3%A9"])
    def test_a_name_at_the_token_endpoint_is_utf8(self, server: Server, wire: Wire, zoe: User, username: bytes) -> None:
        app = server.register(zoe, on=(Switch.PASSWORD_GRANT,))
        answer = wire.ask("POST", b"/api/oauthv2/token", self.form(app, username))
        assert answer.status == 200, answer.body
        parts = [field(*pair.split(b"=")) for pair in self.form(app, "zoé".encode()).replace(b"%20", b" ").split(b"&")]
        assert wire.ask("POST", b"/api/oauthv2/token", *multipart(*parts)).status == 200

    @pytest.mark.parametrize("username", ["zoé".encode("latin-1"), b"zo%E9"])
    @pytest.mark.parametrize("path", [b"token", b"revoke", b"introspect", b"device_authorization"])
    def test_a_name_that_is_not_utf8_is_an_invalid_request(
        self, wire: Wire, app: Registered, username: bytes, path: bytes
    ) -> None:
        answer = wire.ask("POST", b"/api/oauthv2/" + path, self.form(app, username))
        assert (answer.status, answer.json["error"]) == (400, "invalid_request"), answer.body
        assert "username" in answer.json["error_description"]

    @pytest.mark.parametrize("raw", [b'{"username":"zo\xe9"}', b'{"username":"\\ud800"}', b'{"zo\xe9":1}'])
    def test_json_that_is_not_utf8_is_an_invalid_request(self, wire: Wire, raw: bytes) -> None:
        answer = wire.ask("POST", b"/api/oauthv2/token", raw, "application/json")
        assert (answer.status, answer.json["error"]) == (400, "invalid_request"), answer.body
        named = "username" if b"username" in raw else "zo%E9"
        assert named in answer.json["error_description"]
        assert answer.json["error_description"].isascii()

    def test_a_byte_order_mark_before_json_is_ignored(self, server: Server, wire: Wire, zoe: User) -> None:
        app = server.register(zoe, on=(Switch.PASSWORD_GRANT,))
        values = {
            "grant_type": "password", "client_id": app.client_id, "client_secret": app.secret, "username": "zoé",
            "password": PASSWORD,
        }  # fmt: skip
        raw = json.dumps(values, ensure_ascii=False)
        assert wire.ask("POST", b"/api/oauthv2/token", raw.encode("utf-8-sig"), "application/json").status == 200
        refused = wire.ask("POST", b"/api/oauthv2/token", raw.encode("utf-16"), "application/json")
        assert (refused.status, refused.json["error"]) == (400, "invalid_request")

    def test_basic_is_utf8_then_form_encoded(self, server: Server, wire: Wire, ada: User) -> None:
        """RFC 6749 appendix B, RFC 7617 section 2: what is not UTF-8 is no credential, whatever it looks like."""
        app = server.register(ada, profile=Profile.STRICT, on=(Switch.ACTS_AS_OWNER,))
        for pair in (f"{app.client_id}:{app.secret}".encode(), f"{app.client_id}:{app.secret[:-1]}".encode()):
            credentials = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
            answer = wire.ask("POST", b"/api/oauthv2/token", b"grant_type=client_credentials", **credentials)
            assert answer.status == (200 if pair.endswith(app.secret.encode()) else 401), answer.body
        for pair in ("zoé:secret".encode("latin-1"), b"zo%E9:secret", b"%00:secret"):
            credentials = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
            answer = wire.ask("POST", b"/api/oauthv2/token", b"grant_type=client_credentials", **credentials)
            assert (answer.status, answer.json["error"]) == (401, "invalid_client"), answer.body

    def test_a_name_on_the_sign_in_page_is_utf8(self, wire: Wire, keeper: User, zoe: User) -> None:
        assert keeper.is_admin
        assert zoe.login == "zoé"
        page = wire.ask("GET", b"/login/")
        mark = page.headers["set-cookie"].partition(";")[0]
        csrf = page.body.partition(b'name="csrf" value="')[2].partition(b'"')[0]
        for login, status in (("zoé".encode(), 303), ("zoé".encode("latin-1"), 400), (b"zo%E9", 400)):
            body = b"csrf=" + csrf + b"&login=" + login + b"&password=" + quote(PASSWORD).encode()
            answer = wire.ask("POST", b"/login/", body, Cookie=mark)
            assert answer.status == status, answer.body
            if status == 400:
                assert "login is not" in answer.body.decode()

    def test_a_cookie_of_any_bytes_is_nobody_s(self, wire: Wire, keeper: User) -> None:
        assert keeper.is_admin, "else the first page is that of set-up"
        for value in (b"\xe9", "é".encode(), b'"\\351"', b"%E9"):
            assert wire.ask("GET", b"/login/", Cookie="vitrine=" + value.decode("latin-1")).status == 200


class TestPortalApi:
    """RFC 9457: `field` names the member of the JSON object."""

    @pytest.mark.parametrize(
        ("raw", "named"),
        [
            (b'{"name":"Ch\xe2teau"}', "name"),
            (b'{"name":"\\udc00"}', "name"),
            (b'{"callbacks":["https://a.example","\xe2"]}', "callbacks[1]"),
            (b'{"Ch\xe2teau":1}', "Ch%E2teau"),
        ],
    )
    def test_json_that_is_not_utf8_names_its_member(
        self, wire: Wire, bearer: dict[str, str], raw: bytes, named: str
    ) -> None:
        answer = wire.ask("POST", b"/api/applications/", raw, "application/json", **bearer)
        assert answer.status == 400, answer.body
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json["field"] == named


class TestJsonOfPages:
    """JSON in a form is text already, but may write half of a surrogate pair as an escape, which nothing can keep."""

    def test_the_document_of_an_application_names_its_member(self, server: Server, ada: User) -> None:
        visitor = server.browser(ada)
        address = "/developers/application/import/"
        page = visitor.submit(address, address, {"text": '{"vitrine_application":1,"name":"\\ud800"}'})
        assert page.status_code == 200
        assert "name is not UTF-8" in page.text
        broken = visitor.submit(address, address, {"text": "{"})
        assert broken.status_code == 200
        assert "UTF-8" not in broken.text.partition("<main")[2]

    def test_the_answer_of_a_passkey_is_refused_in_words(self, server: Server) -> None:
        server.user("keeper", is_admin=True)
        client_data = base64.urlsafe_b64encode(b'{"challenge":"\\ud800"}').decode()
        for answer in ('{"id":"\\ud800","response":{"clientDataJSON":"' + client_data + '"}}', '{"id":"\\ud800"}'):
            page = server.browser().submit("/login/", "/login/passkey/", {"answer": answer})
            assert page.status_code == 400, page.text


class TestFileNames:
    """A name of a file is no reason to refuse the file: it is kept readable, and who sent it is told."""

    def send(self, wire: Wire, server: Server, bearer: dict[str, str], disposition: bytes, picture: bytes) -> Answer:
        base = field(b"base_id", str(server.photographs.id).encode())
        head = b'Content-Disposition: form-data; name="file"; ' + disposition + b"\r\nContent-Type: image/jpeg"
        body, kind = multipart(base, (head, picture))
        return wire.ask("POST", b"/api/v1/records/add/", body, kind, **bearer)

    @pytest.mark.parametrize(
        ("disposition", "kept"),
        [
            ('filename="Château.jpg"'.encode(), "Château.jpg"),
            ('filename="Château.jpg"'.encode("latin-1"), "Château.jpg"),
            (b'filename="100\x80.jpg"', "100€.jpg"),
            (b"filename*=utf-8''Ch%C3%A2teau.jpg", "Château.jpg"),
            (b"filename*=iso-8859-1''Ch%E2teau.jpg", "Château.jpg"),
        ],
    )
    def test_a_name_is_kept_readable(
        self, server: Server, wire: Wire, app: Registered, bearer: dict[str, str], tmp_path: Path, disposition: bytes,
        kept: str,
    ) -> None:  # fmt: skip
        picture = make.jpeg(tmp_path / "a.jpg", 300, 200).read_bytes()
        answer = self.send(wire, server, bearer, disposition, picture)
        assert answer.status == 200, answer.body
        record = server.get(answer.json["response"]["url"], app.developer_token)["record"]
        assert record["original_name"] == kept
        listed = server.get(answer.json["response"]["url"] + "embed/", app.developer_token)["embed"]
        address = next(file["permalink"]["url"] for file in listed if file["name"] == "document")
        sent = server.http.get(address + "&download=1").headers["content-disposition"]
        assert f"filename*=utf-8''{quote(kept)}" in sent

    def test_the_sender_is_told_of_a_guessed_name(self, server: Server, wire: Wire, tmp_path: Path) -> None:
        keeper = server.user("keeper", is_admin=True)
        visitor = server.browser(keeper)
        csrf = visitor.form("/upload/")["csrf"].encode()
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
        fields = field(b"csrf", csrf), field(b"base_id", str(server.photographs.id).encode())
        for place, name in enumerate(("Château.jpg".encode("latin-1"), "Schloß.jpg".encode())):
            head = b'Content-Disposition: form-data; name="file"; filename="' + name + b'"\r\nContent-Type: image/jpeg'
            picture = make.jpeg(tmp_path / f"{place}.jpg", 300 + place, 200).read_bytes()
            body, kind = multipart(*fields, (head, picture))
            answer = wire.ask("POST", b"/upload/", body, kind, Cookie=cookies, Accept="application/json")
            outcome = answer.json["outcomes"][0]
            assert outcome["state"] == "added"
            assert outcome["name"] == ("Château.jpg", "Schloß.jpg")[place]
            assert ("not sent as UTF-8" in outcome["detail"]) == (place == 0)
        audit = visitor.get("/admin/audit/").text
        assert audit.count("guessed") == 1

    def test_a_folder_with_old_names_is_imported(self, server: Server, app: Registered, tmp_path: Path) -> None:
        """Names on a disk are bytes: a surrogate of Python's could be neither kept nor printed."""
        there = tmp_path / os.fsdecode(LATIN + b".jpg")
        make.jpeg(tmp_path / "a.jpg", 300, 200).rename(there)
        arguments = [str(there), "--collection", str(server.photographs.id), "--json"]
        done = CliRunner().invoke(cli, ["import", *arguments, "--data", str(server.settings.data_dir)])
        assert done.exit_code == 0, done.output
        report = json.loads(done.output.splitlines()[-1])
        assert (report["state"], report["detail"]) == ("added", "its name is not UTF-8 and may be wrong")
        assert server.get(f"/records/{server.databox.id}/1/", app.developer_token)["record"]["title"] == "Château.jpg"


class TestConsole:
    """*Try it* of the portal makes its call with the bytes that were typed."""

    def test_it_sends_utf8(self, server: Server, ada: User, app: Registered, key: RecordKey) -> None:
        visitor = server.browser(ada)
        address = f"/developers/application/{app.application.id}/try/"
        city = field_id(server, app.developer_token, "City").decode()
        call = f"metadatas[0][meta_struct_id]={city}\nmetadatas[0][meta_id]=\nmetadatas[0][value]={NAME}"
        form = {
            "operation": "POST /api/v1/records/{databox_id}/{record_id}/setmetadatas/", "run": "1",
            "path-databox_id": str(key.databox), "path-record_id": str(key.number), "parameters": call,
        }  # fmt: skip
        page = visitor.submit(address, address, form)
        assert page.status_code == 200, page.text
        assert described(server, app.developer_token, key)["City"] == NAME
        search = {"operation": "GET /api/v1/search/", "run": "1", "parameters": f"query={NAME}"}
        assert NAME in visitor.submit(address, address, search).text
