"""Contract 04: permalinks, signed addresses, the embed page, oEmbed."""

import re
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from vitrine.accounts import User
from vitrine.embed.targets import ForeignAddress, parse
from vitrine.library.model import RecordKey
from vitrine.library.sharing.permalinks import label_of
from vitrine.media.metadata.write import EmbeddedFacts, write_metadata
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server

TITLE = 'Harbour <b>"at" dawn</b>'

pytestmark = [pytest.mark.both_stores, pytest.mark.both_paths]


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def files(server: Server, ada: User, token: str, tmp_path: Path) -> dict[str, Any]:
    """The subdefs of one photograph by name."""
    facts = EmbeddedFacts(TITLE, "Boats & gulls.", ("harbour", "2012"), "Ada", "© Museum", date="2026-02-10")
    write_metadata(make.jpeg(tmp_path / "raw.jpg", 1600, 1000), tmp_path / "harbour.jpg", facts)
    return subdefs(server, token, server.add(tmp_path / "harbour.jpg", ada))


def subdefs(server: Server, token: str, key: RecordKey) -> dict[str, Any]:
    files = server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"]
    return {file["name"]: file for file in files}


def local(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ("Harbour at dawn.jpg", "Harbour-at-dawn"),
        ("été", "C3A9tC3A9"),
        ("a + b", "a-2B-b"),
        ("  ", "untitled"),
        ("a/b", "a2Fb"),
    ],
)
def test_1_labels(title: str, label: str) -> None:
    assert label_of(title) == label


def test_3_a_file_has_its_headers(server: Server, files: dict[str, Any]) -> None:
    address = local(files["preview"]["permalink"]["url"])
    answer = server.http.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert int(answer.headers["content-length"]) == files["preview"]["filesize"] == len(answer.content)
    assert re.fullmatch(r'"[0-9a-f]{40}"', answer.headers["etag"])
    assert answer.headers["last-modified"].endswith("GMT")
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["content-disposition"].startswith("inline; filename=")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["link"].startswith(f"{server.settings.base_url}/permalink/v1/1/1/caption/?token=")
    assert "set-cookie" not in answer.headers
    thumbnail = server.http.get(local(files["thumbnail"]["permalink"]["url"]))
    assert thumbnail.headers["cache-control"].startswith("public")


def test_3_head_conditions_and_ranges(server: Server, files: dict[str, Any]) -> None:
    address = local(files["preview"]["permalink"]["url"])
    whole = server.http.get(address)
    size, tag = len(whole.content), whole.headers["etag"]
    head = server.http.head(address)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))
    assert server.http.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert server.http.get(address, headers={"If-Modified-Since": whole.headers["last-modified"]}).status_code == 304
    part = server.http.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{size}"
    clamped = server.http.get(address, headers={"Range": f"bytes=5-{size + 50}"})
    assert (clamped.status_code, clamped.content) == (206, whole.content[5:])
    past = server.http.get(address, headers={"Range": f"bytes={size}-"})
    assert (past.status_code, past.headers["content-range"]) == (416, f"bytes */{size}")
    assert server.http.get(address, headers={"Range": "bytes=0-4", "If-Range": '"x"'}).status_code == 200


@pytest.mark.parametrize(
    ("value", "kind"), [("1", "attachment"), ("", "attachment"), ("0", "inline"), ("no", "inline")]
)
def test_2_download(server: Server, files: dict[str, Any], value: str, kind: str) -> None:
    address = local(files["document"]["permalink"]["url"])
    answer = server.http.get(f"{address}&download={value}&filename=mon%20été.jpg")
    assert answer.headers["content-disposition"].startswith(
        f"{kind}; filename=\"mon_ete.jpg\"; filename*=utf-8''mon%20"
    )


