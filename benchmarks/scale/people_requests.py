"""Requests about people: their own account, accounts of others, groups, requests for access, notifications."""

from collections.abc import Callable
from typing import Any

from benchmarks.scale.traffic import Client

Request = Callable[[Client], Any]
V1, V4 = "/api/v1", "/api/v4"


def _get(path: str, who: str = "admin") -> Request:
    """{base} is a large collection."""
    return lambda client: client.call("GET", V4 + path.format(base=client.instance.by_size[0]), who)


def _post(path: str, body: Callable[[Client], Any], who: str = "admin") -> Request:
    return lambda client: client.call("POST", path, who, json=body(client))


def _new_account(client: Client) -> None:
    """Made, unlocked, and given another password by a token."""
    login = f"newcomer{client.count()}"
    form = {"email": f"{login}@example.com", "password": "correct horse battery", "login": login}
    answer = client.call("POST", f"{V1}/accounts/access-demand/", json=form).json()["response"]
    client.call("POST", f"{V1}/accounts/unlock/{answer['token']}/")
    reset = client.call("POST", f"{V1}/accounts/reset-password/{login}/").json()["response"]["reset_token"]
    client.call("POST", f"{V1}/accounts/update-password/{reset}/", data={"password": "another horse battery"})


def _group(client: Client) -> None:
    """A group with rights, somebody who joins it, and its end."""
    body = {"name": f"Group {client.count()}"}
    number = client.call("POST", f"{V4}/groups", json=body).json()["group_id"]
    path, reader = f"{V4}/groups/{number}", client.instance.users["reader"]
    rights = {"rights": ["actif", "candwnldpreview"]}
    client.call("PUT", f"{path}/rights/{client.instance.by_size[0]}", json=rights)
    client.call("PUT", f"{path}/members/{reader}")
    client.call("GET", f"{V4}/users/{reader}/rights")
    client.call("DELETE", path)


PEOPLE: dict[str, Request] = {
    "close an account, not allowed": lambda client: client.call("DELETE", f"{V1}/me/", "reader"),
    "request collections": _post(f"{V1}/me/request-collections/", lambda client: client.instance.by_size[:5], "reader"),
    "update account": _post(f"{V1}/me/update-account/", lambda client: {"city": f"Town {client.count()}"}, "reader"),
    "update password, not complete": _post(f"{V1}/me/update-password/", lambda client: {}, "reader"),
    "a new account": _new_account,
    "v4: profile": _get("/me/profile", "reader"),
    "v4: access requests": _get("/me/access-requests?limit=10", "reader"),
    "v4: users": _get("/users?limit=10"),
    "v4: users of a collection": _get("/users?limit=10&base_id={base}"),
    "v4: groups": _get("/groups?limit=10"),
    "v4: members of a group": _get("/groups/1/members?limit=10"),
    "v4: a group's life": _group,
    "v4: templates of rights": _get("/rights-templates?limit=10"),
    "v4: registrations": _get("/registrations?limit=10"),
    "v4: notifications": _get("/notifications?limit=10"),
    "v4: unread notifications": _get("/notifications/unread"),
}
