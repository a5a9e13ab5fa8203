"""Contract 04 section 6: sound, PDF and film on other sites' pages; text tracks; oEmbed; metadata for other sites."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import pytest
from lxml import etree

from vitrine.accounts import User
from vitrine.library import store
from vitrine.library.model import RecordKey
from vitrine.library.sharing import permalinks
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record, mp3_file, pdf_file
from vitrine.testing.server import Server

VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nBoats leave.\n\n00:00:02.000 --> 00:00:04.000\nGulls follow.\n"
CHAPTERS = (
    'WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{"title": "The quay --\\u003e  at dawn", "image": "a.png"}\n\n'
    "00:00:02.000 --> 00:00:04.000\nPlain\n"
)
SRT = "1\n00:00:00,000 --> 00:00:02,000\nLes bateaux partent.\n"


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def sound(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    voice = StoredRecord(mp3_file(tmp_path / "wave.mp3", 0.5), "audio/mpeg")
    cover = StoredRecord(make.jpeg(tmp_path / "wave.jpg", 384, 200), "image/jpeg", 384, 200)
    files = {"document": voice, "preview": voice, "thumbnail": cover}
    return add_record(server.services, server.photographs, "audio", files, title='The "quay"', creator=ada.id)


@pytest.fixture
def paper(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    pages = StoredRecord(pdf_file(tmp_path / "paper.pdf"), "application/pdf")
    cover = StoredRecord(make.jpeg(tmp_path / "paper.jpg", 271, 384), "image/jpeg", 271, 384)
    files = {"document": pages, "preview": pages, "thumbnail": cover}
    return add_record(server.services, server.photographs, "document", files, title="Report", creator=ada.id)


@pytest.fixture
def film(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    _fields(server, "VideoTextTrack")  # every new databox has the others
    held = StoredRecord(make.mp4(tmp_path / "film.mp4", 0.4), "video/mp4", 320, 180)
    values = {"VideoTextTrackFr": SRT, "VideoTextTrack": VTT, "VideoTextTrackChapters": CHAPTERS}
    files = {"document": held, "preview": held}
    return add_record(
        server.services, server.photographs, "video", files, creator=ada.id, values=values | {"StartOfMessage": "0:07"}
    )


def _fields(server: Server, *names: str, business: bool = False) -> None:
    from vitrine.library import structure_store

    plain = {"labels": {}, "fallbacks": [], "business": business}
    with server.services.database.write() as work:
        for name in names:
            structure_store.add_field(work, server.databox.id, {"name": name, **plain})
        structure_store.increase_version(work)


def address(server: Server, key: RecordKey, name: str = "preview", *, page: bool = False) -> str:
    """The absolute permalink of a file."""
    with server.services.database.read() as work:
        _, rendition = server.services.library.records.rendition_without_check(work, key, name)
    assert rendition.permalink is not None
    paths = permalinks.paths(key, rendition, rendition.permalink)
    return server.settings.absolute(paths.page if page else paths.file)


def embed(server: Server, key: RecordKey, more: str = "", name: str = "preview") -> Any:
    return server.http.get(f"/embed/?url={quote(address(server, key, name), safe='')}{more}")


def configuration(text: str) -> dict[str, Any]:
    matched = re.search(r'id="env-configuration">(.*?)</script>', text)
    assert matched
    decoded: dict[str, Any] = msgspec.json.decode(matched[1])
    return decoded


def test_a_sound_is_a_card_with_the_browsers_own_controls(server: Server, sound: RecordKey) -> None:
    answer = embed(server, sound, "&autoplay=1&t=2.5")
    assert answer.status_code == 200
    assert 'class="audio-player"' in answer.text
    assert re.search(r'<audio class="embed-resource" controls [^>]*#t=2.5" autoplay', answer.text)
    resource = configuration(answer.text)["resource"]
    assert (resource["width"], resource["height"]) == (320, 320)
    assert (resource["currentTime"], resource["autoplay"]) == (2.5, True)
    assert resource["sources"] == [{"url": address(server, sound), "type": "audio/mpeg"}]
    assert resource["coverUrl"].startswith(f"{server.settings.base_url}/medias/")
    assert server.http.get(urlsplit(resource["coverUrl"]).path).headers["content-type"] == "image/jpeg"
    assert 'content="music.song"' in answer.text
    assert "set-cookie" not in answer.headers


def test_a_pdf_has_tools_a_picture_and_a_link_before_any_script(server: Server, paper: RecordKey) -> None:
    answer = embed(server, paper)
    assert 'class="document-player"' in answer.text
    assert f'class="fallback" href="{address(server, paper)}"' in answer.text
    assert answer.text.count("<button") == answer.text.count('" hidden><svg'), "buttons appear with the script"
    assert configuration(answer.text)["resource"]["url"] == address(server, paper)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "worker-src 'self';" in policy
    assert "frame-ancestors *" in policy
    assert 'content="article"' in answer.text


def test_a_file_that_no_browser_shows_is_a_picture_and_a_link(server: Server, ada: User, tmp_path: Path) -> None:
    (tmp_path / "sheet.docx").write_bytes(b"PK not really")
    original = StoredRecord(
        tmp_path / "sheet.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    )
    key = add_record(server.services, server.photographs, "document", {"document": original}, title="Sheet")
    answer = embed(server, key, name="document")
    assert 'class="document-player link-only"' in answer.text
    assert "og:image" not in answer.text, "a missing picture has no tag"


@pytest.mark.parametrize("kind", ["sound", "paper", "film"])
def test_pages_and_oembed_of_every_kind(server: Server, request: pytest.FixtureRequest, kind: str) -> None:
    key: RecordKey = request.getfixturevalue(kind)
    target = address(server, key)
    oembed_path = f"/embed/oembed/?url={quote(target, safe='')}"
    oembed = server.http.get(oembed_path).json()
    assert oembed["type"] == {"film": "video"}.get(kind, "rich")
    assert oembed["version"] == "1.0"
    assert oembed["url"] == target
    assert f'src="{server.settings.base_url}/embed/?url=' in oembed["html"]
    assert all(isinstance(oembed[side], int) and oembed[side] > 0 for side in ("width", "height"))
    fitted = server.http.get(f"{oembed_path}&maxwidth=100&maxheight=90").json()
    assert fitted["width"] <= 100
    assert fitted["height"] <= 90
    root = etree.fromstring(server.http.get(f"{oembed_path}&format=xml").content)
    assert root.findtext("html") == oembed["html"]
    assert server.http.get(f"{oembed_path}&format=yaml").status_code == 501
    page = server.http.get(urlsplit(address(server, key, page=True)).path + "?" + target.split("?")[1])
    for answer in (page, embed(server, key)):
        assert answer.headers["link"].startswith(f"<{server.settings.base_url}/embed/oembed/?url=")
        assert 'name="twitter:card" content="player"' in answer.text
        matched = re.search(r'<script type="application/ld\+json">(.*?)</script>', answer.text)
        assert matched
        described = msgspec.json.decode(matched[1])
        assert described["contentUrl"] == target
        assert "None" not in answer.text
    assert "phraseanet-embed-frame" in page.text


def test_following_the_discovery_link_works(server: Server, paper: RecordKey) -> None:
    for media_type, kind in (("application/json+oembed", "application/json"), ("text/xml+oembed", "text/xml")):
        matched = re.search(rf'type="{re.escape(media_type)}" href="([^"]+)"', embed(server, paper).text)
        assert matched
        parts = urlsplit(matched[1].replace("&amp;", "&"))
        answer = server.http.get(f"{parts.path}?{parts.query}")
        assert answer.headers["content-type"].startswith(kind)


def test_files_of_signed_in_people_are_shown_to_them_only(server: Server, ada: User, paper: RecordKey) -> None:
    path = f"/embed/?url=/datafiles/{paper.databox}/{paper.number}/thumbnail/"
    assert server.http.get(path).status_code == 404
    assert server.browser(ada).get(path).status_code == 200
    stranger = server.user("bob", rights=None)
    assert server.browser(stranger).get(path).status_code == 404


class TestTextTracks:
    def test_a_film_names_its_tracks(self, server: Server, film: RecordKey) -> None:
        text = embed(server, film).text
        resource = configuration(text)["resource"]
        tracks = {(track["kind"], track["label"], track["srclang"], track["default"]) for track in resource["tracks"]}
        assert tracks == {
            ("subtitles", "Fr", "fr", False),
            ("subtitles", "default", "und", False),
            ("chapters", "chapters", "und", True),
        }
        assert text.count("<track ") == 3
        assert resource["currentTime"] == 7, "the record's field sets the start"
        assert configuration(embed(server, film, "&t=1").text)["resource"]["currentTime"] == 1

    def track(self, server: Server, film: RecordKey, kind: str, label: str) -> Any:
        tracks = configuration(embed(server, film).text)["resource"]["tracks"]
        src = next(track["src"] for track in tracks if (track["kind"], track["label"]) == (kind, label))
        parts = urlsplit(src)
        return server.http.get(f"{parts.path}?{parts.query}")

    def test_subtitles_are_webvtt(self, server: Server, film: RecordKey) -> None:
        answer = self.track(server, film, "subtitles", "default")
        assert answer.headers["content-type"].startswith("text/vtt")
        assert answer.text == VTT

    def test_subrip_is_converted(self, server: Server, film: RecordKey) -> None:
        text = self.track(server, film, "subtitles", "Fr").text
        assert text.startswith("WEBVTT")
        assert "00:00:00.000 --> 00:00:02.000\nLes bateaux partent." in text

    def test_chapter_objects_become_their_titles(self, server: Server, film: RecordKey) -> None:
        text = self.track(server, film, "chapters", "chapters").text
        assert "00:00:00.000 --> 00:00:02.000\nThe quay → at dawn\n" in text
        assert "Plain" in text
        assert "{" not in text

    def test_what_is_no_track_is_refused(self, server: Server, film: RecordKey, sound: RecordKey) -> None:
        target = quote(address(server, film), safe="")
        for choice, status in (("1", 404), ("999999", 404), ("x", 400), ("", 400)):
            assert server.http.get(f"/embed/vtt/?url={target}&choice={choice}").status_code == status
        assert server.http.get(f"/embed/vtt/?url={target}x&choice=1").status_code == 404
        assert server.http.get("/embed/vtt/?choice=1").status_code == 400

    def test_an_internal_track_is_never_given_out(self, server: Server, ada: User, tmp_path: Path) -> None:
        _fields(server, "VideoTextTrackNl", business=True)
        held = StoredRecord(make.mp4(tmp_path / "one.mp4", 0.2), "video/mp4", 320, 180)
        key = add_record(
            server.services, server.photographs, "video", {"document": held}, values={"VideoTextTrackNl": VTT}
        )
        assert configuration(embed(server, key, name="document").text)["resource"]["tracks"] == []
        with server.services.database.read() as work:
            record = store.by_key(work, key)
            assert record
            field = store.values_of(work, [record.id])[record.id][0].field_id
        target = quote(address(server, key, "document"), safe="")
        assert server.http.get(f"/embed/vtt/?url={target}&choice={field}").status_code == 404

    @pytest.mark.parametrize(
        "words",
        [
            "Only words.",
            "1\n00:00:00,000 --> 00:00:02,000\nA --> 99:99:99.999 -->\n-->99:99:99.999 --> 00:00:00.000\n\n\n",
        ],
    )
    def test_text_that_is_no_webvtt_is_404(self, server: Server, tmp_path: Path, words: str) -> None:
        held = StoredRecord(make.mp4(tmp_path / "two.mp4", 0.2), "video/mp4", 320, 180)
        files = {"document": held}
        key = add_record(server.services, server.photographs, "video", files, values={"VideoTextTrackEn": words})
        tracks = configuration(embed(server, key, name="document").text)["resource"]["tracks"]
        parts = urlsplit(tracks[0]["src"])
        assert server.http.get(f"{parts.path}?{parts.query}").status_code == 404
