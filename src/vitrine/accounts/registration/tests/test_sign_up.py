"""Making an account: the form, the puzzle, the mail, and what rules by address give (06 section 18)."""

import hashlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.operations.test_account_mail import link, sent_mails

from vitrine.accounts import COMMAND
from vitrine.accounts.puzzles import WAIT, ZERO_BITS, Puzzles, Solution
from vitrine.accounts.registration.model import Policy, Rule
from vitrine.accounts.rights import CONTRIBUTOR, READER
from vitrine.testing.server import PASSWORD, Server

PAGE = "/login/register/"
FORM = {"email": "new@museum.example", "password": PASSWORD, "again": PASSWORD, "last_name": "Martin"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    instance = Server(
        tmp_path / "data", sign_up=True, sign_up_fields=("login", "gender", "last_name*", "city"),
        terms_url="/terms", registration_automatic=True,
    )  # fmt: skip
    instance.user("root", is_admin=True)
    yield instance
    instance.close()


def solved(puzzle: str) -> str:
    """What the script of the page finds."""
    for number in itertools.count():
        hashed = hashlib.sha256(f"{puzzle}:{number}".encode()).digest()
        if int.from_bytes(hashed, "big") >> (256 - ZERO_BITS) == 0:
            return str(number)
    raise AssertionError


def send(server: Server, *, bases: list[int] | None = None, solve: bool = True, **more: Any) -> httpx.Response:
    visitor = server.browser()
    hidden = visitor.form(PAGE)
    values: dict[str, Any] = {**hidden, **FORM, "terms": "1", **more}
    values["collections[]"] = [str(base) for base in bases or []]
    if solve:
        values["puzzle_number"] = solved(hidden["puzzle"])
    return visitor.client.post(PAGE, data=values)


def open_for_requests(server: Server, rules: tuple[Rule, ...] | None = None) -> None:
    with server.services.database.write() as work:
        policy = Policy(True, rules)
        server.services.accounts.registration.set_collection_policy(work, COMMAND, server.archive.id, policy)


def confirm(server: Server) -> httpx.Response:
    address = link(sent_mails(server)[-1])
    return server.browser().submit(address, "/login/confirm/", {"token": address.partition("=")[2]})


def signs_in(server: Server, login: str) -> bool:
    return server.browser().submit("/login/", "/login/", {"login": login, "password": PASSWORD}).status_code == 303


def rights(server: Server, login: str) -> dict[int, Any]:
    users = server.services.accounts.users
    with server.services.database.read() as work:
        user = users.find(work, login)
        return {
            base: grant.rights for base, grant in users.rights(work, user.id, user.rights_version).collections.items()
        }


def waiting(server: Server) -> list[int]:
    with server.services.database.read() as work:
        return [entry.base_id for entry in server.services.accounts.registration.pending(work, COMMAND)]


def test_an_account_is_confirmed_by_its_mail_and_asks_for_what_was_ticked(server: Server) -> None:
    open_for_requests(server, rules=())
    answer = send(server, bases=[server.archive.id, server.photographs.id, 999], login="zoe", city="Brest")
    assert answer.status_code == 200
    assert "new@museum.example" in answer.text
    assert not signs_in(server, "zoe")
    assert waiting(server) == [], "nobody decides before the address is confirmed"
    assert server.browser().get(link(sent_mails(server)[-1])).status_code == 200
    assert not signs_in(server, "zoe"), "looking at the link confirms nothing"
    assert confirm(server).status_code == 303
    assert signs_in(server, "zoe")
    assert waiting(server) == [server.archive.id]
    assert rights(server, "zoe") == {}
    address = link(sent_mails(server)[-1])
    assert server.browser().get(address).status_code == 404, "the link works once"


@pytest.mark.parametrize(
    ("rules", "given"),
    [
        (None, READER),
        ((), None),
        ((Rule("*@other.example", CONTRIBUTOR), Rule("*@MUSEUM.example", READER), Rule("*", CONTRIBUTOR)), READER),
        ((Rule("*@other.example", CONTRIBUTOR),), None),
    ],
)
def test_the_first_rule_that_fits_a_confirmed_address_gives_rights(
    server: Server, rules: tuple[Rule, ...] | None, given: Any
) -> None:
    open_for_requests(server, rules)
    send(server, bases=[server.archive.id], login="zoe")
    assert rights(server, "zoe") == {}
    confirm(server)
    assert rights(server, "zoe") == ({} if given is None else {server.archive.id: given})
    assert waiting(server) == ([server.archive.id] if given is None else [])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "nobody"}, "email"), ({"again": "other"}, "again"), ({"terms": ""}, "terms"),
        ({"last_name": " "}, "last_name"), ({"password": "short", "again": "short"}, "password"),
        ({"login": "two words"}, "login"), ({"login": "ROOT"}, "login"), ({"city": "x" * 200}, "city"),
    ],
)  # fmt: skip
def test_a_fault_is_shown_at_its_field_and_makes_nothing(server: Server, wrong: dict[str, Any], field: str) -> None:
    form: dict[str, Any] = {"login": "zoe", **wrong}
    answer = send(server, **form)
    assert answer.status_code == 400
    assert re.search(rf'id="{field}-fault"|href="#{field}"', answer.text)
    assert PASSWORD not in answer.text
    assert sent_mails(server) == []


