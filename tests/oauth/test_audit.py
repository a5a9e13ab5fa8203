"""Administrators can read and export the audit log, and it contains no secret."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.oauth.flows import code_of, exchange
from vitrine.accounts import User, Via
from vitrine.platform import audit
from vitrine.testing.server import PASSWORD, Registered, Server, Visitor
from vitrine.testing.shell import vitrine

PAGE = "/admin/audit/"


@pytest.fixture
def admin(server: Server) -> Visitor:
    return server.browser(server.user("root", is_admin=True))


@pytest.mark.both_databases
def test_an_administrator_reads_what_happened_and_takes_it_away(
    server: Server, ada: User, strict: Registered, visitor: Visitor, admin: Visitor
) -> None:
    granted = exchange(server, strict, code_of(visitor, strict)).json()
    shown = admin.get(PAGE).text
    assert "consent.allow" in shown
    assert "application.created" in shown
    answer = admin.get(PAGE + "export/?action=consent")
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["cache-control"] == "no-store"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["action"] for line in lines] == ["consent.allow"]
    assert (lines[0]["user_id"], lines[0]["object"]) == (ada.id, f"application {strict.application.id}")
    whole = admin.get(PAGE + "export/").text
    assert json.loads(whole.splitlines()[0])["action"] == "audit.exported", "the export before is a line itself"
    for secret in (granted["access_token"], granted["refresh_token"], strict.secret, strict.developer_token, PASSWORD):
        assert secret not in whole + shown


def test_nobody_else_reads_it(server: Server, visitor: Visitor) -> None:
    for path in (PAGE, PAGE + "export/"):
        assert visitor.get(path).status_code == 403
        assert server.browser().get(path).headers["location"].startswith("/login/")


def test_days_are_whole_and_pages_go_on_where_they_ended(server: Server, admin: Visitor) -> None:
    with server.services.database.write() as work:
        for number in range(150):
            audit.write(work, None, "test.line", f"thing {number}", {"n": number})
        today = work.now.date()
    first = admin.get(PAGE + "?action=test.").text
    assert ("thing 149<" in first or "thing 149" in first, "thing 49" in first) == (True, False)
    before = first.split("before=")[1].split('"')[0]
    second = admin.get(f"{PAGE}?action=test.&before={before}").text
    assert "thing 49" in second
    assert "before=" not in second
    for query, count in (
        (f"since={today}", 150), (f"until={today}", 150), (f"since={today + timedelta(days=1)}", 0),
        (f"until={today - timedelta(days=1)}", 0), ("since=&until=", 150),
    ):  # fmt: skip
        assert len(admin.get(f"{PAGE}export/?action=test.&{query}").text.splitlines()) == count, query
    assert admin.get(PAGE + "export/?action=test%25").text == "", "a wildcard is a letter"
    for wrong in ("since=yesterday", "until=2026-02-30"):
        assert admin.get(f"{PAGE}?{wrong}").status_code == 400


def test_the_command_prints_every_line(server: Server, admin: Visitor) -> None:
    data = str(server.settings.data_dir)
    done = vitrine("audit", "--data", data)
    assert done.returncode == 0, done.stderr
    actions = [json.loads(line)["action"] for line in done.stdout.splitlines()]
    assert actions[0] == "session.opened"
    assert "user.created" in actions
    later = vitrine("audit", "--data", data, "--since", "2999-01-01")
    assert (later.returncode, later.stdout) == (0, "")


def test_the_page_names_people_and_applications_and_details_in_words(server: Server) -> None:
    boss = server.user("boss", is_admin=True)
    app = server.register(boss)
    with server.services.database.write() as work:
        actor = server.services.accounts.users.actor_of(work, boss, Via.COMMAND)
        acting = replace(actor, application_id=app.application.id)
        audit.write(work, acting, "test.line", "thing", {"before": {"on": True, "names": []}, "after": ["a", "b"]})
    page = server.browser(boss).get(PAGE, params={"action": "test."}).text
    assert "by boss" in page
    assert "user 1 (boss)" in server.browser(boss).get(PAGE).text
    assert f"through application {app.application.name}" in page
    assert "before: on: yes, names: – · after: a, b" in page
    assert "{" not in page.split('<ul class="lines">')[1].split("</ul>")[0]
