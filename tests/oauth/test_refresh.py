"""Rotating refresh tokens: RFC 6749 section 6, RFC 9700 section 4.14.2, design 5.3."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from tests.oauth.flows import TOKEN, code_of, exchange, post, refresh, status_of, tokens
from vitrine.accounts import User
from vitrine.applications import Profile, Switch
from vitrine.oauth.tables import access_tokens, refresh_tokens
from vitrine.platform.tables import audit_log
from vitrine.testing.server import Registered, Server, Visitor

RACERS = 50


def age(server: Server, by: timedelta) -> None:
    """Let every use of a refresh token have been longer ago."""
    with server.services.database.write() as work:
        for row in work.db.execute(sa.select(refresh_tokens).where(refresh_tokens.c.used_at.is_not(None))).all():
            values = {"used_at": row.used_at - by}
            work.db.execute(refresh_tokens.update().where(refresh_tokens.c.id == row.id).values(**values))


def audited(server: Server, action: str) -> int:
    with server.services.database.read() as work:
        return work.db.scalar(sa.select(sa.func.count()).where(audit_log.c.action == action)) or 0


def test_rfc6749_5_1_an_answer_has_a_token_for_an_hour_and_a_refresh_token(
    server: Server, ada: User, strict: Registered
) -> None:
    granted = tokens(server, ada, strict)
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3600)
    assert granted["refresh_token"].startswith("vit_rt_")
    assert status_of(server, granted["access_token"]) == 200


def test_rfc6749_6_a_refresh_gives_new_tokens_and_the_old_access_token_lives_on(
    server: Server, ada: User, strict: Registered
) -> None:
    granted = tokens(server, ada, strict)
    again = refresh(server, strict, granted["refresh_token"])
    assert again.status_code == 200
    assert again.headers["cache-control"] == "no-store"
    fresh = again.json()
    assert fresh["refresh_token"] != granted["refresh_token"]
    assert fresh["access_token"] != granted["access_token"]
    assert status_of(server, granted["access_token"]) == status_of(server, fresh["access_token"]) == 200


def test_design_5_3_within_the_grace_the_same_successor_comes_again(
    server: Server, ada: User, strict: Registered
) -> None:
    granted = tokens(server, ada, strict)
    first = refresh(server, strict, granted["refresh_token"]).json()
    age(server, timedelta(seconds=20))
    second = refresh(server, strict, granted["refresh_token"]).json()
    assert (second["refresh_token"], second["access_token"]) == (first["refresh_token"], first["access_token"])
    assert second["expires_in"] <= 3600
    assert refresh(server, strict, second["refresh_token"]).status_code == 200


def test_rfc9700_4_14_2_a_late_second_use_ends_the_family_and_leaves_an_audit_line(
    server: Server, ada: User, strict: Registered
) -> None:
    granted = tokens(server, ada, strict)
    other = tokens(server, ada, strict)
    fresh = refresh(server, strict, granted["refresh_token"]).json()
    age(server, timedelta(seconds=31))
    late = refresh(server, strict, granted["refresh_token"])
    assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")
    assert audited(server, "refresh_token.reused") == 1
    assert status_of(server, fresh["access_token"]) == status_of(server, granted["access_token"]) == 401
    assert refresh(server, strict, fresh["refresh_token"]).json()["error"] == "invalid_grant"
    assert status_of(server, other["access_token"]) == 200, "another grant is no concern of it"
    assert refresh(server, strict, other["refresh_token"]).status_code == 200


def test_rfc6749_6_a_refresh_token_is_bound_to_its_client(
    server: Server, ada: User, strict: Registered, public: Registered
) -> None:
    granted = tokens(server, ada, public, client_secret="")
    stolen = refresh(server, strict, granted["refresh_token"])
    assert stolen.json()["error"] == "invalid_grant"
    assert refresh(server, public, granted["refresh_token"], client_secret="").status_code == 200
    nobody = post(server, None, grant_type="refresh_token", refresh_token=granted["refresh_token"])
    assert nobody.json()["error"] == "invalid_client", "a public client says who it is"


def test_rfc6749_6_a_confidential_client_proves_itself(server: Server, ada: User, strict: Registered) -> None:
    granted = tokens(server, ada, strict)
    for secret in ("", "wrong"):
        assert (
            refresh(server, strict, granted["refresh_token"], client_secret=secret).json()["error"] == "invalid_client"
        )
    assert refresh(server, strict, granted["refresh_token"]).status_code == 200


def test_rfc6749_6_a_refresh_may_ask_for_less_but_not_for_more(server: Server, ada: User, strict: Registered) -> None:
    granted = tokens(server, ada, strict, "library:read account:read")
    more = refresh(server, strict, granted["refresh_token"], scope="library:read delete")
    assert more.json()["error"] == "invalid_scope"
    less = refresh(server, strict, granted["refresh_token"], scope="library:read").json()
    assert less["scope"] == "library:read"
    assert status_of(server, less["access_token"]) == 403
    whole = refresh(server, strict, less["refresh_token"]).json()
    assert whole["scope"] == "library:read account:read", "what was granted is still granted"


@pytest.mark.parametrize("wrong", ["", "nonsense", "vit_rt_" + "a" * 36])
def test_rfc6749_5_2_what_is_no_refresh_token_is_refused(server: Server, strict: Registered, wrong: str) -> None:
    error = refresh(server, strict, wrong).json()["error"]
    assert error == ("invalid_grant" if wrong else "invalid_request")


def test_rfc6749_6_a_token_whose_time_is_over_is_refused(server: Server, ada: User, strict: Registered) -> None:
    granted = tokens(server, ada, strict)
    with server.services.database.write() as work:
        work.db.execute(refresh_tokens.update().values(expires=work.now))
    assert refresh(server, strict, granted["refresh_token"]).json()["error"] == "invalid_grant"


def test_rfc6749_10_4_withdrawn_consent_ends_refresh_tokens(
    server: Server, ada: User, strict: Registered, visitor: Visitor
) -> None:
    granted = tokens(server, ada, strict)
    where = f"/account/security/application/{strict.application.id}/revoke/"
    assert visitor.submit("/account/security/applications/", where, {}).status_code == 303
    assert refresh(server, strict, granted["refresh_token"]).json()["error"] == "invalid_grant"
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(refresh_tokens)) == 0


def test_rfc6749_10_5_a_replayed_code_ends_what_came_of_it_refreshed_tokens_included(
    server: Server, ada: User, strict: Registered, visitor: Visitor
) -> None:
    code = code_of(visitor, strict)
    granted = exchange(server, strict, code).json()
    fresh = refresh(server, strict, granted["refresh_token"]).json()
    assert exchange(server, strict, code).json()["error"] == "invalid_grant"
    assert status_of(server, fresh["access_token"]) == status_of(server, granted["access_token"]) == 401
    assert refresh(server, strict, fresh["refresh_token"]).json()["error"] == "invalid_grant"


def test_2_a_suspended_application_and_a_deleted_person_get_nothing_more(
    server: Server, ada: User, strict: Registered
) -> None:
    granted = tokens(server, ada, strict)
    users = sa.table("users", sa.column("mail_locked"))
    with server.services.database.write() as work:
        work.db.execute(sa.update(users).values(mail_locked=True))
    assert refresh(server, strict, granted["refresh_token"]).json()["error"] == "invalid_grant"
    with server.services.database.write() as work:
        work.db.execute(sa.update(users).values(mail_locked=False))
    assert refresh(server, strict, granted["refresh_token"]).status_code == 200


def test_design_5_3_old_and_endless_applications_have_none(server: Server, ada: User, old: Registered) -> None:
    granted = tokens(server, ada, old)
    assert set(granted) == {"access_token", "scope", "token_type"}
    assert refresh(server, old, "x").json()["error"] == "unsupported_grant_type"
    desktop = server.register(ada, kind="desktop", profile=Profile.DESKTOP, on=(Switch.ENDLESS_TOKEN,))
    assert refresh(server, desktop, "x", client_secret="").json()["error"] == "unsupported_grant_type"


def test_tokens_are_kept_as_digests_only(server: Server, ada: User, strict: Registered) -> None:
    granted = tokens(server, ada, strict)
    fresh = refresh(server, strict, granted["refresh_token"]).json()
    with server.services.database.read() as work:
        kept = repr([work.db.execute(sa.select(table)).all() for table in (refresh_tokens, access_tokens)])
    for secret in (granted["refresh_token"], fresh["refresh_token"], fresh["access_token"]):
        assert secret not in kept
        assert secret[7:30] not in kept


def race(server: Server, form: dict[str, str]) -> list[tuple[int, dict[str, object]]]:
    """RACERS requests that leave together."""
    outcomes: list[tuple[int, dict[str, object]]] = []
    gate = threading.Barrier(RACERS)

    def run() -> None:
        client = TestClient(server.application, base_url=server.settings.base_url)
        gate.wait()
        answer = client.post(TOKEN, data=form)
        outcomes.append((answer.status_code, answer.json()))

    racers = [threading.Thread(target=run) for _ in range(RACERS)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    return outcomes


def credentials(app: Registered) -> dict[str, str]:
    return {"client_id": app.client_id, "client_secret": app.secret}


@pytest.mark.both_databases
def test_of_fifty_refreshes_at_once_one_makes_the_successor_and_all_get_it(
    server: Server, ada: User, strict: Registered
) -> None:
    secret = tokens(server, ada, strict)["refresh_token"]
    outcomes = race(server, {"grant_type": "refresh_token", "refresh_token": secret, **credentials(strict)})
    assert [status for status, _ in outcomes] == [200] * RACERS
    assert len({(answer["refresh_token"], answer["access_token"]) for _, answer in outcomes}) == 1
    with server.services.database.read() as work:
        assert work.db.scalar(sa.select(sa.func.count()).select_from(refresh_tokens)) == 2
    assert refresh(server, strict, str(outcomes[0][1]["refresh_token"])).status_code == 200


@pytest.mark.both_databases
def test_of_fifty_refreshes_after_the_grace_all_are_refused_and_the_family_ends_once(
    server: Server, ada: User, strict: Registered
) -> None:
    secret = tokens(server, ada, strict)["refresh_token"]
    fresh = refresh(server, strict, secret).json()
    age(server, timedelta(minutes=1))
    outcomes = race(server, {"grant_type": "refresh_token", "refresh_token": secret, **credentials(strict)})
    assert {(status, answer["error"]) for status, answer in outcomes} == {(400, "invalid_grant")}
    assert audited(server, "refresh_token.reused") == 1
    assert status_of(server, fresh["access_token"]) == 401


@pytest.mark.both_databases
def test_of_fifty_exchanges_of_one_code_one_wins(server: Server, strict: Registered, visitor: Visitor) -> None:
    form = {
        "grant_type": "authorization_code", "code": code_of(visitor, strict), "code_verifier": "v" * 64,
        "redirect_uri": "https://notes.example.com/cb", **credentials(strict),
    }  # fmt: skip
    outcomes = race(server, form)
    assert sorted(status for status, _ in outcomes) == [200] + [400] * (RACERS - 1)
    won = next(answer for status, answer in outcomes if status == 200)
    assert status_of(server, str(won["access_token"])) == 401, "the replays revoked it (RFC 6749 section 10.5)"
