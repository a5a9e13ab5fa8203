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
from benchmarks.scale.rows import POPULAR
from benchmarks.scale.traffic import TOKEN, Client
from vitrine import housekeeping
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


def _of_box(end: str, who: str = "admin") -> Request:
    return lambda client: client.call("GET", f"/api/v4/databoxes/{client.instance.databox_id}/{end}", who)


def _of_largest(end: str) -> Request:
    """A list of a large collection."""
    return lambda client: client.call(
        "GET", f"/api/v4/collections/{client.instance.by_size[0]}/{end}?limit=10", "admin"
    )


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


# -- stories -----------------------------------------------------------------------------------------------------------

STORY_CHILDREN = 10


def _items(client: Client, count: int = STORY_CHILDREN) -> list[dict[str, Any]]:
    box = client.instance.databox_id
    items = [{"databox_id": box, "record_id": client.number()} for _ in range(count)]
    return [{**item, "use_as_cover": place == 0} for place, item in enumerate(items)]


def _new_story(client: Client) -> str:
    """The address of a new story of STORY_CHILDREN pictures."""
    story = {"base_id": client.instance.collections[0], "title": f"Story {client.count()}"}
    body = {"stories": [{**story, "story_records": _items(client)}]}
    answer = client.call("POST", "/api/v1/stories", json=body).json()["response"]
    return f"/api/v1{answer['stories'][0]}"


def _story_changes(client: Client) -> None:
    """Everything that an editor does to a story, from making to deleting it."""
    story, items = _new_story(client), _items(client, 2)
    client.call("POST", f"{story}addrecords", json={"story_records": items})
    client.call("POST", f"{story}setcover", json={"record_id": items[0]["record_id"]})
    client.call("DELETE", f"{story}delrecords", json={"story_records": items})
    client.call("DELETE", story.replace("/stories/", "/records/"))


def _story_page(client: Client) -> None:
    client.page(_new_story(client).replace("/api/v1/stories/", "/records/"), "admin")


def _stories_of_a_record(client: Client) -> None:
    (child, *_) = client.get(_new_story(client))["story"]["records"]
    client.get(f"/api/v1/records/{client.instance.databox_id}/{child['record_id']}/related/")


def _basket(client: Client) -> None:
    """A basket from its making to its end."""
    basket = client.call("POST", "/api/v1/baskets/add/", "reader", data={"name": "Boats"}).json()
    path = f"/api/v1/baskets/{basket['response']['basket']['basket_id']}/"
    client.call("POST", path + "setname/", "reader", data={"name": "Ships"})
    client.call("POST", path + "setdescription/", "reader", data={"description": "Old"})
    client.call("POST", path + "delete/", "reader")


