"""Contract 04 sections 1 to 3: text and names of people in links, captions and headers."""

from pathlib import Path

import pytest

from tests.contract.test_04_embed import address
from vitrine.accounts import User
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import Server

CAPTION = "«\u202fLe port\u00a0» \U0001f469\u200d\U0001f467"


def shelved(server: Server, tmp_path: Path, **more: object) -> RecordKey:
    held = StoredRecord(make.jpeg(tmp_path / "harbour.jpg", 64, 48), "image/jpeg", 64, 48)
    return add_record(server.services, server.photographs, "image", {"document": held, "preview": held}, **more)  # type: ignore[arg-type]


def test_2_a_caption_keeps_the_blanks_and_joiners_of_its_language(server: Server, tmp_path: Path) -> None:
    key = shelved(server, tmp_path, values={"Caption": CAPTION + "\x07"})
    token = address(server, key).split("token=")[1]
    response = server.http.get(f"/permalink/v1/{key.databox}/{key.number}/caption/?token={token}").json()
    assert response["record"]["description"]["Caption"] == CAPTION, "only control characters are removed"


def test_3_a_file_name_keeps_its_blanks(server: Server, tmp_path: Path) -> None:
    """Screenshots on a Mac have such a blank before AM and PM."""
    ada: User = server.user("ada")
    key = server.add(make.jpeg(tmp_path / "Screenshot at 3.00\u202fPM.jpg", 64, 48), ada)
    answer = server.http.get(address(server, key, "document").removeprefix(server.settings.base_url))
    disposition = answer.headers["content-disposition"]
    assert 'filename="Screenshot_at_3.00_PM.jpg"' in disposition
    assert disposition.endswith("filename*=utf-8''Screenshot%20at%203.00%E2%80%AFPM.jpg")


def test_1_the_label_of_a_title_of_a_page_fits_into_an_address(server: Server, tmp_path: Path) -> None:
    key = shelved(server, tmp_path, title="été " * 8000)
    link = address(server, key)
    assert len(link) < 400
    assert "/C3A9tC3A9-C3A9tC3A9-" in link
    assert server.http.get(link.removeprefix(server.settings.base_url)).status_code == 200


@pytest.mark.parametrize(("start", "passed"), [("12", True), ("12.5", True), ("1e9", False), ("x", False)])
def test_2_the_page_of_a_link_passes_on_where_to_begin(
    server: Server, tmp_path: Path, start: str, *, passed: bool
) -> None:
    key = shelved(server, tmp_path)
    page = server.http.get(address(server, key, page=True).removeprefix(server.settings.base_url) + f"&t={start}")
    assert (f"&amp;t={start}" in page.text.split("<iframe")[1]) == passed
