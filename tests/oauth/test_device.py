"""Devices without a browser of their own: RFC 8628."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.oauth.flows import DEVICE, DEVICE_GRANT, Json, post, refresh, status_of
from vitrine.oauth.devices import ALPHABET
from vitrine.oauth.tables import device_codes
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor, hidden


def offer(server: Server, app: Registered, scope: str = "") -> Json:
    answer = post(server, app, DEVICE, scope=scope, client_secret="")
    assert answer.status_code == 200, answer.text
    offered: Json = answer.json()
    return offered


def poll(server: Server, app: Registered, offered: Json) -> Json:
    form = {"grant_type": DEVICE_GRANT, "device_code": offered["device_code"]}
    polled: Json = post(server, app, client_secret="", **form).json()
    return polled


def later(server: Server, by: timedelta) -> None:
    with server.services.database.write() as work:
        for row in work.db.execute(sa.select(device_codes)).all():
            values = {"polled_at": row.polled_at and row.polled_at - by, "expires": row.expires - by}
            work.db.execute(device_codes.update().where(device_codes.c.id == row.id).values(**values))


def decide(visitor: Visitor, user_code: str, decision: str) -> int:
    page = visitor.submit("/device", "/device", {"user_code": user_code})
    assert page.status_code == 200, page.text
    answer = visitor.client.post("/device", data={**hidden(page.text), "decision": decision})
    return answer.status_code


def test_rfc8628_3_2_a_device_gets_two_codes(server: Server, public: Registered) -> None:
    offered = offer(server, public)
    assert set(offered) == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval",
    }  # fmt: skip
    left, _, right = offered["user_code"].partition("-")
    assert (len(left), len(right)) == (4, 4)
    assert set(left + right) <= set(ALPHABET)
    assert not set("AEIOUY") & set(ALPHABET), "no words by chance (section 6.1)"
    assert offered["verification_uri"] == server.settings.base_url + "/device"


def test_rfc8628_3_a_person_types_the_code_and_the_device_gets_its_tokens(
    server: Server, public: Registered, visitor: Visitor
) -> None:
    offered = offer(server, public, "account:read")
    assert poll(server, public, offered)["error"] == "authorization_pending"
    assert decide(visitor, offered["user_code"].lower().replace("-", " "), "allow") == 200
    granted = poll(server, public, offered)
    assert granted["scope"] == "account:read"
    assert status_of(server, granted["access_token"]) == 200
    assert refresh(server, public, granted["refresh_token"], client_secret="").status_code == 200
    assert poll(server, public, offered)["error"] == "invalid_grant", "one use"


def test_rfc8628_3_5_who_asks_too_often_must_slow_down(server: Server, public: Registered) -> None:
    offered = offer(server, public)
    assert poll(server, public, offered)["error"] == "authorization_pending"
    assert poll(server, public, offered)["error"] == "slow_down"
    later(server, timedelta(seconds=6))
    assert poll(server, public, offered)["error"] == "slow_down", "the pause has grown by five seconds"
    later(server, timedelta(seconds=16))
    assert poll(server, public, offered)["error"] == "authorization_pending"


def test_rfc8628_3_5_a_no_is_access_denied_and_an_old_code_expired(
    server: Server, public: Registered, visitor: Visitor
) -> None:
    denied = offer(server, public)
    assert decide(visitor, denied["user_code"], "deny") == 200
    assert poll(server, public, denied)["error"] == "access_denied"
    old = offer(server, public)
    later(server, timedelta(minutes=11))
    assert poll(server, public, old)["error"] == "expired_token"
    page = visitor.submit("/device", "/device", {"user_code": old["user_code"]})
    assert page.status_code == 400
    assert "unknown, too old or was used already" in page.text


def test_rfc8628_5_1_guesses_are_counted(server: Server, visitor: Visitor) -> None:
    statuses = [visitor.submit("/device", "/device", {"user_code": "BCDF-GHJK"}).status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]


def test_rfc8628_5_4_a_code_in_the_address_is_only_filled_in(
    server: Server, public: Registered, visitor: Visitor
) -> None:
    offered = offer(server, public)
    page = visitor.get(offered["verification_uri_complete"].removeprefix(server.settings.base_url))
    assert f'value="{offered["user_code"]}"' in page.text
    assert poll(server, public, offered)["error"] == "authorization_pending"
    assert server.http.get("/device").status_code == 302, "strangers sign in first"
    forged = visitor.client.post("/device", data={"user_code": offered["user_code"], "decision": "allow"})
    assert forged.status_code == 403, "no form token"


def test_rfc8628_3_4_a_device_code_is_bound_to_its_client(
    server: Server, public: Registered, strict: Registered, old: Registered
) -> None:
    offered = offer(server, public)
    stolen = post(server, strict, grant_type=DEVICE_GRANT, device_code=offered["device_code"])
    assert stolen.json()["error"] == "invalid_grant"
    assert post(server, old, DEVICE).json()["error"] == "unauthorized_client"
    assert post(server, old, grant_type=DEVICE_GRANT, device_code="x").json()["error"] == "invalid_request"


@pytest.mark.parametrize("box", ["allow-account:read"])
def test_the_person_narrows_what_a_device_may(server: Server, public: Registered, visitor: Visitor, box: str) -> None:
    offered = offer(server, public, "account:read search")
    page = visitor.submit("/device", "/device", {"user_code": offered["user_code"]})
    form = {name: value for name, value in hidden(page.text).items() if name != box}
    assert visitor.client.post("/device", data={**form, "decision": "allow"}).status_code == 200
    assert poll(server, public, offered)["scope"] == "search"


def test_not_you_on_the_devices_page_comes_back_with_the_code(
    server: Server, public: Registered, visitor: Visitor
) -> None:
    code = offer(server, public)["user_code"]
    page = visitor.submit("/device", "/device", {"user_code": code})
    answer = visitor.client.post("/device", data={**hidden(page.text), "switch_account": "1"})
    assert visitor.get("/account/").status_code == 302, "signed out"
    server.user("eve")
    form = {"login": "eve", "password": PASSWORD}
    back = visitor.submit(answer.headers["location"], "/login/", form)
    assert code in visitor.get(back.headers["location"]).text
