"""Pages of refusals: they know who is signed in, whenever the refusal came."""

import pytest

from vitrine.testing.server import Server


@pytest.mark.parametrize("where", ["/nothing/here", "/records/1/99/", "/download"])
def test_who_is_signed_in_is_not_offered_to_sign_in(server: Server, where: str) -> None:
    ada = server.user("ada", locale="fr")
    page = server.browser(ada).get(where)
    assert page.status_code == 404
    assert 'href="/login/"' not in page.text
    assert 'lang="fr"' in page.text
    assert 'href="/login/"' in server.browser().get("/nothing/here").text


def test_a_form_that_is_refused_before_anybody_is_asked_knows_too(server: Server) -> None:
    visitor = server.browser(server.user("ada"))
    refused = visitor.client.post("/library/download", data={"csrf": "old", "record[]": "1/1"})
    assert refused.status_code == 403
    assert 'href="/login/"' not in refused.text


def test_no_cookie_is_read_under_permalinks(server: Server) -> None:
    """04 section 2 DO."""
    page = server.browser(server.user("ada")).get("/permalink/v1/1/1/preview/x.jpg?token=y")
    assert page.status_code == 404
    assert "set-cookie" not in page.headers
    assert "ada" not in page.text
