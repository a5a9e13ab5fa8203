"""Static files: readable by every origin, kept for ever only under the mark of their content."""

from vitrine.testing.server import Server
from vitrine.web.shared.render import static_url


def test_a_module_may_be_read_by_a_page_without_origin(server: Server) -> None:
    answer = server.http.get(static_url("js/embed.js"), headers={"Origin": "null"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_only_the_address_with_the_right_mark_is_kept(server: Server) -> None:
    client = server.http
    assert "immutable" in client.get(static_url("js/embed.js")).headers["cache-control"]
    for address in ("/static/js/embed.js", "/static/js/embed.js?v=0123456789", "/static/js/embed.js?v=%C3"):
        assert client.get(address).headers["cache-control"] == "no-cache"
