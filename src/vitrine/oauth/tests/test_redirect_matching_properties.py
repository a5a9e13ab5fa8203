"""The prefix rule of redirect addresses (01 section 3.1 D): whatever matches stays below the registered address, after
decoding as often as a browser or a server may."""

import unicodedata
from datetime import UTC, datetime
from posixpath import normpath
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vitrine.applications import Application, Profile, Switches
from vitrine.applications.model import ApplicationId
from vitrine.oauth.redirect_matching import registered_for

ORIGIN = "https://notes.example.com"
ROOTS = (f"{ORIGIN}/cb", f"{ORIGIN}/cb/", f"{ORIGIN}/a/b", f"{ORIGIN}/k")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PIECES = (
    "..",
    ".",
    "/",
    "\\",
    ";",
    ";x=1",
    "%",
    "25",
    "2e",
    "2E",
    "2f",
    "5c",
    "3b",
    "00",
    "09",
    "20",
    "c0",
    "ae",
    "u002e",
    "%2e",
    "%2f",
    "%5c",
    "%3b",
    "%00",
    "%09",
    "%0a",
    "%20",
    "%25",
    "%252e",
    "%c0%ae",
    "%c0%af",
    "%e0%80%ae",
    "%ef%bc%8e",
    "%u002e",
    "\uff0e",
    "\u2025",
    "\uff0f",
    "\uff3c",
    "\u212a",
    "\t",
    "\n",
    "\r",
    "\x00",
    "@",
    "@evil.example",
    ":",
    ":444",
    "//",
    "?",
    "#",
    "x",
    "cb",
    "evil.example",
    "\u00e9",
    "%c3%a9",
    ".evil.example",
)
TAILS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


def of(address: str) -> Application:
    return Application(
        ApplicationId(1),
        None,
        "",
        "web",
        "Old",
        "",
        "",
        "id",
        True,
        Switches(Profile.COMPATIBILITY, {}),
        "automatic",
        (address,),
        NOW,
        NOW,
    )


def readings(path: str) -> set[str]:
    """What browsers, proxies and servers may make of a path, decoding it up to four times."""
    seen = {path}
    for _ in range(4):
        more = set()
        for text in seen:
            decoded = unquote(text, "latin-1"), unquote(text, "utf-8")
            for form in (*decoded, unicodedata.normalize("NFKC", decoded[1])):
                slashed = form.replace("\\", "/").translate({ord(c): None for c in "\t\r\n"})
                bare = "/".join(part.split(";")[0].split("\x00")[0].rstrip(" ") for part in slashed.split("/"))
                more |= {
                    form,
                    slashed,
                    bare,
                    form.split("\x00")[0],
                    form.replace("\xc0\xae", ".").replace("\xc0\xaf", "/"),
                }
        seen |= more
    return seen


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(ROOTS), st.sampled_from(["", "/", "/x/"]), TAILS)
@example(ROOTS[0], "/", "..;/x")
@example(ROOTS[0], "/", "%252e%252e/x")
@example(ROOTS[0], "/", "..%3bx/y")
def test_what_matches_stays_below_the_registered_address(root: str, joint: str, tail: str) -> None:
    address = root + joint + tail
    if not registered_for(of(root), address):
        return
    parts, registered = urlsplit(address), urlsplit(root)
    assert (parts.scheme, parts.netloc) == (registered.scheme, registered.netloc)
    below = registered.path.rstrip("/")
    for reading in readings(parts.path):
        resolved = normpath(reading)
        assert resolved == below or resolved.startswith(below + "/"), (address, reading)


@pytest.mark.parametrize(
    "tail",
    [
        "/x",
        "/x.html",
        "/.hidden/x",
        "/a..b",
        "/...x",
        "/x;jsessionid=1",
        "/caf%C3%A9",
        "/caf\u00e9",
        "/100%25",
        "/a%20b",
        "?page=../x",
        "?back=https%3A%2F%2Fx.example%2F..%2F",
        "/x?a=%252e%252e",
        "#part",
        "/x#part",
        "/",
        "//x",
        "/X",
    ],
)
def test_what_old_clients_send_still_matches(tail: str) -> None:
    assert registered_for(of(ROOTS[0]), ROOTS[0] + tail)


@pytest.mark.parametrize(
    "tail",
    [
        "/..;/x",
        "/..;x=1/y",
        "/..%3b/x",
        "/..%3Bx/y",
        "/..%00/x",
        "/..%20/x",
        "/%2e%2e/x",
        "/%2E./x",
        "/x%2fy",
        "/x%5cy",
        "/%252e%252e/x",
        "/%25252e%25252e/x",
        "/%c0%ae%c0%ae/x",
        "/%u002e%u002e/x",
        "/%",
        "/%2",
        "/\uff0e\uff0e/x",
        "/x\uff0f..",
        "/a%09b",
        "/a%0d%0ab",
        "/\t../x",
        "/./x",
        "/..",
        "/...",
        "/%25%32%65",
        "x",
        "@evil.example",
        ":444/cb",
        "\u212a",
    ],
)
def test_what_may_lead_elsewhere_is_refused(tail: str) -> None:
    assert not registered_for(of(ROOTS[0]), ROOTS[0] + tail)


@pytest.mark.parametrize(
    "address",
    [
        f"{ORIGIN}/\u212a",
        "https://user@notes.example.com/k",
        "https://@notes.example.com/k",
        "https://:@notes.example.com/k",
        "https://notes.example.com\t/k",
        "https://note\u017f.example.com/k",
        "http://notes.example.com/k",
        "https://notes.example.com:0/k",
        "https://notes.example.com:\uff14\uff14\uff13/k",
    ],
)
def test_no_other_origin_and_no_look_alike_is_taken_for_it(address: str) -> None:
    assert not registered_for(of(f"{ORIGIN}/k"), address)
