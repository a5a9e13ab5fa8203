"""The wall: search, filters, and what it hides; adding from the browser."""

from pathlib import Path

import pytest

from vitrine.accounts import User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server, Visitor


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada", last_name="Martin", email="ada@museum.example")


@pytest.fixture
def visitor(server: Server, ada: User) -> Visitor:
    return server.browser(ada)


class TestUpload:
    """The page without script: many files in one form."""

    def post(self, visitor: Visitor, files: list[Path], **form: str) -> str:
        parts = [("file", (path_of.name, path_of.read_bytes())) for path_of in files]
        data = {**visitor.form("/upload/"), "base_id": "1", **form}
        return visitor.client.post("/upload/", data=data, files=parts).text

    def test_good_and_bad_files_each_have_their_fate(self, visitor: Visitor, tmp_path: Path) -> None:
        (tmp_path / "page.jpg").write_text("<html></html>")
        files = [make.jpeg(tmp_path / "a.jpg"), tmp_path / "page.jpg", make.jpeg(tmp_path / "b.jpg", seed=2)]
        text = self.post(visitor, files)
        assert text.count("Added.") == 2
        assert "page.jpg is not a picture file" in text
        again = self.post(visitor, files[:1])
        assert "already in the library" in again

    def test_fields_that_would_fill_the_memory_are_refused_on_a_page(self, visitor: Visitor, tmp_path: Path) -> None:
        data = {**visitor.form("/upload/"), **{f"f{number}": "x" * 1_900_000 for number in range(5)}}
        with make.jpeg(tmp_path / "a.jpg").open("rb") as file:
            answer = visitor.client.post("/upload/", data=data, files={"file": file})
        assert answer.status_code == 413
        assert "The fields of a form may have at most" in answer.text

    def test_a_collection_one_may_not_add_to(self, server: Server, tmp_path: Path) -> None:
        eve = server.browser(server.user("eve", {server.archive.id: ALL_RIGHTS, server.photographs.id: READER}))
        assert "may not add records" in self.post(eve, [make.jpeg(tmp_path / "a.jpg")])


def test_the_wall_finds_filters_and_hides(server: Server, ada: User, visitor: Visitor, tmp_path: Path) -> None:
    server.add(make.jpeg(tmp_path / "harbour.jpg"), ada)
    server.add(make.mp4(tmp_path / "boats.mp4"), ada)
    assert "2 documents" in visitor.get("/").text
    assert "1 document" in visitor.get("/?kind=video").text
    assert "1 document" in visitor.get("/?q=harbour").text
    assert "Nothing found" in visitor.get("/?q=nowhere").text
    assert "Nothing found" in visitor.get(f"/?base={server.archive.id}").text
    eve = server.browser(server.user("eve", None))
    assert "This library is empty" in eve.get("/").text
    assert eve.get("/records/1/1/").status_code == 404
    assert visitor.get("/records/1/1/").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "q=%22",
        "start=-5",
        "start=99999999999999999999",
        "start=" + "9" * 5000,
        "base=" + "9" * 5000,
        "base=x",
        "sort=evil",
        "kind=%00",
        "q=" + "a" * 5000,
    ],
)
def test_no_address_of_the_wall_breaks_it(visitor: Visitor, query: str) -> None:
    assert visitor.get(f"/?{query}").status_code == 200