def test_2_the_token_is_the_right(server: Server, files: dict[str, Any]) -> None:
    address = local(files["preview"]["permalink"]["url"])
    path, token = address.split("?token=")
    for wrong in (path, f"{path}?token=", f"{path}?token={'a' * 64}", f"{path}?token={token[:-1]}"):
        assert server.http.get(wrong).status_code == 404
    other = local(files["thumbnail"]["permalink"]["url"]).replace("/thumbnail/", "/document/")
    assert server.http.get(other).status_code == 404, "a thumbnail's token opens no original"
    assert server.http.get(path.replace("Harbour", "anything") + f"?token={token}").status_code == 200
    assert server.http.get(address, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_2_old_forms_and_options(server: Server, files: dict[str, Any]) -> None:
    token = files["preview"]["permalink"]["url"].split("token=")[1]
    old = f"/permalink/v1/any-label/1/1/{token}/preview/"
    assert server.http.get(old).content == server.http.get(local(files["preview"]["permalink"]["url"])).content
    assert "phraseanet-embed-frame" in server.http.get(f"{old}view/").text
    for address in (local(files["preview"]["permalink"]["url"]), local(files["preview"]["permalink"]["page_url"])):
        answer = server.http.options(address)
        assert (answer.status_code, answer.headers["allow"]) == (200, "GET, HEAD, OPTIONS")
        assert server.http.options(address.replace("token=", "token=x")).status_code == 404


def test_no_words_tell_a_stranger_what_exists(server: Server, files: dict[str, Any]) -> None:
    """Design 5.6: a hidden record, a wrong token and a missing record get the same answer, on pages and in scripts."""
    eve = server.browser(server.user("eve", None))
    messages = set()
    for path in (
        "/records/1/1/", "/records/1/999/", "/records/9/1/", "/datafiles/1/1/preview/", "/datafiles/1/999/preview/",
        "/permalink/v1/1/1/preview/x.jpg?token=x", "/permalink/v1/1/1/nothing/x.jpg?token=x",
        "/permalink/v1/1/999/preview/x.jpg?token=x", "/permalink/v1/1/1/preview/?token=x",
        "/permalink/v1/1/1/caption/?token=x", "/permalink/v1/1/999/caption/?token=x",
        f"/embed/?url={quote('/permalink/v1/1/1/preview/x.jpg?token=x')}",
        f"/embed/?url={quote('/permalink/v1/1/999/preview/x.jpg?token=x')}",
    ):  # fmt: skip
        page = eve.get(path)
        assert page.status_code == 404
        matched = re.search(r"</h1>\s*<p>(.*?)</p>", page.text)
        assert matched is not None
        messages.add(matched[1])
        if path.startswith("/records/"):
            assert eve.xhr("GET", path).json()["message"] == matched[1]
    assert messages == {"There is nothing at this address."}


def test_2_a_link_that_was_switched_off(server: Server, files: dict[str, Any]) -> None:
    with server.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE permalinks SET activated = false")
    for address in (
        files["preview"]["permalink"]["url"],
        files["preview"]["permalink"]["page_url"],
        files["preview"]["url"],
    ):
        assert server.http.get(local(address)).status_code == 404
    link = local(files["preview"]["permalink"]["url"])
    assert "switched off" in server.http.get(link).text
    assert "switched off" not in server.http.get(link.replace("token=", "token=x")).text, (
        "only holders of the link are told"
    )


def test_2_caption_takes_the_token_of_any_file(server: Server, files: dict[str, Any]) -> None:
    for name in ("thumbnail", "document"):
        token = files[name]["permalink"]["url"].split("token=")[1]
        answer = server.http.get(f"/permalink/v1/1/1/caption/?token={token}")
        described = answer.json()["record"]["description"]
        assert (described["Title"], described["Keywords"]) == (TITLE, ["harbour", 2012])
        assert "<" not in answer.text
        assert "&" not in answer.text
    assert server.http.get("/permalink/v1/1/1/caption/?token=x").status_code == 404


def test_4_signed_addresses(server: Server, files: dict[str, Any]) -> None:
    address = local(files["preview"]["url"])
    assert server.http.get(address).status_code == 200
    head, claims, signature = address.split(".")
    assert server.http.get(f"{head}.{claims}.{signature[:-4]}AAAA").status_code == 404
    assert server.http.get("/medias/nonsense").status_code == 400
    assert server.http.get("/medias/a.b.c").status_code == 400
    with server.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE users SET url_key = url_key + 1")
    assert server.http.get(address).status_code == 400, "all addresses of a person stop working with their key"


def test_4_datafiles_are_for_signed_in_browsers(server: Server, ada: User, files: dict[str, Any]) -> None:
    assert server.http.get("/datafiles/1/1/preview/").status_code == 404
    assert server.browser(ada).get("/datafiles/1/1/preview/").status_code == 200


class TestEmbedPage:
    """04 section 6."""

    def test_an_image(self, server: Server, files: dict[str, Any]) -> None:
        target = files["preview"]["permalink"]["url"]
        answer = server.http.get(f"/embed/?url={quote(target, safe='')}")
        assert answer.status_code == 200
        assert 'id="wrapper"><div id="embed-content">' in answer.text
        assert f'<img id="embed-image" class="embed-resource" src="{target}"' in answer.text
        assert 'body class="iframe"' in answer.text
        assert '"width":1280,"height":800' in answer.text
        assert "<b>" not in answer.text
        assert "set-cookie" not in answer.headers
        assert "x-frame-options" not in answer.headers
        assert "frame-ancestors *" in answer.headers["content-security-policy"]
        for name in ("og:title", "og:image", "og:url", "og:type", "og:site_name"):
            assert f'property="{name}"' in answer.text

    @pytest.mark.parametrize("page", ["/embed/", "/embed"])
    def test_an_address_pasted_without_encoding(self, server: Server, files: dict[str, Any], page: str) -> None:
        for target in (files["preview"]["permalink"]["url"], local(files["preview"]["permalink"]["url"])):
            answer = server.http.get(f"{page}?url={target}&autoplay=1&childId=x&parentUrl=y")
            assert (answer.status_code, "location" in answer.headers) == (200, False)

    def test_every_accepted_target(self, server: Server, files: dict[str, Any]) -> None:
        preview = files["preview"]
        token = preview["permalink"]["url"].split("token=")[1]
        targets = [
            preview["permalink"]["url"], preview["permalink"]["page_url"], preview["url"], local(preview["url"]),
            f"/permalink/v1/label/1/1/{token}/preview/", f"/permalink/v1/label/1/1/{token}/preview/view/",
        ]  # fmt: skip
        for target in targets:
            assert server.http.get(f"/embed/?url={quote(target, safe='')}").status_code == 200, target

    @pytest.mark.parametrize(
        ("url", "status"),
        [
            ("", 400), ("https://evil.example/permalink/v1/1/1/preview/?token=x", 400), ("//evil.example/x", 400),
            ("http://dam.test.evil.example/x", 400), ("http://dam.test@evil.example/x", 400), ("/login/", 404),
            ("http://[bad", 400), ("\x00", 400), (f"/permalink/v1/{9**30}/1/preview/x.jpg?token=y", 404),
            ("/api/v1/me/", 404), ("/permalink/v1/1/1/preview/x.jpg?token=wrong", 404),
        ],
    )  # fmt: skip
    def test_refused_targets(self, server: Server, files: dict[str, Any], url: str, status: int) -> None:
        assert server.http.get(f"/embed/?url={quote(url, safe='')}").status_code == status
        assert server.http.get(f"/oembed?url={quote(url, safe='')}").status_code == status

    def test_a_refusal_can_be_read_inside_the_frame_and_by_scripts(self, server: Server) -> None:
        for page in ("/embed/", "/embed"):
            answer = server.http.get(f"{page}?url=/permalink/v1/1/99/preview/x.jpg?token=x")
            assert answer.status_code == 404
            assert "frame-ancestors *" in answer.headers["content-security-policy"]
            assert not {"x-frame-options", "set-cookie"} & set(answer.headers)
        for path in ("/oembed?url=https://evil.example/", "/permalink/v1/1/99/preview/x.jpg", "/medias/x"):
            answer = server.http.get(path)
            assert answer.status_code in (400, 404)
            assert (answer.headers["access-control-allow-origin"], answer.headers["x-frame-options"]) == ("*", "DENY")

    def test_open_graph_names_this_server_whatever_host_was_asked(self, server: Server, files: dict[str, Any]) -> None:
        """Design section 3: `base_url` decides every absolute address."""
        for path in ("/embed/?url=" + quote(files["preview"]["url"]), local(files["preview"]["permalink"]["page_url"])):
            assert "evil.example" not in server.http.get(path, headers={"Host": "evil.example"}).text

    def test_nothing_stronger_than_the_given_address_is_handed_out(self, server: Server, files: dict[str, Any]) -> None:
        text = server.http.get(f"/embed/?url={quote(files['thumbnail']['permalink']['url'], safe='')}").text
        for name in ("document", "preview"):
            assert files[name]["permalink"]["url"].split("token=")[1] not in text

    def test_a_film(self, server: Server, ada: User, token: str, tmp_path: Path) -> None:
        files = subdefs(server, token, server.add(make.mp4(tmp_path / "film.mp4", 1.0, 640, 360), ada))
        assert set(files) == {"document", "thumbnail", "preview", "poster", "thumbnailgif", "preview_webm"}
        target = files["preview"]["permalink"]["url"]
        text = server.http.get(f"/embed/?url={quote(target, safe='')}&t=3").text
        assert '<div class="video-player"><video class="embed-resource" controls' in text
        assert f'<source src="{target}#t=3" type="video/mp4">' in text
        assert 'poster="http://dam.test/medias/' in text
        assert '"currentTime":3' in text
        answer = server.http.get(f"/oembed?url={quote(target, safe='')}").json()
        assert (answer["type"], answer["width"], answer["height"]) == ("video", 640, 360)


def test_6_oembed(server: Server, files: dict[str, Any]) -> None:
    target = files["preview"]["permalink"]["url"]
    page = server.http.get(f"/embed/?url={quote(target, safe='')}").text
    discovered = re.search(r'type="application/json\+oembed" href="([^"]+)"', page)
    assert discovered
    answer = server.http.get(local(discovered[1])).json()
    assert (answer["version"], answer["type"], answer["title"], answer["url"]) == ("1.0", "photo", TITLE, target)
    assert (answer["width"], answer["height"]) == (1280, 800)
    assert answer["html"].startswith(f'<iframe src="{server.settings.base_url}/embed/?url=')
    assert "<b>" not in answer["html"]
    small = server.http.get(f"/oembed?url={quote(target, safe='')}&maxwidth=400&maxheight=900").json()
    assert (small["width"], small["height"]) == (400, 250)
    of_page = server.http.get(
        f"/oembed?url={quote(server.settings.base_url + '/embed/?url=' + quote(target, safe=''), safe='')}"
    )
    assert of_page.json()["url"] == target
    xml = server.http.get(f"/oembed?url={quote(target, safe='')}&format=xml")
    assert xml.headers["content-type"].startswith("text/xml")
    assert server.http.get(f"/oembed?url={quote(target, safe='')}&format=php").status_code == 501


def test_2_the_page_of_a_permalink(server: Server, files: dict[str, Any]) -> None:
    answer = server.http.get(local(files["preview"]["permalink"]["page_url"]))
    assert "frame-src 'self' http://dam.test;" in answer.headers["content-security-policy"], "its frame is not blocked"
    text = answer.text
    assert '<div id="phraseanet-embed-frame"' in text
    assert "Boats &amp; gulls." in text
    assert 'property="og:title"' in text


def test_a_failed_rendition_is_visible_and_can_be_tried_again(server: Server, ada: User, files: dict[str, Any]) -> None:
    with server.services.database.write() as work:
        work.db.exec_driver_sql(
            "UPDATE renditions SET state = 'failed', failure_detail = 'Broken.' WHERE name = 'preview'"
        )
    visitor = server.browser(ada)
    page = visitor.get("/records/1/1/")
    assert "Broken." in page.text
    assert visitor.submit("/records/1/1/", "/records/1/1/retry/", {}).status_code == 303
    server.work()
    assert "Broken." not in visitor.get("/records/1/1/").text


def test_3_the_plain_case_of_a_permalink_is_answered_as_its_route_would(server: Server, files: dict[str, Any]) -> None:
    address = local(files["thumbnail"]["permalink"]["url"])
    short, long = server.call("GET", address), server.call("GET", address + "&unknown=1")
    for answer in (short, long):
        del answer.headers["x-request-id"]
    assert short.status_code == long.status_code == 200
    assert short.content == long.content
    assert dict(short.headers) == dict(long.headers)


def test_2_the_plain_case_of_a_permalink_asks_for_the_token_every_time(
    server: Server, files: dict[str, Any], token: str
) -> None:
    address = local(files["thumbnail"]["permalink"]["url"])
    assert server.call("GET", address).status_code == 200
    assert server.call("GET", address[:-1] + ("b" if address[-1] == "a" else "a")).status_code == 404
    assert server.call("GET", address.replace("/thumbnail/", "/preview/")).status_code == 404
    with server.services.database.write() as work:
        work.db.exec_driver_sql("UPDATE permalinks SET activated = false")
    assert server.call("GET", address).status_code == 404


def test_3_a_plain_permalink_of_a_rendition_made_anew_sends_the_new_bytes(
    server: Server, files: dict[str, Any], tmp_path: Path
) -> None:
    address = local(files["thumbnail"]["permalink"]["url"])
    before = server.call("GET", address)
    other = server.services.media.store_file(make.jpeg(tmp_path / "other.jpg", 60, 40, seed=9))
    with server.services.database.write() as work:
        sql = "UPDATE renditions SET sha256 = ?, size = ? WHERE name = 'thumbnail'"
        work.db.exec_driver_sql(sql, (other.sha256, other.size))
    after = server.call("GET", address)
    assert after.headers["etag"] != before.headers["etag"]
    assert after.content == (tmp_path / "other.jpg").read_bytes()


def test_6_the_usual_port_may_be_written_or_not() -> None:
    path = "/permalink/v1/1/2/preview/a.jpg?token=x"
    assert parse(f"https://dam.test:443{path}", "https://dam.test") == parse(path, "https://dam.test")
    with pytest.raises(ForeignAddress):
        parse(f"https://dam.test:80{path}", "https://dam.test")


def test_bytes_that_are_missing_are_refused_before_the_first_one_is_sent(
    server: Server, files: dict[str, Any], token: str
) -> None:
    address = local(files["preview"]["permalink"]["url"])
    for sha256 in list(server.services.media.store.older_than(timedelta(0))):
        server.services.media.delete_blob(sha256)
    answer = server.http.get(address)
    assert answer.status_code == 404
    assert "missing" in answer.text


def test_a_large_file_arrives_whole_and_in_parts(server: Server, ada: User, token: str, tmp_path: Path) -> None:
    content = b"\0" + Random(4).randbytes(3 * 2**20)
    (tmp_path / "large.bin").write_bytes(content)
    key = server.add(tmp_path / "large.bin", ada)
    address = local(subdefs(server, token, key)["document"]["permalink"]["url"])
    assert server.http.get(address).content == content
    part = server.http.get(address, headers={"Range": "bytes=100000-2500000"})
    assert part.status_code == 206
    assert part.content == content[100_000:2_500_001]
