"""Which document an embed address means, encoded or pasted as is (contract 04 section 6, 08)."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.embed.targets import PermalinkTarget, SignedTarget, parse, url_parameter
from vitrine.library.model import DataboxId, RecordKey

ORIGIN = "https://dam.example.org"
TOKEN = "x" * 64
WANTED = PermalinkTarget(RecordKey(DataboxId(1), 2), "preview", TOKEN)
PERMALINKS = [
    f"/permalink/v1/1/2/preview/harbour.mp4?token={TOKEN}",
    f"/permalink/v1/1/2/preview/harbour.mp4?token={TOKEN}&download=1",
    f"/permalink/v1/1/2/preview/harbour.mp4?download&filename=a.mp4&token={TOKEN}",
    f"/permalink/v1/1/2/preview/harbour.mp4?autoplay=1&t=12&token={TOKEN}",
    f"/permalink/v1/1/2/preview/harbour.mp4?etag=abc&format=1&maxwidth=3&token={TOKEN}",
    f"/permalink/v1/1/2/preview/C3A9tC3A9-a+b.mp4?token={TOKEN}",
    f"/permalink/v1/1/2/preview/Tom&Jerry.mp4?token={TOKEN}",
    f"/permalink/v1/1/2/preview/AT&t=5&url=1.mp4?token={TOKEN}",
    f"/permalink/v1/1/2/preview/?token={TOKEN}",
    f"/permalink/v1/1/2/preview/?t=12&token={TOKEN}",
    f"/permalink/v1/harbour/1/2/{TOKEN}/preview/",
    f"/permalink/v1/Tom&t=1/1/2/{TOKEN}/preview/",
    f"/permalink/v1/harbour/1/2/{TOKEN}/preview/view/",
    f"/permalink/v1/Tom&Jerry/1/2/{TOKEN}/preview/view/",
]
PYM = "initialWidth=300&childId=frame&parentTitle=Notes%20%26%20maps&parentUrl="
STRAYS = [
    "",
    "&autoplay=1&t=12",
    "&maxwidth=100&maxheight=100&format=json",
    f"&{PYM}https%3A%2F%2Fnotes.example.com%2F%3Fa%3D1",
    f"&{PYM}https://notes.example.com/?a=1&token=other&url=/permalink/v1/9/9/preview/z.mp4",
    "&token=other",
    "&",
]


def parse_query(query: str) -> object:
    return parse(url_parameter(query), ORIGIN)


@pytest.mark.parametrize("stray", STRAYS)
@pytest.mark.parametrize("origin", [ORIGIN, ""])
@pytest.mark.parametrize("permalink", PERMALINKS)
def test_a_pasted_permalink_is_never_cut(permalink: str, origin: str, stray: str) -> None:
    assert parse_query(f"url={origin}{permalink}{stray}") == WANTED
    assert parse_query(f"autoplay=1&url={origin}{permalink}{stray}") == WANTED


@pytest.mark.parametrize("stray", STRAYS)
@pytest.mark.parametrize("safe", ["", "/", ":/"])
@pytest.mark.parametrize("permalink", PERMALINKS)
def test_an_encoded_permalink_ends_at_its_own_end(permalink: str, safe: str, stray: str) -> None:
    assert parse_query(f"url={quote(ORIGIN + permalink, safe=safe)}{stray}") == WANTED
    assert parse_query(f"url={quote(permalink, safe=safe)}{stray}") == WANTED


@pytest.mark.parametrize("stray", STRAYS)
def test_a_signed_address_pasted_or_encoded(stray: str) -> None:
    address = f"{ORIGIN}/medias/aaa.bbb-_.ccc"
    wanted = SignedTarget("aaa.bbb-_.ccc")
    assert parse_query(f"url={address}{stray}") == parse_query(f"url={address}?download=1{stray}") == wanted
    assert parse_query(f"url={quote(address, safe='')}{stray}") == wanted


def test_no_url_is_none() -> None:
    assert url_parameter("") is None
    assert url_parameter("curl=/x&autoplay=1") is None


@given(
    st.text(st.characters(exclude_characters="/?#%", exclude_categories=["Cs", "Cc"]), max_size=40),
    st.sampled_from(STRAYS),
)
def test_the_label_is_ignored(label: str, stray: str) -> None:
    """Contract 04 section 2: it may be any single segment, even one that looks like parameters."""
    pasted = f"/permalink/v1/1/2/preview/{label}?token={TOKEN}"
    assert parse_query("url=" + quote(pasted, safe="") + stray) == WANTED
    assert parse_query(f"url={quote(pasted, safe='/?=&+')}{stray}") == WANTED
