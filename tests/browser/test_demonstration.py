"""What demo.json lists is there, for the people whom it names (design section 2)."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.browser.conftest import Site
from vitrine.operations import doctor
from vitrine.operations.export import import_bag, write_bag
from vitrine.settings import Settings
from vitrine.testing.server import Server


def _get(site: Site, path: str, who: str = "web_app") -> Any:
    token = site.demo[who]["developer_token"]
    answer = httpx.get(f"{site.base}/api/v1{path}", headers={"Authorization": f"OAuth {token}"})
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()["response"]


def test_a_story_with_children_and_a_cover(site: Site) -> None:
    (listed,) = site.demo["stories"]
    story = _get(site, f"/stories/{listed['databox_id']}/{listed['record_id']}/")["story"]
    assert len(story["records"]) == 6
    assert story["cover_record_id"] == story["records"][1]["record_id"]
    assert story["metadatas"]["dc:title"] == "A walk through the collection"


def test_a_basket_and_a_vote_under_way(site: Site) -> None:
    own, poster = site.demo["baskets"]
    assert len(_get(site, f"/baskets/{own['basket_id']}/content/")["basket_elements"]) == 6
    content = _get(site, f"/baskets/{poster['basket_id']}/content/")
    assert content["basket"]["validation_basket"]
    assert not content["basket"]["validation_confirmed"]
    assert len(content["basket_elements"]) == 4


def test_a_public_and_a_restricted_feed_with_entries(site: Site) -> None:
    shown = {feed["id"]: feed for feed in _get(site, "/feeds/list/")["feeds"]}
    news, press = (shown[feed["feed_id"]] for feed in site.demo["feeds"])
    assert (news["public"], news["total_entries"]) == (True, 2)
    assert (press["public"], press["total_entries"]) == (False, 1)
    (entry,) = _get(site, f"/feeds/{press['id']}/content/")["entries"]
    assert {item["record"]["base_id"] for item in entry["items"]} == {site.demo["feeds"][1]["base_id"]}


def test_a_status_bit_and_terms_of_use(site: Site) -> None:
    databox = site.demo["databox_id"]
    bits = _get(site, f"/databoxes/{databox}/status/", "admin")["status"]
    assert [(bit["bit"], bit["label_on"]) for bit in bits] == [(4, "Cleared for the press")]
    own = [record for record in site.demo["records"] if record["databox_id"] == databox]
    pictures = [record["record_id"] for record in own if record["type"] == "image"]
    states = [_get(site, f"/records/{databox}/{number}/status/")["status"] for number in sorted(pictures)[:4]]
    assert [state["state"] for (state,) in states] == [True, True, True, False]
    boxes = _get(site, "/databoxes/list/", "admin")["databoxes"]
    (press,) = (int(number) for number in boxes if int(number) != databox)
    terms = _get(site, f"/databoxes/{press}/termsOfUse/", "admin")["termsOfUse"]
    assert {version["locale"] for version in terms} >= {"en", "fr"}


@pytest.mark.parametrize(
    ("kind", "right", "missing"),
    [
        ("reader", "candwnldpreview", "canaddrecord"),
        ("editor", "candeleterecord", "canadmin"),
        ("collection_administrator", "canadmin", ""),
    ],
)
def test_a_person_of_each_kind_who_signs_in(site: Site, kind: str, right: str, missing: str) -> None:
    person, app = site.demo["people"][kind], site.demo["optional_secret_app"]
    form = {
        "grant_type": "password", "client_id": app["client_id"], "username": person["login"],
        "password": person["password"],
    }  # fmt: skip
    answer = httpx.post(f"{site.base}/api/oauthv2/token", data=form)  # without a secret, as the old plugin
    assert answer.status_code == 200, answer.text
    me = httpx.get(f"{site.base}/api/v1/me/", headers={"Authorization": f"OAuth {answer.json()['access_token']}"})
    rights = {name for collection in me.json()["response"]["collections"] for name in collection["rights"]}
    assert right in rights
    assert missing not in rights


def test_it_is_exported_beside_the_running_server_and_comes_back_equal(site: Site, tmp_path: Path) -> None:
    passphrase = "correct horse battery staple"
    settings = Settings(data_dir=site.folder, base_url=site.base)
    exported = write_bag(settings, tmp_path / "bag", passphrase=passphrase)
    assert exported.missing == 0
    target = Settings(data_dir=tmp_path / "there", base_url=site.base)
    import_bag(target, tmp_path / "bag", passphrase=passphrase)
    (finding,) = doctor.compare(target, tmp_path / "bag", passphrase)
    assert finding.state == "ok", finding.text
    listed = _get(site, "/search/?per_page=20&query=")["results"]["records"]
    addresses = [
        rendition["permalink"]["url"]
        for record in listed
        for rendition in _get(site, f"/records/{record['databox_id']}/{record['record_id']}/embed/")["embed"]
        if rendition["permalink"]
    ]
    assert addresses
    restored = Server.of(tmp_path / "there", base_url=site.base)
    try:
        for address in addresses:
            old, new = httpx.get(address), restored.http.get(address)
            assert (new.status_code, new.content) == (old.status_code, old.content), address
        with restored.services.database.read() as work:
            waiting = work.db.execute(sa.text("SELECT count(*) FROM renditions WHERE state = 'waiting'")).scalar()
        assert waiting == 0
    finally:
        restored.close()
