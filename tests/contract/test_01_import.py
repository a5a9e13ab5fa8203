"""Contract 01 section 10 and design 5.5: what another server gave its clients goes on working after a move."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from vitrine.accounts import COMMAND, User
from vitrine.accounts import store as accounts_store
from vitrine.accounts.tables import users
from vitrine.cli.imports import phraseanet_import
from vitrine.cli.instance import instance
from vitrine.cli.main import cli
from vitrine.errors import DomainError
from vitrine.library.model import RecordKey
from vitrine.operations.phraseanet_import import BadImport, read
from vitrine.testing import media_factory as make
from vitrine.testing.server import CALLBACK, PASSWORD, Server, Visitor, hidden, query_of

AUTHORIZE, TOKEN = "/api/oauthv2/authorize", "/api/oauthv2/token"
OOB = "urn:ietf:wg:oauth:2.0:oob"
OLD_HASH = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"  # of "U*U"
WEB = {
    "name": "Field Notes", "client_id": "Xy7pQ2mN8rT4vB6kL1sD9wF3hJ5zC0aG", "client_secret": "s3cr3t of 2014!",
    "website": "https://notes.example.com", "redirect_uri": CALLBACK, "creator": "bob", "grant_password": True,
    "developer_token": "k" * 32,
}  # fmt: skip
DESKTOP = {
    "name": "Uploader", "client_id": r"\alchemy\phraseanet\id\4f9d2b", "client_secret": r"\secret\1", "type": "desktop",
    "website": "https://notes.example.com/desktop", "grant_password": True,
}  # fmt: skip
BOB = {"login": "bob", "email": "bob@museum.example", "first_name": "Bob", "password_hash": OLD_HASH}


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg"), ada)


def bring(server: Server, tmp_path: Path, **parts: Any) -> dict[str, int]:
    file = tmp_path / "old.json"
    file.write_text(json.dumps(parts))
    return phraseanet_import(server.services).run(read(file))


def allow(visitor: Visitor, where: str) -> str:
    page = visitor.get(where)
    answer = visitor.client.post(AUTHORIZE, data={**hidden(page.text), "action_accept": "1"})
    return str(answer.headers["location"])


def test_10_an_imported_web_application_works_everywhere(server: Server, tmp_path: Path) -> None:
    token = "9b1e6d0c4f7a42358e2b7c5d1a60f394"
    counts = bring(
        server, tmp_path, users=[BOB], applications=[WEB],
        access_tokens=[{"token": token, "client_id": WEB["client_id"], "login": "bob"}],
    )  # fmt: skip
    assert counts == {"users": 1, "applications": 1, "access_tokens": 1, "permalinks": 0}
    for header in (f"OAuth {token}", f"OAuth {WEB['developer_token']}"):
        me = server.http.get("/api/v1/me/", headers={"Authorization": header})
        assert me.json()["response"]["user"]["login"] == "bob"
    assert server.http.get(f"/api/v1/me/?oauth_token={token}").status_code == 200, "the compatibility profile"
    visitor = server.browser()
    signed_in = visitor.submit("/login/", "/login/", {"login": "bob", "password": "U*U"})
    assert signed_in.status_code == 303
    query = {"client_id": WEB["client_id"], "response_type": "code", "state": "s"}
    location = visitor.get(f"{AUTHORIZE}?{urlencode(query)}").headers["location"]
    assert location.startswith(f"{CALLBACK}?state=s&code=vit_ac_"), "who had a token is not asked again"
    form = {
        "grant_type": "authorization_code", "client_id": WEB["client_id"], "client_secret": WEB["client_secret"],
        "code": query_of(location)["code"], "redirect_uri": CALLBACK,
    }  # fmt: skip
    answer = server.http.post(TOKEN, data=form)
    assert set(answer.json()) == {"access_token", "scope", "token_type"}
    wrong = server.http.post(TOKEN, data={**form, "client_secret": "s3cr3t"})
    assert wrong.json()["error"] == "invalid_client"


def test_10_an_imported_desktop_application_keeps_its_habits(server: Server, ada: User, tmp_path: Path) -> None:
    bring(server, tmp_path, applications=[DESKTOP])
    form = {
        "grant_type": "password", "client_id": DESKTOP["client_id"], "client_secret": DESKTOP["client_secret"],
        "username": "ada", "password": PASSWORD,
    }  # fmt: skip
    answer = server.http.post(TOKEN, data=form)
    assert set(answer.json()) == {"access_token", "token_type", "scope"}, "without an end"
    token = answer.json()["access_token"]
    assert server.http.get(f"/api/v1/me/?oauth_token={token}").status_code == 200
    visitor = server.browser(ada)
    where = (
        f"{AUTHORIZE}?{urlencode({'client_id': DESKTOP['client_id'], 'response_type': 'code', 'redirect_uri': OOB})}"
    )
    assert visitor.get(where).status_code == 200


def test_design_5_5_an_old_password_opens_once_and_is_hashed_anew(server: Server, tmp_path: Path) -> None:
    bring(server, tmp_path, users=[BOB])
    for password, status in (("wrong", 200), ("U*U", 303), ("U*U", 303)):
        answer = server.browser().submit("/login/", "/login/", {"login": "bob", "password": password})
        assert answer.status_code == status
    with server.services.database.read() as work:
        bob = server.services.accounts.users.find(work, "bob")
        hashed = accounts_store.password_hash(work, bob.id)
    assert hashed is not None
    assert hashed.startswith("$argon2id$")


def test_design_5_5_who_comes_without_a_hash_cannot_sign_in(server: Server, tmp_path: Path) -> None:
    bring(server, tmp_path, users=[{"login": "eve"}])
    for password in ("", "x", "None"):
        answer = server.browser().submit("/login/", "/login/", {"login": "eve", "password": password})
        assert answer.status_code == 200


def test_design_5_5_imported_permalinks_resolve_in_all_forms(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    token = server.token(ada)
    before = server.get(f"/records/{key.databox}/{key.number}/", token)["record"]["thumbnail"]["permalink"]
    assert server.http.get(before["url"]).status_code == 200
    old = {"databox_id": key.databox, "record_id": key.number, "subdef": "thumbnail", "token": "aB3xZ", "label": "quay"}
    assert bring(server, tmp_path, permalinks=[old])["permalinks"] == 1
    root = f"/permalink/v1/{key.databox}/{key.number}/thumbnail"
    forms = (
        f"{root}/quay.jpg?token=aB3xZ",
        f"{root}/whatever.jpg?token=aB3xZ&download=1",
        f"{root}/?token=aB3xZ",
        f"/permalink/v1/quay/{key.databox}/{key.number}/aB3xZ/thumbnail/",
        f"/permalink/v1/{key.databox}/{key.number}/caption/?token=aB3xZ",
        f"/embed/?url={server.settings.base_url}{root}/quay.jpg?token=aB3xZ",
        f"/oembed?{urlencode({'url': f'{server.settings.base_url}{root}/quay.jpg?token=aB3xZ'})}",
    )
    for form in forms:
        assert server.http.get(form).status_code == 200, form
    assert server.http.get(before["url"]).status_code == 404, "the token it had here has stopped"
    shown = server.get(f"/records/{key.databox}/{key.number}/", token)["record"]["thumbnail"]["permalink"]
    assert urlsplit(shown["url"]).query == "token=aB3xZ"
    assert (shown["label"], shown["is_activated"]) == ("quay", True)


def test_design_5_5_a_permalink_that_was_switched_off_stays_off(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    old = {"databox_id": key.databox, "record_id": key.number, "subdef": "document", "token": "t" * 64}
    bring(server, tmp_path, permalinks=[{**old, "activated": False}])
    where = f"/permalink/v1/{key.databox}/{key.number}/document/x.jpg?token={'t' * 64}"
    assert server.http.get(where).status_code == 404
    bring(server, tmp_path, permalinks=[old])
    assert server.http.get(where).status_code == 200


def test_design_5_5_everything_or_nothing_with_every_fault(
    server: Server, ada: User, key: RecordKey, tmp_path: Path
) -> None:
    link = {"databox_id": key.databox, "record_id": key.number, "subdef": "thumbnail", "token": "ok"}
    with pytest.raises(BadImport) as refused:
        bring(
            server,
            tmp_path,
            users=[BOB, {"login": "ADA"}, {"login": "carl", "password_hash": "md5"}, {"login": "d", "email": "no"}],
            applications=[
                WEB,
                {**WEB, "name": "", "description": "x", "website": "x", "developer_token": None},
                {**WEB, "client_id": "b" * 129, "developer_token": None},
                {**WEB, "client_id": "c", "creator": "nobody"},
                {**DESKTOP, "client_id": "d", "creator": None, "developer_token": "z"},
                {**WEB, "client_id": "e", "profile": "strict", "switches": {"implicit": True}, "developer_token": None},
                {**WEB, "client_id": "f", "developer_token": "vit_pat_wrong"},
            ],
            access_tokens=[
                {"token": "k" * 32, "client_id": WEB["client_id"], "login": "bob"},
                {"token": "a b", "client_id": WEB["client_id"], "login": "bob"},
                {"token": "t", "client_id": "unknown", "login": "bob"},
                {"token": "t", "client_id": WEB["client_id"], "login": "unknown"},
            ],
            permalinks=[
                link, {**link, "record_id": 99}, {**link, "subdef": "nothing"}, {**link, "token": "a/b"},
            ],
        )  # fmt: skip
    places = [fault.partition(":")[0] for fault in refused.value.faults]
    assert places == [
        "users[1].login", "users[2].password_hash", "users[3].email",
        "applications[1].name", "applications[1].website", "applications[1].client_id",
        "applications[2].client_id", "applications[3].creator", "applications[4].developer_token",
        "applications[5].implicit", "applications[6].token",
        "access_tokens[0].token", "access_tokens[1].token", "access_tokens[2].client_id", "access_tokens[3].login",
        "permalinks[1].record_id", "permalinks[2].subdef", "permalinks[3].token",
    ]  # fmt: skip
    with server.services.database.read() as work:
        assert server.services.applications.registry.by_client_id(work, str(WEB["client_id"])) is None
        assert list(work.db.scalars(sa.select(users.c.login))) == ["ada"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold an object"),
        ('{"user": []}', "user: there is no such part"),
        ('{"users": {}}', "users: must be a list"),
        ('{"users": [{"login": 1}, {"name": "x"}]}', "users[1]"),
        ('{"applications": [{"name": "x", "secret": "y"}]}', "applications[0]"),
    ],
)
def test_design_5_5_a_file_of_another_form_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "old.json"
    file.write_text(text)
    with pytest.raises(BadImport) as refused:
        read(file)
    assert fault in refused.value.detail


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A folder of its own with one person, as a shell sees it."""
    folder = str(tmp_path / "data")
    run("user", "add", "bob", "--password", PASSWORD, "--data", folder)
    return folder


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)
    return result.output


