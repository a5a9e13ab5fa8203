"""Contract 06 section 15 and 02 sections 5.18, 6.3: checks, waiting files, and who decides about them."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from vitrine.accounts import COMMAND, Right, User, Via
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.errors import DomainError, Invalid
from vitrine.library import store, structure_store
from vitrine.library.errors import MayNotReplace
from vitrine.library.ingest import Quarantined
from vitrine.library.model import CollectionId, RecordKey
from vitrine.library.quarantine import store as quarantine_store
from vitrine.library.quarantine.service import DecidedAlready, MayNotDecide, NoMatch, NoSuchItem
from vitrine.library.sweep import Sweeper
from vitrine.library.tables import removed_records
from vitrine.testing import media_factory as make
from vitrine.testing.server import Server


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", first_name="Ada")


@pytest.fixture
def token(server: Server, ada: User) -> str:
    return server.token(ada)


@pytest.fixture
def key(server: Server, ada: User, tmp_path: Path) -> RecordKey:
    return server.add(make.jpeg(tmp_path / "harbour.jpg"), ada)


def policy(server: Server, checks: Any, **where: int) -> None:
    with server.services.database.write() as work:
        server.services.library.quarantine.set_policy(work, COMMAND, checks, **where)


def offer(server: Server, path: Path, *, force: bool | None = None, status: int | None = None) -> Any:
    """Add a file as a client would; the outcome is a record or an item."""
    services = server.services
    arrival = services.library.ingest.take(path, path.name)
    with services.database.write() as work:
        base = CollectionId(server.photographs.id)
        return services.library.ingest.add(work, COMMAND, arrival, base, force=force, status=status)


def waiting(server: Server, path: Path, **more: Any) -> int:
    outcome = offer(server, path, **more)
    assert isinstance(outcome, Quarantined)
    return outcome.item


def actor_of(server: Server, work: Any, user: User) -> Any:
    return server.services.accounts.users.actor_of(work, server.services.accounts.users.get(work, user.id), Via.SESSION)


class TestChecks:
    @pytest.mark.parametrize(
        ("checks", "name", "fails"),
        [
            ({}, "new.jpg", ()),
            ({"Filename": {"on": True}}, "HARBOUR.jpg", ("Filename",)),
            ({"Filename": {"on": True, "sensitive": True}}, "HARBOUR.jpg", ()),
            ({"Filename": {"on": True, "sensitive": True}}, "harbour.jpg", ("Filename",)),
            ({"Filename": {"on": True, "ignored": [1]}}, "harbour.jpg", ()),
            ({"Dimension": {"on": True, "width": 320, "height": 200}}, "new.jpg", ()),
            ({"Dimension": {"on": True, "width": 320}}, "new.jpg", ("Dimension",)),
            ({"Dimension": {"on": True, "width": 1}}, "words.txt", ("Dimension",)),
            ({"Extension": {"on": True, "extensions": ["png", ".tif"]}}, "new.jpg", ("Extension",)),
            ({"Extension": {"on": True, "extensions": ["JPG"]}}, "new.jpg", ()),
            ({"Extension": {"on": True}}, "new.jpg", ()),
            ({"MediaType": {"on": True, "media_types": ["Video", "Audio"]}}, "new.jpg", ("MediaType",)),
            ({"MediaType": {"on": True, "media_types": ["Image"]}}, "new.jpg", ()),
            ({"Colorspace": {"on": True, "colorspaces": ["cmyk", "rgba"]}}, "new.jpg", ("Colorspace",)),
            ({"Colorspace": {"on": True, "colorspaces": ["rgb"]}}, "new.jpg", ()),
            ({"Colorspace": {"on": True, "colorspaces": ["rgb"]}}, "words.txt", ()),
            ({"Sha256": {"on": False}}, "copy", ()),
            ({}, "copy", ("Sha256",)),
        ],
    )
    def test_each_check(
        self, server: Server, key: RecordKey, tmp_path: Path, checks: Any, name: str, fails: tuple[str, ...]
    ) -> None:
        policy(server, checks)
        (tmp_path / "in").mkdir()
        target = tmp_path / "in" / (name if name != "copy" else "copy.jpg")
        if name == "words.txt":
            target.write_text("Words about a harbour. " * 9)
        elif name == "copy":
            target.write_bytes((tmp_path / "harbour.jpg").read_bytes())
        else:
            make.jpeg(target, seed=7)
        outcome = offer(server, target)
        failed = tuple(outcome.checks) if isinstance(outcome, Quarantined) else ()
        assert failed == fails
        if "Filename" in failed or "Sha256" in failed:
            assert next(iter(outcome.checks.values())) == (key.number,)

    @pytest.mark.both_databases
    @pytest.mark.parametrize(
        ("first", "second", "is_same"),
        [
            ("ÉTÉ.jpg", "été.JPG", True),
            ("été.jpg", "e\u0301te\u0301.jpg", True),  # as macOS writes it
            ("STRASSE.jpg", "straße.jpg", True),
            ("ΟΔΟΣ.jpg", "οδος.jpg", True),
            ("été.jpg", "ete.jpg", False),
            ("100%.jpg", "1000.jpg", False),
        ],
    )
    def test_file_names_are_compared_without_case_in_every_script(
        self, server: Server, tmp_path: Path, first: str, second: str, is_same: bool
    ) -> None:
        policy(server, {"Filename": {"on": True}})
        for place, name in enumerate((first, second)):
            (tmp_path / str(place)).mkdir()
            outcome = offer(server, make.jpeg(tmp_path / str(place) / name, 320, 240, seed=place))
        assert isinstance(outcome, Quarantined) is is_same

    @pytest.mark.both_databases
    def test_a_restored_record_is_found_by_its_name(self, server: Server, tmp_path: Path) -> None:
        """Also if the copy of the removed record was made before names were kept folded."""
        policy(server, {"Filename": {"on": True}})
        key = server.add(make.jpeg(tmp_path / "ÉTÉ.jpg", seed=1), server.user("ada"))
        services = server.services
        with services.database.write() as work:
            services.library.removal.remove(work, COMMAND, key)
            kept: Any = work.db.scalar(sa.select(removed_records.c.kept))
            del kept["record"]["original_name_folded"]
            work.db.execute(removed_records.update().values(kept=kept))
            services.library.removal.restore(work, COMMAND, key)
        assert isinstance(offer(server, make.jpeg(tmp_path / "été.jpg", seed=2)), Quarantined)

    def test_a_collection_goes_before_its_databox_and_that_before_the_instance(
        self, server: Server, tmp_path: Path
    ) -> None:
        small = make.jpeg(tmp_path / "small.jpg", 90, 90)
        policy(server, {"Dimension": {"on": True, "width": 1000}})
        assert isinstance(offer(server, small), Quarantined)
        policy(server, {"Dimension": {"width": 50}}, databox=server.databox.id)
        assert not isinstance(offer(server, small), Quarantined)
        policy(server, {"Dimension": {"width": 95}}, base=server.photographs.id)
        assert tuple(offer(server, make.jpeg(tmp_path / "b.jpg", 90, 90, seed=2)).checks) == ("Dimension",)
        policy(server, None, base=server.photographs.id)
        assert not isinstance(offer(server, make.jpeg(tmp_path / "c.jpg", 90, 90, seed=3)), Quarantined)

    @pytest.mark.parametrize(
        ("checks", "fault"),
        [
            ([], "JSON object"),
            ({"Size": {}}, "no check called Size"),
            ({"Dimension": {"depth": 1}}, "no option depth"),
            ({"Dimension": {"width": "80"}}, "number of pixels"),
            ({"MediaType": {"media_types": ["Images"]}}, "Audio, Document, Image, Video"),
            ({"Sha256": {"on": 1}}, "true or false"),
            ({"Sha256": {"ignored": ["x"]}}, "base_ids"),
        ],
    )
    def test_a_policy_with_a_fault_is_refused_and_named(self, server: Server, checks: Any, fault: str) -> None:
        with pytest.raises(Invalid, match=fault):
            policy(server, checks)

    def test_only_administrators_set_the_checks(self, server: Server, ada: User) -> None:
        with server.services.database.write() as work, pytest.raises(DomainError):
            server.services.library.quarantine.set_policy(work, actor_of(server, work, ada), {})


class TestDecisions:
    def decide(self, server: Server, user: User, item: int, decision: str, number: int = 0) -> Any:
        services = server.services
        with services.database.read() as work:
            waiting_item = quarantine_store.get(work, item)
        arrival = services.library.quarantine.arrival(waiting_item) if waiting_item else None
        with services.database.write() as work:
            actor = actor_of(server, work, user)
            if decision == "delete":
                return services.library.quarantine.delete(work, actor, item)
            if decision == "add":
                return services.library.quarantine.accept(work, actor, item, arrival)  # type: ignore[arg-type]
            return services.library.quarantine.substitute(work, actor, item, arrival, number)  # type: ignore[arg-type]

    def test_adding_keeps_what_came_with_the_file(
        self, server: Server, ada: User, key: RecordKey, tmp_path: Path
    ) -> None:
        names = {"label_on": "On", "label_off": "Off", "labels_on": {}, "labels_off": {}}
        with server.services.database.write() as work:
            structure_store.add_status_bit(work, server.databox.id, {"bit": 4, **names})
            structure_store.increase_version(work)
        item = waiting(server, tmp_path / "harbour.jpg", status=0b110000)
        added_key = self.decide(server, ada, item, "add")
        assert added_key != key
        server.work()
        with server.services.database.read() as work:
            record = store.by_key(work, added_key)
            assert record
            assert record.status == 0b010000, "without the bit that is no longer defined"
            assert record.original_name == "harbour.jpg"
            assert {rendition.state for rendition in store.renditions_of(work, [record.id])[record.id]} == {"ready"}
            assert quarantine_store.get(work, item) is None

    def test_substituting_keeps_ids_links_and_values(
        self, server: Server, ada: User, key: RecordKey, tmp_path: Path
    ) -> None:
        policy(server, {"Filename": {"on": True}})
        (tmp_path / "new").mkdir()
        item = waiting(server, make.jpeg(tmp_path / "new" / "harbour.jpg", 500, 400, seed=3))
        with server.services.database.read() as work:
            before, file = server.services.library.records.rendition_without_check(work, key, "preview")
        assert self.decide(server, ada, item, "substitute", key.number) == key
        server.work()
        with server.services.database.read() as work:
            after, preview = server.services.library.records.rendition_without_check(work, key, "preview")
            _, original = server.services.library.records.rendition_without_check(work, key, "document")
        assert (after.id, after.uuid, after.title) == (before.id, before.uuid, before.title)
        assert (after.width, after.height) == (500, 400)
        assert original.substituted
        assert preview.sha256 != file.sha256
        assert preview.permalink == file.permalink

    def test_deleting_leaves_the_bytes_to_the_sweep(
        self, server: Server, ada: User, key: RecordKey, tmp_path: Path
    ) -> None:
        other = make.jpeg(tmp_path / "other.jpg", seed=9)
        item = waiting(server, other, force=False)
        with server.services.database.read() as work:
            waiting_item = quarantine_store.get(work, item)
        assert waiting_item
        sweeper = Sweeper(server.services.database, server.services.media)
        sweeper.sweep(timedelta(0))
        assert server.services.media.store.size(waiting_item.sha256) == other.stat().st_size, "it waits"
        self.decide(server, ada, item, "delete")
        sweeper.sweep(timedelta(0))
        with pytest.raises(DomainError):
            server.services.media.store.size(waiting_item.sha256)

    @pytest.mark.parametrize("decision", ["add", "substitute", "delete"])
    def test_a_decision_needs_the_right_on_this_very_collection(
        self, server: Server, key: RecordKey, tmp_path: Path, decision: str
    ) -> None:
        item = waiting(server, tmp_path / "harbour.jpg")
        elsewhere = server.user("eve", {server.archive.id: ALL_RIGHTS, server.photographs.id: READER})
        with pytest.raises(MayNotDecide):
            self.decide(server, elsewhere, item, decision, key.number)
        with server.services.database.read() as work:
            assert quarantine_store.get(work, item) is not None

    def test_replacing_needs_image_tools_on_the_record_besides(
        self, server: Server, key: RecordKey, tmp_path: Path
    ) -> None:
        item = waiting(server, tmp_path / "harbour.jpg")
        user = server.user("bob", ALL_RIGHTS & ~Right.imgtools)
        with pytest.raises(MayNotReplace):
            self.decide(server, user, item, "substitute", key.number)
        with server.services.database.read() as work:
            assert (
                not server.services.library.quarantine.get(work, actor_of(server, work, user), item)
                .matches[0]
                .replaceable
            )

    def test_only_a_record_that_it_clashes_with_can_be_replaced(
        self, server: Server, ada: User, key: RecordKey, tmp_path: Path
    ) -> None:
        other = server.add(make.jpeg(tmp_path / "other.jpg", seed=4), ada)
        item = waiting(server, tmp_path / "harbour.jpg")
        with pytest.raises(NoMatch):
            self.decide(server, ada, item, "substitute", other.number)
        with pytest.raises(NoSuchItem):
            self.decide(server, ada, 999, "delete")

    def test_of_two_who_decide_at_once_one_does_it(
        self, server: Server, ada: User, key: RecordKey, tmp_path: Path
    ) -> None:
        bob = server.user("bob")
        item = waiting(server, tmp_path / "harbour.jpg")
        start = threading.Barrier(2)
        outcomes: list[str] = []

        def decide(user: User, decision: str) -> None:
            start.wait()
            try:
                self.decide(server, user, item, decision)
                outcomes.append("done")
            except (DecidedAlready, NoSuchItem, AttributeError):
                outcomes.append("late")

        threads = [threading.Thread(target=decide, args=thread) for thread in ((ada, "add"), (bob, "add"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["done", "late"]
        with server.services.database.read() as work:
            assert work.db.exec_driver_sql("SELECT count(*) FROM records").scalar() == 2


class TestOnTheApi:
    """02 §5.18 and 02 §6.3."""

    def test_an_item(self, server: Server, ada: User, key: RecordKey, token: str, tmp_path: Path) -> None:
        answer = server.call(
            "POST", "/api/v1/records/add/", token, data={"base_id": "1"},
            files={"file": ("again.jpg", (tmp_path / "harbour.jpg").read_bytes())},
        )  # fmt: skip
        assert answer.json()["response"]["entity"] == "1"
        item = server.get(answer.json()["response"]["url"], token)["quarantine_item"]
        assert list(item) == [
            "id", "quarantine_session", "base_id", "original_name", "collection", "sha256", "uuid", "forced", "checks",
            "records_match", "created_on", "updated_on",
        ]  # fmt: skip
        assert item["quarantine_session"]["usr_id"] == ada.id
        assert item["quarantine_session"]["user"]["first_name"] == "Ada"
        assert (item["base_id"], item["original_name"], item["collection"]) == (1, "again.jpg", "Photographs")
        assert item["forced"] is False
        assert list(item["checks"]) == ["Sha256"]
        assert item["records_match"] == [
            {"record_id": key.number, "collection": "Photographs", "checks": {"Sha256": "the same file"}}
        ]
        policy(server, {"Sha256": {"on": False}})
        assert server.get(f"/quarantine/item/{item['id']}/", token)["quarantine_item"]["checks"] == {"Sha256": None}
        headers = {"User-Agent": "Phraseanet SDK/0.9"}
        shown = server.get(f"/quarantine/item/{item['id']}/", token, headers=headers)["quarantine_item"]
        assert shown["checks"] == [None]

    def test_the_list_is_of_ones_own_collections_newest_first(
        self, server: Server, key: RecordKey, token: str, tmp_path: Path
    ) -> None:
        items = [waiting(server, make.jpeg(tmp_path / f"{at}.jpg", seed=at), force=False) for at in range(3)]
        response = server.get("/quarantine/list/", token, params={"per_page": "2", "offset_start": "1"})
        assert (response["offset_start"], response["per_page"]) == (1, 2)
        assert [item["id"] for item in response["quarantine_items"]] == [items[1], items[0]]
        assert response["quarantine_items"][0]["checks"] == {}
        assert response["quarantine_items"][0]["forced"] is True
        assert server.get("/quarantine/list/", token, params={"per_page": "5000"})["per_page"] == 1000
        reader = server.token(server.user("eve", READER))
        assert server.get("/quarantine/list/", reader)["quarantine_items"] == []
        assert server.call("GET", f"/api/v1/quarantine/item/{items[0]}/", reader).status_code == 403

    @pytest.mark.parametrize("number", ["999", "abc", "1x", "99999999999999999999999"])
    def test_unknown_and_not_a_number_are_404(self, server: Server, token: str, number: str) -> None:
        assert server.call("GET", f"/api/v1/quarantine/item/{number}/", token).status_code == 404

    def test_records_that_the_caller_does_not_see_are_not_named(
        self, server: Server, ada: User, tmp_path: Path
    ) -> None:
        server.add(make.jpeg(tmp_path / "a.jpg"), ada, server.archive)
        item = waiting(server, tmp_path / "a.jpg")
        narrow = server.token(server.user("bob", {server.photographs.id: ALL_RIGHTS}))
        assert server.get(f"/quarantine/item/{item}/", narrow)["quarantine_item"]["records_match"] == []


class TestOnThePage:
    def test_one_and_many_are_decided_without_script(
        self, server: Server, ada: User, key: RecordKey, tmp_path: Path
    ) -> None:
        page = "/library/quarantine/"
        visitor = server.browser(ada)
        assert "Nothing waits" in visitor.get(page).text
        items = [waiting(server, make.jpeg(tmp_path / f"{at}.jpg", seed=at), force=False) for at in range(3)]
        twin = waiting(server, tmp_path / "harbour.jpg")
        text = visitor.get(page).text
        assert "4 files wait" in text
        assert f'value="substitute:{twin}:{key.number}"' in text
        assert "The same file is in this databox already." in text
        done = visitor.submit(page, f"{page}decide/", {"one": f"delete:{items[0]}"})
        assert "1 file was deleted." in visitor.get(done.headers["location"]).text
        form = {**visitor.form(page), "all": "add", "item[0]": str(items[1]), "item[1]": str(items[0])}
        done = visitor.client.post(f"{page}decide/", data=form)
        text = visitor.get(done.headers["location"]).text
        assert "1 file was added as a new record." in text
        assert "1 file had been decided about already." in text
        done = visitor.submit(page, f"{page}decide/", {"one": f"substitute:{twin}:{key.number}"})
        assert "1 record has its new file." in visitor.get(done.headers["location"]).text
        assert "1 file waits" in visitor.get(page).text

    def test_a_form_from_elsewhere_decides_nothing(self, server: Server, ada: User, tmp_path: Path) -> None:
        item = waiting(server, make.jpeg(tmp_path / "a.jpg"), force=False)
        visitor = server.browser(ada)
        answer = visitor.client.post("/library/quarantine/decide/", data={"one": f"delete:{item}"})
        assert answer.status_code in (400, 403)
        with server.services.database.read() as work:
            assert quarantine_store.get(work, item) is not None

    def test_pictures_are_for_those_who_decide(self, server: Server, ada: User, tmp_path: Path) -> None:
        item = waiting(server, make.jpeg(tmp_path / "a.jpg", 900, 600), force=False)
        address = f"/library/quarantine/{item}/picture/"
        answer = server.browser(ada).get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["cache-control"].startswith("private")
        assert server.browser(server.user("eve", READER)).get(address).status_code == 404
        assert server.http.get(address).status_code == 302
        (tmp_path / "words.txt").write_text("words " * 20)
        words = waiting(server, tmp_path / "words.txt", force=False)
        assert server.browser(ada).get(f"/library/quarantine/{words}/picture/").status_code == 404

    def test_the_upload_page_tells_what_waits(self, server: Server, ada: User, tmp_path: Path) -> None:
        policy(server, {"MediaType": {"on": True, "media_types": ["Video"]}})
        visitor = server.browser(ada)
        form = {**visitor.form("/upload/"), "base_id": str(server.photographs.id)}
        file = make.jpeg(tmp_path / "a.jpg").read_bytes()
        answer = visitor.client.post("/upload/", data=form, files={"file": ("a.jpg", file)})
        assert "Documents of this kind are not accepted here. It waits in the quarantine." in answer.text
        assert 'href="/library/quarantine/"' in answer.text


def test_the_command_sets_and_shows_the_checks(server: Server, tmp_path: Path) -> None:
    import json

    from click.testing import CliRunner

    from vitrine.cli.main import cli

    (tmp_path / "policy.json").write_text(json.dumps({"Dimension": {"on": True, "width": 640}}))
    where = ["--data", str(server.settings.data_dir)]
    runner = CliRunner()
    done = runner.invoke(cli, ["checks", "set", str(tmp_path / "policy.json"), "--collection", "1", *where])
    assert done.exit_code == 0, done.output
    shown = runner.invoke(cli, ["checks", "show", "1", *where])
    assert json.loads(shown.output[shown.output.index("{") :])["Dimension"] == {
        "on": True,
        "width": 640,
        "height": None,
    }
    refused = runner.invoke(cli, ["checks", "set", str(tmp_path / "policy.json"), "--collection", "99", *where])
    assert isinstance(refused.exception, DomainError)
