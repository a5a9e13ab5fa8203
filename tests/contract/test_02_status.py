"""Contract 02 section 6.4: the forms of `status` when a file is added."""

from pathlib import Path
from typing import Any

import pytest

from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture
def token(server: Server) -> str:
    return server.token(server.user("ada"))


def add_file(server: Server, token: str, tmp_path: Path, status: str) -> Any:
    with make.jpeg(tmp_path / "a.jpg", 64, 48).open("rb") as file:
        form = {"base_id": "1", "forceBehavior": "0", "status": status}
        return server.call("POST", "/api/v1/records/add/", token, data=form, files={"file": ("a.jpg", file)})


@pytest.mark.parametrize(
    ("status", "kept"),
    [
        ("0b110000", 0x30),
        ("110000", 0x30),
        ("0" * 26 + "110000", 0x30),
        ("48", 0x30),
        ("0x30", 0x30),
        ("F0", 0xF0),
        ("0xFFFFFFFF", 0xFFFFFFF0),
        ("0x0000000000F0", 0xF0),
        ("1111", 0),
    ],
)
def test_6_4_each_form_of_the_status_bits(server: Server, token: str, tmp_path: Path, status: str, kept: int) -> None:
    """Bits 0 to 3 are reserved (06 section 8)."""
    url = add_file(server, token, tmp_path, status).json()["response"]["url"]
    with server.services.database.read() as work:
        number = int(url.split("/")[3])
        stored = work.db.exec_driver_sql("SELECT status FROM records WHERE number = ?", (number,)).scalar()
    assert stored == kept


@pytest.mark.parametrize("status", ["9" * 5000, "1" * 33, "0x1FFFFFFFF", "4294967296", "-1", "zz", "٣", "0x"])
def test_6_4_what_is_no_status_of_32_bits_is_400(server: Server, token: str, tmp_path: Path, status: str) -> None:
    """Regression: five thousand digits were a 500, and the thirty-third bit was dropped silently."""
    answer = add_file(server, token, tmp_path, status)
    assert answer.status_code == 400
    assert "status" in answer.json()["meta"]["error_details"]