OWN = (
    "--owner", "bob", "--description", "Notes.", "--website", "https://notes.example.com", "--callback", CALLBACK,
)  # fmt: skip


def test_design_5_5_app_add_keeps_id_and_secret_and_choices(data: str) -> None:
    output = run(
        "app", "add", "Old", *OWN, "--client-id", "old id", "--client-secret", "old secret", "--profile",
        "compatibility", "--switch", "password_grant=on", "--switch", "implicit=off", "--data", data, "--json",
    )  # fmt: skip
    imported = json.loads(output)
    assert (imported["client_id"], imported["client_secret"], imported["redirect_uri"]) == (
        "old id",
        "old secret",
        CALLBACK,
    )
    file = Path(data).parent / "more.json"
    file.write_text(json.dumps({"access_tokens": [{"token": "t1", "client_id": "old id", "login": "bob"}]}))
    counts = json.loads(run("import-phraseanet", str(file), "--data", data, "--json"))
    assert counts["access_tokens"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ("--client-id", "x"),
        ("--switch", "password_grant"),
        ("--switch", "nothing=on"),
        ("--profile", "nothing"),
        ("--profile", "strict", "--switch", "implicit=on"),
        ("--client-id", "x", "--client-secret", "s" * 129),
    ],
)
def test_design_5_5_app_add_refuses_what_cannot_be(data: str, wrong: tuple[str, ...]) -> None:
    with pytest.raises(DomainError):
        run("app", "add", "Old", *OWN, *wrong, "--data", data)


def test_design_5_8_a_deleted_record_comes_back_by_command(data: str, tmp_path: Path) -> None:
    box = json.loads(run("databox", "add", "Museum", "--data", data, "--json"))["databox_id"]
    base = json.loads(run("collection", "add", "All", "--databox", str(box), "--data", data, "--json"))["base_id"]
    run("import", str(make.jpeg(tmp_path / "a.jpg")), "--collection", str(base), "--data", data)
    with instance(Path(data)) as services, services.database.write() as work:
        services.library.removal.remove(work, COMMAND, RecordKey(box, 1))
    listed = json.loads(run("record", "removed", "--data", data, "--json"))
    assert (listed["record_id"], listed["title"]) == (1, "a.jpg")
    assert "was restored" in run("record", "restore", str(box), "1", "--data", data)
    assert run("record", "removed", "--data", data) == ""


def test_10_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "import.json"
    file.write_text(json.dumps({"applications": [WEB]}), encoding="utf-8-sig")
    assert [entry.name for entry in read(file)["applications"]] == [WEB["name"]]