def test_the_owner_of_an_address_is_told_and_nobody_else(server: Server) -> None:
    server.user("ada", email="new@museum.example")
    first, second = send(server, login="zoe"), send(server, login="zoe", email="free@museum.example")
    assert first.text.replace("new@", "free@").split("request_id")[0] == second.text.split("request_id")[0]
    told, confirmed = sent_mails(server)
    assert (told["To"], "ada" in told.get_content()) == ("new@museum.example", True)
    assert confirmed["To"] == "free@museum.example"
    assert not signs_in(server, "zoe")


@pytest.mark.parametrize(
    "wrong", [{"login": "two words"}, {"login": "ROOT"}, {"login": "a@b.example"}, {"city": "x" * 200}]
)
def test_a_fault_does_not_tell_whether_somebody_has_an_address(server: Server, wrong: dict[str, Any]) -> None:
    server.user("ada", email="new@museum.example")
    had, free = send(server, **wrong), send(server, email="free@museum.example", **wrong)
    assert (had.status_code, free.status_code) == (400, 400)
    assert sent_mails(server) == []


def test_without_a_solution_the_form_waits(server: Server) -> None:
    assert send(server, solve=False, login="zoe").status_code == 400
    assert sent_mails(server) == []


def test_mails_to_one_address_are_bounded(server: Server) -> None:
    for number in range(5):
        send(server, login=f"zoe{number}")
    assert len(sent_mails(server)) == 1, "the first account has the address; its owner is not asked again and again"


def test_a_closed_sign_up_has_no_page(tmp_path: Path) -> None:
    server = Server(tmp_path / "closed")
    server.user("root", is_admin=True)
    assert server.browser().get(PAGE).status_code == 404
    assert server.browser().submit("/login/", PAGE, FORM).status_code == 404
    assert PAGE not in server.browser().get("/login/").text
    server.close()


class TestPuzzles:
    def test_a_solution_serves_one_subject(self, server: Server) -> None:
        puzzles = Puzzles(server.services.vault)
        with server.services.database.read() as work:
            now = work.now
        puzzle = puzzles.make("sign-in ada 5", now)
        solution = Solution(puzzle, solved(puzzle))
        assert puzzles.is_solved(solution, "sign-in ada 5", now)
        assert not puzzles.is_solved(solution, "sign-in ada 6", now), "another failure came in between"
        assert not puzzles.is_solved(Solution(puzzle, "x"), "sign-in ada 5", now)
        assert not puzzles.is_solved(Solution(puzzle), "sign-in ada 5", now)
        assert puzzles.is_solved(Solution(puzzle), "sign-in ada 5", now + WAIT), "whoever has no script waits"
        assert not puzzles.is_solved(solution, "sign-in ada 5", now + WAIT * 100)
        for forged in ("", ".", "1.2", "x.y.z", puzzle[1:], f"1.{puzzle.partition('.')[2]}", "1" * 500):
            assert not puzzles.is_solved(Solution(forged, "1"), "sign-in ada 5", now + WAIT)

    def test_a_sign_in_form_asks_after_five_failures(self, server: Server) -> None:
        server.user("ada")
        visitor = server.browser()
        wrong = {"login": "ada", "password": "not this one"}
        for number in range(5):
            page = visitor.submit("/login/", "/login/", wrong)
            assert ("data-puzzle" in page.text) is (number == 4)
        assert not signs_in(server, "ada"), "the right password alone does not open it now"
        puzzle = re.search(r'name="puzzle" value="([^"]+)"', page.text)
        assert puzzle
        form = {"login": "ada", "password": PASSWORD, "puzzle": puzzle[1], "puzzle_number": solved(puzzle[1])}
        assert visitor.submit("/login/", "/login/", form).status_code == 303

    def test_a_solution_does_not_serve_a_second_guess(self, server: Server) -> None:
        server.user("ada")
        visitor = server.browser()
        for _ in range(5):
            page = visitor.submit("/login/", "/login/", {"login": "ada", "password": "not this one"})
        puzzle = re.search(r'name="puzzle" value="([^"]+)"', page.text)
        assert puzzle
        proof = {"puzzle": puzzle[1], "puzzle_number": solved(puzzle[1])}
        visitor.submit("/login/", "/login/", {"login": "ada", "password": "nor this one", **proof})
        assert visitor.submit("/login/", "/login/", {"login": "ada", "password": PASSWORD, **proof}).status_code == 200
