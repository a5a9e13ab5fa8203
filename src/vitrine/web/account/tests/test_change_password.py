"""The address where password managers find the page to change a password (W3C, A Well-Known URL for Changing
Passwords)."""

import pytest

from vitrine.testing.server import Server


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_well_known_change_password_leads_to_the_page(server: Server, method: str) -> None:
    visitor = server.browser(server.user("ada"))
    answer = visitor.client.request(method, "/.well-known/change-password")
    assert (answer.status_code, answer.headers["location"]) == (302, "/account/reset-password/")
    assert "no-store" in answer.headers["cache-control"]
    assert 'type="password"' in visitor.get(answer.headers["location"]).text


def test_a_stranger_is_led_there_as_well_and_signs_in_first(server: Server) -> None:
    answer = server.http.get("/.well-known/change-password")
    assert (answer.status_code, answer.headers["location"]) == (302, "/account/reset-password/")
    assert server.http.get("/account/reset-password/").headers["location"].startswith("/login/")


@pytest.mark.parametrize(
    "name", ["resource-that-should-not-exist-whose-status-code-should-not-be-200", "x", "change-password/x", ""]
)
def test_what_is_not_known_there_is_404(server: Server, name: str) -> None:
    """Section 3.2: a manager trusts the address only if the server's statuses can be trusted."""
    for visitor in (server.browser(), server.browser(server.user("ada"))):
        assert visitor.get(f"/.well-known/{name}").status_code == 404
