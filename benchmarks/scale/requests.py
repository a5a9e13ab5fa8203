"""The table of requests on which growth is measured: every route of API v1, of v4 and of the portal that an application
or a person uses, the pages, the token endpoints, and what the server does by itself.

Each request succeeds on an instance of any size and asks for about the same amount: one record, a page of records, one
person's things.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.scale.people_requests import PEOPLE
from benchmarks.scale.traffic import TOKEN, Client
from vitrine import app
from vitrine.edge.metrics import Counts, Metrics
from vitrine.library.sweep import SWEEP
from vitrine.testing import media_factory
from vitrine.testing.server import CALLBACK

Request = Callable[[Client], Any]
EXTENDED = {"Accept": "application/vnd.phraseanet.record-extended+json"}
PORTAL = "/api/applications/"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def _search(query: str, who: str = "reader", route: str = "/api/v1/search/", **headers: str) -> Request:
    """A search; names in braces are words of the instance."""
    return lambda client: client.get(f"{route}?{query.format(**client.instance.words)}", who, headers=headers)


def _of_record(end: str, who: str = "reader", **headers: str) -> Request:
    return lambda client: client.get(client.record() + end, who, headers=headers)


def _of_databox(end: str, who: str = "admin") -> Request:
    return lambda client: client.get(f"/api/v1/databoxes/{client.instance.databox_id}/{end}", who)


def _plain(path: str, who: str = "admin") -> Request:
    return lambda client: client.call("GET", path, who)


def _page(path: str, who: str = "admin") -> Request:
    """A page; {app} is the application of *who*, {base} a large collection, {top} a word."""

    def ask(client: Client) -> None:
        own = client.instance.applications[who]
        names = {**client.instance.words, "app": own, "base": client.instance.by_size[0], "number": client.number()}
        client.page(path.format(**names, databox=client.instance.databox_id), who)

    return ask


# -- API v1 ------------------------------------------------------------------------------------------------------------


def _quarantine_item(client: Client) -> None:
    items = client.get("/api/v1/quarantine/list/?per_page=10")["quarantine_items"]
    identifier = items[0]["id"] if isinstance(items, list) else next(iter(items.values()))["id"]
    client.get(f"/api/v1/quarantine/item/{identifier}/")


def _change(end: str, form: Callable[[Client], dict[str, str]]) -> Request:
    return lambda client: client.call("POST", client.record() + end, data=form(client))


def _city(client: Client) -> dict[str, str]:
    field = str(client.instance.fields["City"])
    entry = {"meta_struct_id": field, "meta_id": "", "value": f"Town {client.count()}"}
    return {f"metadatas[0][{name}]": value for name, value in entry.items()}


def _picture(client: Client) -> Path:
    number = client.count()
    return media_factory.jpeg(client.scratch / f"upload{number}.jpg", 320, 200, seed=1000 + number)


def _upload(client: Client) -> None:
    path = _picture(client)
    files = {"file": (path.name, path.read_bytes())}
    form = {"base_id": str(client.instance.collections[0])}
    client.call("POST", "/api/v1/records/add/", data=form, files=files)


def _upload_again(client: Client) -> None:
    """The bytes of a record that is there: the file waits in quarantine."""
    sources = client.server.settings.data_dir / "sources" / "document.jpg"
    form = {"base_id": str(client.instance.collections[0])}
    files = {"file": (f"again{client.count()}.jpg", sources.read_bytes())}
    client.call("POST", "/api/v1/records/add/", data=form, files=files)


def _substitute(client: Client) -> None:
    path = _picture(client)
    form = {"databox_id": str(client.instance.databox_id), "record_id": str(client.number()), "name": "document"}
    client.call("POST", "/api/v1/embed/substitute/", data=form, files={"file": (path.name, path.read_bytes())})


API_READS: dict[str, Request] = {
    "me": _plain("/api/v1/me/", "reader"),
    "me/structures": _plain("/api/v1/me/structures/", "reader"),
    "me/subdefs": _plain("/api/v1/me/subdefs/", "reader"),
    "me/collections": _plain("/api/v1/me/collections/", "reader"),
    "databoxes": _plain("/api/v1/databoxes/list/", "reader"),
    "databox collections": _of_databox("collections/"),
    "databox status": _of_databox("status/"),
    "databox fields": _of_databox("metadatas/"),
    "databox terms": _of_databox("termsOfUse/"),
    "collection": lambda client: client.get(f"/api/v1/collections/{client.instance.by_size[0]}/"),
    "search everything": _search("per_page=10&sort=created_on"),
    "search everything, administrator": _search("per_page=10&sort=created_on", "admin"),
    "search everything, granted records only": _search("per_page=10&sort=created_on", "borrower"),
    "search a word": _search("per_page=10&query={top}"),
    "search a collection": lambda client: client.get(
        f"/api/v1/search/?per_page=10&bases[]={client.instance.by_size[0]}", "reader"
    ),
    "search extended": _search("per_page=10&query={top}", **EXTENDED),
    "search, the older form": _search("per_page=10&query={top}", route="/api/v1/records/search/"),
    "record": _of_record(""),
    "record, extended": _of_record("", **EXTENDED),
    "record, granted": lambda client: client.get(f"/api/v1/records/{client.instance.databox_id}/10/", "borrower"),
    "record caption": _of_record("caption/"),
    "record metadatas": _of_record("metadatas/"),
    "record status": _of_record("status/"),
    "record embed": _of_record("embed/"),
    "record related": _of_record("related/"),
    "quarantine list": _plain("/api/v1/quarantine/list/?per_page=10"),
    "quarantine item": _quarantine_item,
    "description": _plain("/api/", ""),
}
API_WRITES: dict[str, Request] = {
    "set metadatas": _change("setmetadatas/", _city),
    "set status": _change("setstatus/", lambda _client: {"status[4]": "1"}),
    "move": lambda client: client.call(
        "POST", client.spare_record() + "setcollection/", data={"base_id": str(client.instance.collections[-1])}
    ),
    "upload": _upload,
    "upload of a known file": _upload_again,
    "substitute": _substitute,
    "delete": lambda client: client.call("DELETE", client.spare_record()),
}

# -- files -------------------------------------------------------------------------------------------------------------


def _permalink(client: Client) -> str:
    files = client.get(client.record() + "embed/", "reader")["embed"]
    return str(next(file["permalink"]["url"] for file in files if file["name"] == "thumbnail"))


def _caption(client: Client) -> None:
    address, _, query = _permalink(client).partition("?")
    client.call("GET", f"{address.rsplit('/', 2)[0]}/caption/?{query}", "")


def _oembed(client: Client) -> None:
    client.call("GET", f"/oembed?url={quote(_permalink(client), safe='')}", "")


def _embed(client: Client) -> None:
    client.call("GET", f"/embed/?url={quote(_permalink(client), safe='')}", "")


def _download(client: Client) -> None:
    number = client.number()
    page = f"/records/{client.instance.databox_id}/{number}/"
    form = {"record[]": f"{client.instance.databox_id}/{number}", "file[]": "document", "name": "document"}
    client.submit(page, "/library/download", form)


FILES: dict[str, Request] = {
    "permalink": lambda client: client.call("GET", _permalink(client), ""),
    "permalink caption": _caption,
    "data file": _page("/datafiles/{databox}/{number}/thumbnail/"),
    "embed": _embed,
    "oembed": _oembed,
    "download": _download,
}

# -- pages -------------------------------------------------------------------------------------------------------------


def _post(page: str, action: str, **form: str) -> Request:
    """A form that is sent; {number} is a picture, {app} the application of the administrator."""

    def ask(client: Client) -> None:
        names = {"databox": client.instance.databox_id, "number": client.number(), "count": client.count()}
        names["app"] = client.instance.applications["admin"]
        values = {name: value.format(**names) for name, value in form.items()}
        client.submit(page.format(**names), action.format(**names), values)

    return ask


def _decide(decision: str) -> Request:
    """About the oldest file of the quarantine."""

    def ask(client: Client) -> None:
        items = client.get("/api/v1/quarantine/list/?per_page=10")["quarantine_items"]
        identifiers = [item["id"] for item in (items if isinstance(items, list) else items.values())]
        form = {"one": f"{decision}:{identifiers[0]}"}
        answer = client.submit("/library/quarantine/", "/library/quarantine/decide/", form)
        assert "refused" not in str(answer.headers["location"]), answer.headers["location"]

    return ask


PAGES: dict[str, Request] = {
    "wall": _page("/", "reader"),
    "wall, administrator": _page("/"),
    "wall, a word": _page("/?q={top}", "reader"),
    "record page": _page("/records/{databox}/{number}/", "reader"),
    "record page, administrator": _page("/records/{databox}/{number}/"),
    "quarantine page": _page("/library/quarantine/"),
    "upload page": _page("/upload/"),
    "account": _page("/account/", "reader"),
    "access": _page("/account/access/", "reader"),
    "access, granted records only": _page("/account/access/", "borrower"),
    "security": _page("/account/security/", "reader"),
    "sessions": _page("/account/security/sessions/", "reader"),
    "applications of a person": _page("/account/security/applications/", "reader"),
    "developers": _page("/developers/applications/", "reader"),
    "developers, administrator": _page("/developers/applications/"),
    "application": _page("/developers/application/{app}/", "reader"),
    "application usage": _page("/developers/application/{app}/usage/", "reader"),
    "application people": _page("/developers/application/{app}/people/", "reader"),
    "application scopes": _page("/developers/application/{app}/scopes/", "reader"),
    "application start": _page("/developers/application/{app}/start/", "reader"),
    "application console": _page("/developers/application/{app}/try/", "reader"),
    "application edit": _page("/developers/application/{app}/edit/", "reader"),
    "application export": _page("/developers/application/{app}/export/", "reader"),
    "application delete page": _page("/developers/application/{app}/delete/", "reader"),
    "admin applications": _page("/admin/applications/"),
    "admin collections": _page("/admin/collections/"),
    "admin collection": _page("/admin/collections/{base}/"),
    "admin audit": _page("/admin/audit/"),
    "admin audit, an action": _page("/admin/audit/?action=record.moved"),
    "admin audit, a rare action": _page("/admin/audit/?action=developer_token.renewed"),
    "switch a link off": _post(
        "/records/{databox}/{number}/", "/records/{databox}/{number}/links/", link="off:thumbnail"
    ),
    "retry renditions": _post("/records/{databox}/{number}/", "/records/{databox}/{number}/retry/"),
    "quarantine: delete": _decide("delete"),
    "quarantine: add": _decide("add"),
    "sign in": lambda client: client.sign_in("reader"),
    "save account": _post("/account/", "/account/", first_name="Ada{count}"),
    "revoke user tokens": _post("/developers/application/{app}/", "/developers/application/{app}/tokens/users/"),
}

# -- applications and tokens -------------------------------------------------------------------------------------------


def _own(client: Client) -> str:
    return f"{PORTAL}{client.instance.applications['reader']}/"


def _of_application(end: str) -> Request:
    return lambda client: client.call("GET", _own(client) + end, "reader")


def _application(client: Client) -> None:
    """An application from its registration to its deletion."""
    document = {"name": f"Notes {client.count()}", "description": "Reads.", "website": "https://notes.example.com",
                "kind": "server", "redirect_uris": [CALLBACK]}  # fmt: skip
    registered = client.call("POST", PORTAL, json=document).json()
    path = f"{PORTAL}{registered['id']}/"
    merge = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    client.call("PATCH", path, content=b'{"description": "Reads more."}', headers=merge)
    client.call("POST", path + "redirects/", json={"uri": "https://notes.example.com/other"})
    client.call("DELETE", path + "redirects/?uri=https%3A%2F%2Fnotes.example.com%2Fother")
    client.call("POST", path + "suspend/", json={"reason": "A leak"})
    client.call("POST", path + "resume/")
    client.call("POST", path + "testers/", json={"login": "reader"})
    person = client.instance.users["reader"]
    client.call("DELETE", f"{path}testers/{person}/")
    token = client.call("POST", path + "tokens/", json={"name": "t", "days": 7, "scopes": ["library:read"]}).json()
    client.call("DELETE", f"{path}tokens/{token['id']}/")
    client.call("DELETE", path)
    client.call("POST", path + "restore/")
    client.call("DELETE", path)


def _refresh(client: Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": client.tokens()["refresh_token"]}
    client.post(TOKEN, form)


def _revoke(client: Client) -> None:
    client.post("/api/oauthv2/revoke", {"token": client.tokens()["access_token"]})


def _device(client: Client) -> None:
    form = {"scope": "library:read"}
    client.post("/api/oauthv2/device_authorization", form)


# -- API v4 ------------------------------------------------------------------------------------------------------------


def _v4_record(end: str = "", who: str = "reader") -> Request:
    def ask(client: Client) -> None:
        client.call("GET", f"/api/v4/records/{client.instance.databox_id}/{client.number()}{end}", who)

    return ask


V4: dict[str, Request] = {
    "v4: me": _plain("/api/v4/me", "reader"),
    "v4: databoxes": _plain("/api/v4/databoxes", "reader"),
    "v4: databox": lambda client: client.call("GET", f"/api/v4/databoxes/{client.instance.databox_id}", "reader"),
    "v4: collections": _plain("/api/v4/collections?limit=10", "reader"),
    "v4: collection": lambda client: client.call("GET", f"/api/v4/collections/{client.instance.by_size[0]}"),
    "v4: record": _v4_record(),
    "v4: record, title only": _v4_record("?fields=title"),
    "v4: applications": _plain("/api/v4/applications", "reader"),
}

APPLICATIONS: dict[str, Request] = {
    "portal: list": _plain(PORTAL, "reader"),
    "portal: list, all": _plain(PORTAL + "?all=1"),
    "portal: one": _of_application(""),
    "portal: export": _of_application("export/"),
    "portal: secrets": _of_application("secrets/"),
    "portal: tokens": _of_application("tokens/"),
    "portal: people": _of_application("people/"),
    "portal: limits": _of_application("limits/"),
    "portal: deprecated features": _of_application("habits/"),
    "portal: scopes": _of_application("scopes/"),
    "portal: an application's life": _application,
    "portal: revoke user tokens": lambda client: client.call(
        "DELETE", f"{PORTAL}{client.instance.applications['admin']}/user-tokens/"
    ),
    "authorize and exchange a code": lambda client: client.tokens(),
    "refresh": _refresh,
    "revoke": _revoke,
    "introspect": lambda client: client.post("/api/oauthv2/introspect", {"token": client.tokens()["access_token"]}),
    "client credentials": lambda client: client.post(
        TOKEN, {"grant_type": "client_credentials", "scope": "library:read"}
    ),
}

# -- what nobody asks for ----------------------------------------------------------------------------------------------


def _metrics(client: Client) -> None:
    """The first reading of a server: later ones repeat a part of it for five minutes."""
    server = client.server
    assert Metrics(server.services, Counts(), server.application.connection_guard).text()


def _sweep(client: Client) -> None:
    services = client.server.services
    with services.database.write() as work:
        services.jobs.add(work, SWEEP, {}, key="all")
    client.server.work()


BY_ITSELF: dict[str, Request] = {
    "deferred writes": lambda client: client.server.services.deferred_writes.flush(),
    "worker": lambda client: client.server.work(),
    "readiness": lambda client: client.call("GET", "/ready", ""),
    "metrics": _metrics,
    "purge": lambda client: app.purge(client.server.services, threading.Event()),
    "sweep": _sweep,
}
REQUESTS: dict[str, Request] = {
    **API_READS,
    **FILES,
    **PAGES,
    **V4,
    **PEOPLE,
    **APPLICATIONS,
    **API_WRITES,
    **BY_ITSELF,
}
