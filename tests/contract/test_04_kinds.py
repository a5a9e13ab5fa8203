"""Contract 04 section 8: the recipes of a new databox, and the files they make for each kind of document."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vitrine.accounts import User
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds
from vitrine.testing.server import Server

# (kind, name): class, device, longest side in pixels or None
STRUCTURE = {
    ("image", "preview"): ("preview", "screen", 1280),
    ("image", "thumbnail"): ("thumbnail", "screen", 384),
    ("image", "preview_mobile"): ("preview", "handheld", 640),
    ("image", "thumbnail_mobile"): ("thumbnail", "handheld", 192),
    ("video", "thumbnail"): ("thumbnail", "screen", 384),
    ("video", "thumbnailgif"): ("thumbnail", "screen", 250),
    ("video", "preview"): ("preview", "screen", 748),
    ("video", "poster"): ("preview", "screen", 1280),
    ("video", "preview_webm"): ("preview", "screen", 748),
    ("audio", "thumbnail"): ("thumbnail", "screen", 384),
    ("audio", "preview"): ("preview", "screen", None),
    ("audio", "preview_mobile"): ("preview", "handheld", None),
    ("document", "thumbnail"): ("thumbnail", "screen", 380),
    ("document", "preview"): ("preview", "screen", None),
}
# name: (type, player_type, width, height)
JPEG = ("image/jpeg", "IMAGE")
MADE: dict[str, tuple[Callable[[Path], Path], dict[str, tuple[str, str, int, int]]]] = {
    "a.jpg": (
        lambda path: make.jpeg(path, 1600, 1000),
        {
            "document": (*JPEG, 1600, 1000),
            "preview": (*JPEG, 1280, 800),
            "thumbnail": (*JPEG, 384, 240),
            "preview_mobile": (*JPEG, 640, 400),
            "thumbnail_mobile": (*JPEG, 192, 120),
        },
    ),
    "a.mp4": (
        lambda path: make.mp4(path, 0.4),
        {
            "document": ("video/mp4", "VIDEO_MP4", 320, 180),
            "preview": ("video/mp4", "VIDEO_MP4", 320, 180),
            "preview_webm": ("video/webm", "UNKNOWN", 320, 180),
            "poster": (*JPEG, 320, 180),
            "thumbnail": (*JPEG, 320, 180),
            "thumbnailgif": ("image/gif", "IMAGE", 250, 141),
        },
    ),
    "a.wav": (
        lambda path: kinds.sound(path, 0.4),
        {
            "document": ("audio/wav", "UNKNOWN", 0, 0),
            "preview": ("audio/mpeg", "AUDIO_MP3", 0, 0),
            "preview_mobile": ("audio/mpeg", "AUDIO_MP3", 0, 0),
            "thumbnail": (*JPEG, 384, 192),
        },
    ),
    "a.pdf": (
        lambda path: kinds.pdf(path, 2),
        {
            "document": ("application/pdf", "PDF", 793, 1123),
            "preview": ("application/pdf", "PDF", 793, 1123),
            "thumbnail": (*JPEG, 269, 380),
        },
    ),
}


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


def test_8_the_recipes_of_a_new_databox(server: Server, token: str) -> None:
    groups = server.get("/me/subdefs/", token)["subdefs"]
    structure: dict[tuple[str, str], tuple[Any, ...]] = {
        (kind, name): (recipe["class"], *recipe["devices"], recipe["options"].get("size"))
        for kind, recipes in groups.items()
        for name, recipe in recipes.items()
    }
    assert structure == STRUCTURE
    film = groups["video"]["preview"]["options"]
    assert (film["vcodec"], film["acodec"], film["bitrate"], film["fps"]) == ("libx264", "aac", 1000, 25)
    assert groups["video"]["thumbnailgif"]["options"]["delay"] == 150
    sound = groups["audio"]["preview"]["options"]
    assert (sound["acodec"], sound["audiobitrate"], sound["audiosamplerate"]) == ("libmp3lame", 128, 48_000)


@pytest.mark.parametrize("name", MADE)
def test_8_each_kind_gets_its_files_with_their_types_and_players(
    server: Server, ada: User, token: str, tmp_path: Path, name: str
) -> None:
    written, wanted = MADE[name]
    key = server.add(written(tmp_path / name), ada)
    files = server.get(f"/records/{key.databox}/{key.number}/embed/", token)["embed"]
    by_name = {file["name"]: (file["mime_type"], file["player_type"], file["width"], file["height"]) for file in files}
    assert by_name == wanted
    assert files[0]["name"] == "document"