def _announce(client: Client) -> None:
    """An asset at an address that no worker fetches: it is not public."""
    announcement = {
        "assets": [f"asset {client.count()}"], "publisher": "reader", "token": "none", "commit_id": "1",
        "base_url": "http://127.0.0.1/",
    }  # fmt: skip
    client.call("POST", "/api/v1/upload/enqueue/", json=announcement)


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
    "story": lambda client: client.get(_new_story(client)),
    "story, extended": lambda client: client.get(_new_story(client), headers=EXTENDED),
    "story embed": lambda client: client.get(f"{_new_story(client)}embed/"),
    "stories of a record": _stories_of_a_record,
    "search for stories": _search("per_page=10&search_type=1&sort=created_on"),
    "record related, in many baskets": lambda client: client.get(
        f"/api/v1/records/{client.instance.databox_id}/{POPULAR}/related/"
    ),
    "baskets": _plain("/api/v1/baskets/list/", "reader"),
    "basket": _plain("/api/v1/baskets/1/content/", "reader"),
    "basket, extended": lambda client: client.get("/api/v1/baskets/1/content/", "reader", headers=EXTENDED),
    "basket, shared": _plain("/api/v1/baskets/1/content/"),
    "quarantine list": _plain("/api/v1/quarantine/list/?per_page=10"),
    "quarantine item": _quarantine_item,
    "feeds": _plain("/api/v1/feeds/list/", "reader"),
    "feed": _plain("/api/v1/feeds/1/content/", "reader"),
    "feed entries, extended": lambda client: client.get(
        "/api/v1/feeds/content/?per_page=20", "reader", headers=EXTENDED
    ),
    "feed entry": _plain("/api/v1/feeds/entry/2/", "reader"),
    "description": _plain("/api/", ""),
    "monitor scheduler": _plain("/api/v1/monitor/scheduler/"),
    "monitor tasks": _plain("/api/v1/monitor/tasks/"),
    "monitor task": _plain("/api/v1/monitor/task/1/"),
    "monitor server": _plain("/api/v1/monitor/phraseanet/"),
}
API_WRITES: dict[str, Request] = {
    "set metadatas": _change("setmetadatas/", _city),
    "set status": _change("setstatus/", lambda _client: {"status[4]": "1"}),
    "move": lambda client: client.call(
        "POST", client.spare_record() + "setcollection/", data={"base_id": str(client.instance.collections[-1])}
    ),
    "a basket's life": _basket,
    "upload": _upload,
    "upload of a known file": _upload_again,
    "substitute": _substitute,
    "story changes": _story_changes,
    "delete": lambda client: client.call("DELETE", client.spare_record()),
    "monitor change": lambda client: client.call("POST", "/api/v1/monitor/task/1/", data={"title": "Renditions"}),
    "monitor stop": lambda client: client.call("POST", "/api/v1/monitor/task/3/stop/"),
    "monitor start": lambda client: client.call("POST", "/api/v1/monitor/task/3/start/"),
    "upload queue": _announce,
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
    "story page": _story_page,
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


def _v4_basket(client: Client) -> None:
    """A basket with its people and a vote, from its making to its end; the administrator shares, the reader votes."""
    path = client.call("POST", "/api/v4/baskets", json={"name": "Boats"}).headers["location"]
    path = path[path.index("/api/v4/") :]
    reader, any_tag = client.instance.users["reader"], {"If-Match": "*"}
    records = [{"databox_id": client.instance.databox_id, "record_id": client.number()} for _ in range(3)]
    client.call("POST", path + "/elements", json={"records": records})
    elements = client.call("GET", path + "/elements").json()["data"]
    ids = [element["element_id"] for element in elements]
    client.call("PATCH", path, json={"name": "Ships"}, headers=any_tag)
    client.call("PUT", path + "/order", json={"elements": ids[::-1]}, headers=any_tag)
    client.call("DELETE", f"{path}/elements/{ids[0]}")
    client.call("POST", path + "/elements/removal", json={"elements": ids[1:2]})
    client.call("POST", path + "/participants", json={"user_id": reader})
    client.call("GET", path + "/participants")
    client.call("POST", path + "/read", "reader", json={"is_read": True})
    client.call("POST", path + "/leave", "reader")
    client.call("POST", path + "/vote", json={"voters": [{"user_id": reader}]})
    client.call("POST", path + "/vote/voters", json={"voters": [{"user_id": reader, "can_see_others": True}]})
    client.call("GET", path + "/vote", "reader")
    client.call("PATCH", path + "/vote", json={"expires": "2030-01-01T00:00:00Z"}, headers=any_tag)
    choices = [{"element_id": ids[2], "agreement": True}]
    client.call("POST", path + "/vote/choices", "reader", json={"choices": choices})
    client.call("GET", path + "/vote/choices", "reader")
    client.call("POST", path + "/vote/confirm", "reader")
    client.call("POST", path + "/vote/close")
    client.call("DELETE", path + "/vote")
    client.call("POST", path + "/participants", json={"user_id": reader})
    client.call("DELETE", f"{path}/participants/{reader}")
    client.call("DELETE", path)


def _v4_rule(client: Client) -> None:
    """A rule that concerns nothing in the smallest collection, looked at, run and deleted."""
    path = f"/api/v4/databoxes/{client.instance.databox_id}/rules"
    text = {"field_id": client.instance.fields["City"], "test": "equals", "text": "nowhere"}
    criteria = {"base_ids": client.instance.by_size[-1:], "texts": [text]}
    body = {"name": "Old", "criteria": criteria, "action": {"status": {"4": True}}}
    rule = f"{path}/{client.call('POST', path, json=body).json()['rule_id']}"
    client.call("GET", f"{rule}/dry-run")
    client.call("POST", f"{rule}/runs")
    client.call("GET", f"{rule}/runs")
    client.call("DELETE", rule)


def _v4_push(client: Client) -> None:
    """Sent, and deleted by who received it."""
    record = {"databox_id": client.instance.databox_id, "record_id": client.number()}
    body = {"records": [record], "people": [{"user_id": client.instance.users["reader"]}], "name": "For you"}
    client.call("POST", "/api/v4/baskets/push", json=body)
    baskets = client.call("GET", "/api/v4/baskets?limit=100", "reader").json()["data"]
    client.call("DELETE", f"/api/v4/baskets/{baskets[-1]['basket_id']}", "reader")


def _v4_change(client: Client) -> None:
    path = f"/api/v4/records/{client.instance.databox_id}/{client.number()}"
    change = {"metadata": {"City": f"Town {client.count()}"}}
    client.call("PATCH", path, json=change, headers={"If-Match": "*"})


def _v4_story(client: Client) -> None:
    """A story and two pages of its records."""
    story = _new_story(client).replace("/api/v1/", "/api/v4/").rstrip("/")
    client.call("GET", story)
    following = client.call("GET", f"{story}/children?limit=4").json()["next"]
    client.call("GET", f"{story}/children?limit=4&cursor={following}")


def _v4_story_changes(client: Client) -> None:
    """From making to deleting one."""
    numbers, any_tag = [client.number() for _ in range(4)], {"If-Match": "*"}
    base = client.instance.collections[0]
    created = client.call("POST", "/api/v4/stories", json={"base_id": base, "records": numbers[:2]}).json()
    story = f"/api/v4/stories/{created['databox_id']}/{created['record_id']}"
    client.call("POST", f"{story}/children", json={"records": numbers[2:]})
    listed = client.call("GET", f"{story}/children?fields=title").json()["data"]
    order = [child["record_id"] for child in reversed(listed)]
    client.call("PUT", f"{story}/children", json={"records": order}, headers=any_tag)
    client.call("PUT", f"{story}/cover", json={"record_id": order[0]}, headers=any_tag)
    client.call("DELETE", f"{story}/children/{order[1]}")
    client.call("DELETE", f"{story}/cover")
    client.call("DELETE", story)


def _v4_upload(client: Client) -> None:
    path = _picture(client)
    form = {"base_id": str(client.instance.collections[0])}
    headers = {"Idempotency-Key": path.name}
    client.call("POST", "/api/v4/records", data=form, files={"file": (path.name, path.read_bytes())}, headers=headers)


def _draft(client: Client) -> dict[str, Any]:
    records = [{"databox_id": client.instance.databox_id, "record_id": client.number()} for _ in range(3)]
    unique = {(record["databox_id"], record["record_id"]): record for record in records}
    return {"title": f"Entry {client.count()}", "records": list(unique.values())}


def _publish(client: Client) -> None:
    client.call("POST", "/api/v4/feeds/1/entries", json=_draft(client))


def _life_of_an_entry(client: Client) -> None:
    added = client.call("POST", "/api/v4/feeds/1/entries", json=_draft(client))
    merge = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    path = added.headers["location"]
    client.call("PATCH", path, content=b'{"title": "Changed"}', headers=merge)
    client.call("DELETE", path)


def _switch_feed(client: Client) -> None:
    """Of a feed of its own: what changes is the flags of its records."""
    path = client.call("POST", "/api/v4/feeds", json={"title": f"Feed {client.count()}"}).headers["location"]
    client.call("POST", f"{path}/entries", json=_draft(client))
    merge = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    for public in (b"true", b"false"):
        client.call("PATCH", path, content=b'{"public": %b}' % public, headers=merge)
    client.call("DELETE", path)


def _personal_feeds(client: Client) -> None:
    address = client.call("POST", "/api/v4/feeds/address", "reader").json()["rss"]
    client.call("GET", address[address.index("/feeds/") :], "")


def _v4_operation(client: Client) -> str:
    """Begin an operation on a few records and cancel it; its address."""
    records = [{"databox_id": client.instance.databox_id, "record_ids": [client.number() for _ in range(5)]}]
    edit = {"field_id": client.instance.fields["City"], "action": "set", "values": [f"Town {client.count()}"]}
    answer = client.call("POST", "/api/v4/operations", json={"records": records, "fields": [edit]})
    address = str(answer.headers["location"])
    client.call("POST", f"{address}/cancel")
    return address


def _v4_download(client: Client) -> None:
    """Of a few previews: made, looked at, given a link, and taken back."""
    records = [{"databox_id": client.instance.databox_id, "record_ids": [client.number() for _ in range(5)]}]
    answer = client.call("POST", "/api/v4/downloads", json={"records": records, "classes": ["thumbnail", "preview"]})
    address = str(answer.headers["location"])
    for part in ("", "/files", "/links"):
        client.call("GET", f"{address}{part}")
    client.call("POST", f"{address}/links")
    client.call("POST", f"{address}/revoke")


def _v4_recipient_list(client: Client) -> None:
    address = str(client.call("POST", "/api/v4/recipient-lists", json={"name": "Press"}).headers["location"])
    client.call("POST", f"{address}/members", json={"people": [{"login": "reader"}]})
    for part in ("", "/members", "/roles"):
        client.call("GET", f"{address}{part}")
    client.call("DELETE", address)


V4: dict[str, Request] = {
    "v4: baskets": _plain("/api/v4/baskets?limit=10", "reader"),
    "v4: baskets, shared": _plain("/api/v4/baskets?limit=5&shared=1"),
    "v4: basket": _plain("/api/v4/baskets/1", "reader"),
    "v4: basket elements": _plain("/api/v4/baskets/1/elements?limit=5", "reader"),
    "v4: a basket's life": _v4_basket,
    "v4: push": _v4_push,
    "v4: me": _plain("/api/v4/me", "reader"),
    "v4: databoxes": _plain("/api/v4/databoxes", "reader"),
    "v4: hot folders": _plain("/api/v4/hot-folders"),
    "v4: databox": lambda client: client.call("GET", f"/api/v4/databoxes/{client.instance.databox_id}", "reader"),
    "v4: fields": _of_box("fields"),
    "v4: status bits": _of_box("status-bits"),
    "v4: recipes": _of_box("recipes"),
    "v4: structure tasks": _of_box("tasks"),
    "v4: rules": _of_box("rules"),
    "v4: a rule's life": _v4_rule,
    "v4: unused accounts": _plain("/api/v4/users/inactive"),
    "v4: all collections of a databox": _of_box("collections?limit=10"),
    "v4: settings of a databox": _of_box("settings"),
    "v4: terms": _of_box("terms"),
    "v4: versions of terms": _of_box("terms/versions"),
    "v4: acceptances of terms": _of_box("terms/acceptances"),
    "v4: collections": _plain("/api/v4/collections?limit=10", "reader"),
    "v4: collection": lambda client: client.call("GET", f"/api/v4/collections/{client.instance.by_size[0]}"),
    "v4: record": _v4_record(),
    "v4: record, title only": _v4_record("?fields=title"),
    "v4: record files": _v4_record("/renditions"),
    "v4: record change": _v4_change,
    "v4: find everything": _plain("/api/v4/records?limit=10&sort=created_on", "reader"),
    "v4: find a word": lambda client: client.call(
        "GET", "/api/v4/records?limit=10&query={top}".format(**client.instance.words), "reader"
    ),
    "v4: find with fields": _plain("/api/v4/records?limit=10&fields=metadata,renditions", "reader"),
    "v4: story": _v4_story,
    "v4: story changes": _v4_story_changes,
    "v4: upload": _v4_upload,
    "v4: quarantine": _plain("/api/v4/quarantine?limit=10"),
    "v4: applications": _plain("/api/v4/applications", "reader"),
    "v4: feeds": _plain("/api/v4/feeds", "reader"),
    "v4: feed": _plain("/api/v4/feeds/1", "reader"),
    "v4: feed publishers": _plain("/api/v4/feeds/1/publishers"),
    "v4: feed entries": _plain("/api/v4/feeds/1/entries?limit=10", "reader"),
    "v4: feed entry": _plain("/api/v4/feeds/1/entries/1", "reader"),
    "v4: publish": _publish,
    "v4: an entry's life": _life_of_an_entry,
    "v4: a feed becomes public and private": _switch_feed,
    "v4: feed address": lambda client: client.call("POST", "/api/v4/feeds/address", "reader"),
}
SYNDICATION: dict[str, Request] = {
    "RSS": _plain("/feeds/feed/1/rss/", ""),
    "Atom, all feeds": _plain("/feeds/aggregated/atom/", ""),
    "Cooliris": _plain("/feeds/cooliris/", ""),
    "personal feeds": _personal_feeds,
    "free permalink": lambda client: client.call(
        "GET", f"/permalink/v1/{client.instance.databox_id}/8/thumbnail/x.jpg", ""
    ),
    "v4: history": _v4_record("/history", "admin"),
    "v4: views of a record": _v4_record("/views?limit=10", "admin"),
    "v4: uses of a record": _v4_record("/uses?limit=10", "admin"),
    "v4: views of a collection": _of_largest("views"),
    "v4: uses of a collection": _of_largest("uses"),
    "v4: searches": _of_box("searches?limit=10"),
    "v4: sessions": _plain("/api/v4/sessions?limit=10"),
    "v4: versions": _v4_record("/versions", "admin"),
    "v4: operations": _plain("/api/v4/operations?limit=10"),
    "v4: operation": lambda client: client.call("GET", _v4_operation(client) + "/items"),
    "v4: undo of an operation": lambda client: client.call("POST", _v4_operation(client) + "/undo"),
    "v4: a download's life": _v4_download,
    "v4: recipient lists": _plain("/api/v4/recipient-lists?limit=10"),
    "v4: a recipient list's life": _v4_recipient_list,
    "v4: downloads": _plain("/api/v4/downloads?limit=10"),
    "v4: download quotas": _plain("/api/v4/me/download-quotas"),
    "v4: tasks": _plain("/api/v4/tasks"),
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
    "purge": lambda client: housekeeping.purge(client.server.services, threading.Event()),
    "sweep": _sweep,
}
REQUESTS: dict[str, Request] = {
    **API_READS,
    **FILES,
    **PAGES,
    **V4,
    **SYNDICATION,
    **PEOPLE,
    **APPLICATIONS,
    **API_WRITES,
    **BY_ITSELF,
}
