"""Contract 02 sections 5.14, 5.15 and 6.7: baskets of API v1, and those of `related/` (section 6.6)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vitrine.accounts import COMMAND, CollectionGrant, Right, User
from vitrine.accounts.rights import ALL_RIGHTS, READER
from vitrine.applications import Profile
from vitrine.baskets import BasketChanges
from vitrine.baskets.model import ChoiceChange, Voter
from vitrine.baskets.tables import basket_participants
from vitrine.testing.basket_world import BasketWorld
from vitrine.testing.server import Server
from vitrine.testing.statements import recorded

pytestmark = pytest.mark.both_databases
EXTENDED = {"Accept": "application/vnd.phraseanet.record-extended+json"}
BASKET_KEYS = [
    "basket_id", "owner", "created_on", "description", "name", "pusher_usr_id", "pusher", "updated_on", "unread",
    "validation_basket",
]  # fmt: skip
VOTE_KEYS = [
    "validation_users", "expires_on", "validation_infos", "validation_confirmed", "validation_initiator",
    "validation_initiator_user",
]  # fmt: skip


@pytest.fixture
def world(server: Server) -> BasketWorld:
    return BasketWorld(server)


@pytest.fixture
def ada(server: Server) -> User:
    return server.user("ada", ALL_RIGHTS & ~Right.canadmin, first_name="Ada", last_name="Martin", email="ada@x.example")


@pytest.fixture
def bob(server: Server) -> User:
    return server.user("bob", {}, email="bob@x.example")


def post(server: Server, path: str, token: str, **form: str) -> Any:
    return server.call("POST", f"/api/v1/baskets/{path}", token, data=form)


def created(server: Server, token: str, name: str = "Boats") -> Any:
    answer = post(server, "add/", token, name=name)
    assert answer.status_code == 200, answer.text
    return answer.json()["response"]["basket"]


def listed(server: Server, token: str) -> list[Any]:
    baskets: list[Any] = server.get("/baskets/list/", token)["baskets"]
    return baskets


class TestMaking:
    def test_a_name_comes_back_unchanged_and_the_answer_has_one_key(self, server: Server, ada: User) -> None:
        """02 section 9, check 11."""
        answer = post(server, "add/", server.token(ada), name="<strong>aéaa", description="ignored").json()["response"]
        assert list(answer) == ["basket"]
        basket = answer["basket"]
        assert list(basket) == BASKET_KEYS
        assert basket["name"] == "<strong>aéaa"
        assert basket["description"] == ""
        assert (basket["pusher"], basket["pusher_usr_id"], basket["unread"]) == (None, None, False)
        assert basket["validation_basket"] is False
        assert basket["owner"]["email"] == "ada@x.example"
        assert basket["owner"]["@entity@"] == "http://api.phraseanet.com/api/objects/user"
        assert datetime.fromisoformat(basket["created_on"]).tzinfo is not None
        assert basket["created_on"] == basket["updated_on"]

    @pytest.mark.parametrize("form", [{}, {"name": ""}, {"name": " "}, {"name": "<b></b>"}, {"name[]": "x"}])
    def test_a_name_is_required(self, server: Server, ada: User, form: dict[str, str]) -> None:
        token = server.token(ada)
        answer = server.call("POST", "/api/v1/baskets/add/", token, data=form)
        assert (answer.status_code, answer.json()["meta"]["error_type"]) == (400, "Bad Request")
        assert "name" in answer.json()["meta"]["error_details"]
        assert listed(server, token) == []

    @pytest.mark.parametrize("name", ["x" * 256, "a\x00b", "turn \u202e it"])
    def test_names_that_cannot_be_kept_are_refused(self, server: Server, ada: User, name: str) -> None:
        assert post(server, "add/", server.token(ada), name=name).status_code == 400

    def test_the_name_may_come_in_the_query(self, server: Server, ada: User) -> None:
        """02 section 4.2."""
        answer = server.call("POST", "/api/v1/baskets/add/?name=Boats", server.token(ada))
        assert answer.json()["response"]["basket"]["name"] == "Boats"

    def test_a_person_has_a_bounded_number(self, server: Server, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vitrine.baskets.service.MOST_BASKETS", 2)
        token = server.token(ada)
        first = created(server, token)
        created(server, token)
        refused = post(server, "add/", token, name="Third")
        assert refused.status_code == 400
        assert "2 baskets" in refused.json()["meta"]["error_details"]
        post(server, f"{first['basket_id']}/delete/", token)
        created(server, token, "Third")


class TestLists:
    def test_own_ones_then_shared_ones(self, server: Server, world: BasketWorld, ada: User, bob: User) -> None:
        shared, archived = world.create(ada, name="Shared"), world.create(ada, name="Archived")
        world.act(ada, lambda work, actor: world.services.baskets.update(
            work, actor, archived, BasketChanges(is_archived=True)
        ))  # fmt: skip
        world.share(ada, shared, bob)
        own = world.create(bob, name="Own")
        token = server.token(bob)
        assert [basket["basket_id"] for basket in listed(server, token)] == [own, shared]
        assert [basket["basket_id"] for basket in listed(server, server.token(ada))] == [shared]
        assert [basket["unread"] for basket in listed(server, token)] == [False, True]

    def test_an_expired_share_is_gone_from_the_list_and_opens_nothing(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        """06 section 12: in the original it still opened by its id."""
        basket, token = world.create(ada, world.records(1)), server.token(bob)
        world.share(ada, basket, bob, expires=datetime.now(UTC) + timedelta(hours=1))
        assert len(listed(server, token)) == 1
        assert server.get(f"/baskets/{basket}/content/", token)["basket"]["basket_id"] == basket
        with server.services.database.write() as work:
            work.db.execute(basket_participants.update().values(share_expires=work.now))
        assert listed(server, token) == []
        answer = server.call("GET", f"/api/v1/baskets/{basket}/content/", token)
        assert (answer.status_code, answer.json()["meta"]["error_type"]) == (403, "Forbidden")

    def test_lists_are_lists_for_the_sdk_too(self, server: Server, ada: User) -> None:
        """02 section 7: an array in both profiles, empty or not."""
        token = server.token(ada)
        for agent in ("Phraseanet SDK Player", "x"):
            answer = server.call("GET", "/api/v1/baskets/list/", token, headers={"User-Agent": agent})
            assert answer.json()["response"] == {"baskets": []}
        created(server, token)
        for agent in ("Phraseanet SDK Player", "x"):
            answer = server.call("GET", "/api/v1/baskets/list/", token, headers={"User-Agent": agent})
            assert isinstance(answer.json()["response"]["baskets"], list)

    def test_the_list_takes_as_many_statements_for_thirty_baskets_as_for_three(
        self, server: Server, world: BasketWorld, ada: User
    ) -> None:
        token, keys = server.token(ada), world.records(1)
        people = [server.user(f"p{number}", {}) for number in range(30)]
        listed(server, token)
        counts = {}
        with recorded(server.services.database) as statements:
            for start, stop in ((0, 3), (3, 30)):
                for number in range(start, stop):
                    basket = world.create(ada, keys)
                    world.share(ada, basket, people[number])
                    world.start_vote(ada, basket, people[number])
                server.services.deferred_writes.flush()
                statements.clear()
                assert len(listed(server, token)) == stop
                counts[stop] = list(statements)
        assert len(counts[30]) <= len(counts[3]) <= 12, "\n".join(counts[30])


class TestContent:
    def test_exactly_two_keys_and_elements_in_order(self, server: Server, world: BasketWorld, ada: User) -> None:
        keys = world.records(3)
        basket = world.create(ada, [keys[2], keys[0], keys[1]])
        answer = server.get(f"/baskets/{basket}/content/", server.token(ada))
        assert list(answer) == ["basket", "basket_elements"]
        elements = answer["basket_elements"]
        assert [list(element) for element in elements] == [
            ["basket_element_id", "order", "record", "validation_item"]
        ] * 3
        assert [element["order"] for element in elements] == [1, 2, 3]
        assert [element["record"]["record_id"] for element in elements] == [
            keys[2].number, keys[0].number, keys[1].number
        ]  # fmt: skip
        assert {element["validation_item"] for element in elements} == {False}

    def test_orders_are_renumbered_when_a_record_is_deleted(
        self, server: Server, world: BasketWorld, ada: User
    ) -> None:
        keys, token = world.records(3), server.token(ada)
        basket = world.create(ada, keys)
        assert server.call("DELETE", f"/api/v1/records/{keys[1].databox}/{keys[1].number}/", token).status_code == 200
        elements = server.get(f"/baskets/{basket}/content/", token)["basket_elements"]
        assert [(element["order"], element["record"]["record_id"]) for element in elements] == [
            (1, keys[0].number), (2, keys[2].number)
        ]  # fmt: skip

    def test_records_are_extended_on_request(self, server: Server, world: BasketWorld, ada: User) -> None:
        """02 section 9, check 12."""
        basket, token = world.create(ada, world.records(1)), server.token(ada)
        plain = server.get(f"/baskets/{basket}/content/", token)["basket_elements"][0]["record"]
        extended = server.get(f"/baskets/{basket}/content/", token, headers=EXTENDED)["basket_elements"][0]["record"]
        assert list(extended)[len(plain) :] == ["subdefs", "metadata", "status", "caption"]

    def test_each_record_is_shown_only_to_who_sees_it(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        """06 section 17.7: in the original caption and thumbnail came with the basket, whatever the reader's rights."""
        open_one, closed_one = world.record(server.photographs), world.record(server.archive)
        ada_without_push = ALL_RIGHTS & ~Right.canpush
        basket = world.create(ada, [open_one, closed_one])
        server.regrant(ada, server.archive, ada_without_push)
        world.share(ada, basket, bob)
        elements = server.get(f"/baskets/{basket}/content/", server.token(bob))["basket_elements"]
        assert [element["record"]["record_id"] for element in elements] == [open_one.number]
        assert [element["order"] for element in elements] == [1]

    def test_a_mask_and_a_time_limit_hide_elements_from_the_owner(
        self, server: Server, world: BasketWorld, ada: User
    ) -> None:
        keys = [world.record(server.photographs, status=16), world.record(server.archive)]
        basket, token = world.create(ada, keys), server.token(ada)
        server.regrant(ada, server.photographs, ALL_RIGHTS, mask_and=16, mask_xor=0)
        server.regrant(ada, server.archive, ALL_RIGHTS, valid_until=datetime.now(UTC) - timedelta(minutes=1))
        assert server.get(f"/baskets/{basket}/content/", token)["basket_elements"] == []

    def test_a_long_basket_is_whole(self, server: Server, world: BasketWorld, ada: User) -> None:
        """One that is read in a thread."""
        keys = world.records(60)
        basket = world.create(ada, keys)
        elements = server.get(f"/baskets/{basket}/content/", server.token(ada))["basket_elements"]
        assert [element["record"]["record_id"] for element in elements] == [key.number for key in keys]

    def test_fifty_elements_take_as_many_statements_as_five(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        keys, token = world.records(50), server.token(bob)
        small, large = world.create(ada, keys[:5]), world.create(ada, keys)
        for basket in (small, large):
            world.share(ada, basket, bob)
            world.start_vote(ada, basket, bob)
        server.get(f"/baskets/{small}/content/", token)
        server.services.deferred_writes.flush()
        counts = []
        with recorded(server.services.database) as statements:
            for basket in (small, large):
                statements.clear()
                server.get(f"/baskets/{basket}/content/", token)
                counts.append(list(statements))
        assert len(counts[1]) <= len(counts[0]) + 1, "\n".join(counts[1])
        assert len(counts[1]) <= 16, "\n".join(counts[1])


class TestChanging:
    def test_the_owner_renames_and_describes(self, server: Server, ada: User) -> None:
        token = server.token(ada)
        basket = created(server, token)["basket_id"]
        renamed = post(server, f"{basket}/setname/", token, name="<i>Ships").json()["response"]
        assert list(renamed) == ["basket"]
        assert renamed["basket"]["name"] == "<i>Ships"
        described = post(server, f"{basket}/setdescription/", token, description="Old ones\n& new").json()["response"]
        assert (described["basket"]["name"], described["basket"]["description"]) == ("<i>Ships", "Old ones\n& new")
        assert post(server, f"{basket}/setdescription/", token).json()["response"]["basket"]["description"] == ""

    @pytest.mark.parametrize("form", [{}, {"name": ""}, {"name": "<b> </b>"}, {"name": "x" * 256}])
    def test_a_missing_name_is_a_bad_request(self, server: Server, ada: User, form: dict[str, str]) -> None:
        """D: 500 in the original."""
        token = server.token(ada)
        basket = created(server, token)["basket_id"]
        assert post(server, f"{basket}/setname/", token, **form).status_code == 400
        assert listed(server, token)[0]["name"] == "Boats"

    def test_a_description_is_bounded(self, server: Server, ada: User) -> None:
        token = server.token(ada)
        basket = created(server, token)["basket_id"]
        answer = post(server, f"{basket}/setdescription/", token, description="x" * 10_001)
        assert answer.status_code == 400

    def test_deleting_answers_the_remaining_list(self, server: Server, ada: User) -> None:
        token = server.token(ada)
        first, second = (created(server, token, name)["basket_id"] for name in ("First", "Second"))
        answer = post(server, f"{first}/delete/", token).json()["response"]
        assert list(answer) == ["baskets"]
        assert [basket["basket_id"] for basket in answer["baskets"]] == [second]
        assert post(server, f"{first}/delete/", token).status_code == 404

    @pytest.mark.parametrize("change", ["setname/", "setdescription/", "delete/"])
    def test_participants_change_neither_name_nor_existence(
        self, server: Server, world: BasketWorld, ada: User, bob: User, change: str
    ) -> None:
        basket = world.create(ada)
        world.share(ada, basket, bob, can_modify=True)
        answer = post(server, f"{basket}/{change}", server.token(bob), name="Mine", description="Mine")
        assert (answer.status_code, answer.json()["meta"]["error_type"]) == (403, "Forbidden")
        assert world.view(ada, basket).basket.name == "Boats"


class TestRefusals:
    CALLS = (("GET", "content/"), ("POST", "setname/"), ("POST", "setdescription/"), ("POST", "delete/"))

    @pytest.mark.parametrize(("method", "end"), CALLS)
    def test_somebody_elses_basket_is_403_and_none_is_404(
        self, server: Server, world: BasketWorld, ada: User, bob: User, method: str, end: str
    ) -> None:
        basket, token = world.create(ada), server.token(bob)
        others = server.call(method, f"/api/v1/baskets/{basket}/{end}", token, data={"name": "x"})
        assert (others.status_code, others.json()["meta"]["error_type"]) == (403, "Forbidden")
        assert others.json()["response"] == {}
        for unknown in (basket + 1, 10**17, 10**30):
            answer = server.call(method, f"/api/v1/baskets/{unknown}/{end}", token, data={"name": "x"})
            assert answer.status_code in (400, 404), answer.text
            assert unknown > basket + 1 or answer.status_code == 404

    @pytest.mark.parametrize(("method", "end"), CALLS)
    @pytest.mark.parametrize("identifier", ["x", "1x", "-1", "%20"])
    def test_what_is_no_number_is_400_with_empty_details(
        self, server: Server, ada: User, method: str, end: str, identifier: str
    ) -> None:
        """02 sections 3 and 6.13."""
        answer = server.call(method, f"/api/v1/baskets/{identifier}/{end}", server.token(ada), data={"name": "x"})
        meta = answer.json()["meta"]
        assert (answer.status_code, meta["error_type"], meta["error_details"]) == (400, "Bad Request", "")

    def test_an_administrator_has_no_way_in(self, server: Server, world: BasketWorld, ada: User) -> None:
        root = server.user("root", is_admin=True)
        basket = world.create(ada)
        assert server.call("GET", f"/api/v1/baskets/{basket}/content/", server.token(root)).status_code == 403

    @pytest.mark.parametrize("path", ["list/", "add/", "1/content/", "1/setname/", "1/setdescription/", "1/delete/"])
    def test_a_token_is_needed(self, server: Server, path: str) -> None:
        method = "GET" if path in ("list/", "1/content/") else "POST"
        answer = server.call(method, f"/api/v1/baskets/{path}")
        assert (answer.status_code, answer.content) == (400, b""), "01 section 5.4"

    def test_jsonp_says_the_status_inside(self, server: Server, world: BasketWorld, ada: User, bob: User) -> None:
        basket = world.create(ada)
        answer = server.call("GET", f"/api/v1/baskets/{basket}/content/?callback=f", server.token(bob))
        assert answer.status_code == 200
        assert answer.text.startswith("/**/f(")
        assert '"http_code":403' in answer.text

    def test_a_path_without_its_last_slash(self, server: Server, ada: User) -> None:
        answer = server.call("GET", "/api/v1/baskets/list?x=1", server.token(ada))
        assert (answer.status_code, answer.headers["location"]) == (301, "/api/v1/baskets/list/?x=1")
        assert server.call("POST", "/api/v1/baskets/add", server.token(ada)).status_code == 404

    def test_suspended_and_closed_owners(self, server: Server, world: BasketWorld, ada: User, bob: User) -> None:
        basket, token = world.create(ada, world.records(1)), server.token(bob)
        world.share(ada, basket, bob)
        administration = server.services.accounts.administration
        with server.services.database.write() as work:
            administration.suspend(work, COMMAND, "ada")
        assert len(listed(server, token)) == 1, "a suspension says nothing about what was shared"
        with server.services.database.write() as work:
            administration.close(work, COMMAND, "ada")
        assert listed(server, token) == []
        assert server.call("GET", f"/api/v1/baskets/{basket}/content/", token).status_code == 404


class TestVotes:
    def test_a_vote_adds_its_keys(self, server: Server, world: BasketWorld, ada: User, bob: User) -> None:
        basket = world.create(ada, world.records(1))
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
        world.start_vote(ada, basket, bob, expires=end)
        own = server.get(f"/baskets/{basket}/content/", server.token(ada))
        assert list(own["basket"]) == BASKET_KEYS + VOTE_KEYS
        shown = own["basket"]
        assert shown["validation_basket"] is True
        assert datetime.fromisoformat(shown["expires_on"]) == end
        assert (shown["validation_initiator"], shown["validation_confirmed"]) == (True, False)
        assert shown["validation_initiator_user"]["id"] == ada.id
        assert shown["validation_infos"] == "You asked 1 people for their votes."
        (voter,) = shown["validation_users"]
        assert list(voter) == ["usr_id", "usr_name", "confirmed", "can_agree", "can_see_others", "readonly", "user"]
        assert (voter["usr_id"], voter["usr_name"], voter["readonly"]) == (bob.id, "bob", True)
        theirs = server.get(f"/baskets/{basket}/content/", server.token(bob))["basket"]
        assert theirs["validation_initiator"] is False
        assert theirs["validation_users"][0]["readonly"] is False
        assert theirs["validation_infos"] == "Ada Martin asks for your vote."

    def test_the_owner_who_is_no_participant_gets_an_answer(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        """D: the original answered 404, lists included."""
        basket, token = world.create(ada, world.records(1)), server.token(ada)
        world.start_vote(ada, basket, bob)
        assert [item["validation_confirmed"] for item in listed(server, token)] == [False]
        assert server.get(f"/baskets/{basket}/content/", token)["basket"]["validation_confirmed"] is False

    def test_the_sentence_is_in_the_language_of_the_request(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        """02 section 4.6 D."""
        world.start_vote(ada, world.create(ada, world.records(1)), bob)
        answer = server.get("/baskets/list/", server.token(bob), headers={"Accept-Language": "fr-CH"})
        assert answer["baskets"][0]["validation_infos"] == "Ada Martin demande votre avis."

    def test_choices_honour_can_see_others(self, server: Server, world: BasketWorld, ada: User, bob: User) -> None:
        """06 section 12: the original listed everybody's vote whatever `can_see_others` says."""
        eve, ann = server.user("eve", {}), server.user("ann", {})
        keys = world.records(2)
        basket = world.create(ada, keys)
        world.start_vote(ada, basket, bob, eve)
        world.act(ada, lambda work, actor: world.services.votes.ask(
            work, actor, basket, [Voter(ann.id, can_see_others=True)]
        ))  # fmt: skip
        first, _ = world.element_ids(ada, basket)
        for person, agreement, note in ((bob, True, "Good"), (eve, False, "Dark")):
            change = ChoiceChange(first, has_agreement=True, agreement=agreement, note=note)
            world.act(person, lambda work, actor, change=change: world.services.votes.cast(  # type: ignore[misc]  # bound
                work, actor, basket, [change]
            ))  # fmt: skip

        def shown(person: User) -> list[list[tuple[int, Any, str]]]:
            elements = server.get(f"/baskets/{basket}/content/", server.token(person))["basket_elements"]
            return [
                [
                    (choice["validation_user"]["usr_id"], choice["agreement"], choice["note"])
                    for choice in element["validation_choices"]
                ]
                for element in elements
            ]

        everybody = [
            [(bob.id, True, "Good"), (eve.id, False, "Dark"), (ann.id, None, "")],
            [(bob.id, None, ""), (eve.id, None, ""), (ann.id, None, "")],
        ]
        assert shown(ada) == shown(ann) == everybody
        assert shown(bob) == [[(bob.id, True, "Good")], [(bob.id, None, "")]]
        own = server.get(f"/baskets/{basket}/content/", server.token(eve))["basket_elements"]
        assert [(element["agreement"], element["note"]) for element in own] == [(False, "Dark"), (None, "")]
        assert {element["validation_item"] for element in own} == {True}

    def test_other_people_are_shown_by_id_and_name_alone(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        """02 section 5.13 D: every key stays, and what is nobody else's business is null."""
        basket = world.create(ada, world.records(1))
        world.start_vote(ada, basket, bob)
        text = server.call("GET", f"/api/v1/baskets/{basket}/content/", server.token(ada)).text
        assert "bob@x.example" not in text
        answer = server.get(f"/baskets/{basket}/content/", server.token(bob))
        owner = answer["basket"]["owner"]
        assert {name: value for name, value in owner.items() if value is not None} == {
            "@entity@": "http://api.phraseanet.com/api/objects/user", "id": ada.id, "display_name": "Ada Martin"
        }  # fmt: skip
        assert len(owner) == 22
        assert answer["basket"]["validation_users"][0]["user"]["email"] == "bob@x.example", "oneself"

    def test_who_administers_users_sees_profiles(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        rights = Right.actif | Right.canadmin
        carl = server.user("carl", rights)
        with server.services.database.write() as work:
            grant = CollectionGrant(server.photographs.id, server.databox.id, READER)
            server.services.accounts.users.grant(work, COMMAND, bob.id, grant)
        basket = world.create(ada, world.records(1))
        world.share(ada, basket, carl)
        world.start_vote(ada, basket, bob)
        shown = server.get("/baskets/list/", server.token(carl))["baskets"][0]
        assert shown["owner"]["email"] == "ada@x.example"
        assert shown["validation_users"][0]["user"]["email"] == "bob@x.example"

    def test_a_pushed_basket_names_its_pusher(self, server: Server, world: BasketWorld, ada: User, bob: User) -> None:
        keys = world.records(2)
        world.push(ada, keys, bob)
        (basket,) = listed(server, server.token(bob))
        assert (basket["pusher_usr_id"], basket["pusher"]["id"], basket["unread"]) == (ada.id, ada.id, True)
        assert basket["owner"]["id"] == bob.id
        elements = server.get(f"/baskets/{basket['basket_id']}/content/", server.token(bob))["basket_elements"]
        assert [element["record"]["record_id"] for element in elements] == [key.number for key in keys]
        assert listed(server, server.token(ada)) == []


class TestRelated:
    def test_own_and_shared_baskets_that_hold_the_record(
        self, server: Server, world: BasketWorld, ada: User, bob: User
    ) -> None:
        key, other = world.records(2)
        server.regrant(bob, server.photographs, READER)
        own, shared = world.create(bob, [key, other]), world.create(ada, [key])
        world.create(bob, [other])
        world.create(ada, [key], name="Not shared")
        world.share(ada, shared, bob)
        answer = server.get(f"/records/{key.databox}/{key.number}/related/", server.token(bob))
        assert [basket["basket_id"] for basket in answer["baskets"]] == [own, shared]
        assert answer["stories"] == []
        assert list(answer["baskets"][0]) == BASKET_KEYS

    def test_the_record_must_be_visible(self, server: Server, world: BasketWorld, ada: User, bob: User) -> None:
        key = world.record()
        world.create(ada, [key])
        answer = server.call("GET", f"/api/v1/records/{key.databox}/{key.number}/related/", server.token(bob))
        assert answer.status_code == 401

    def test_a_token_for_documents_alone_learns_of_no_basket(
        self, server: Server, world: BasketWorld, ada: User
    ) -> None:
        """`related/` needs `library:read`; baskets have a scope of their own."""
        key = world.record()
        world.create(ada, [key])
        app = server.register(ada, profile=Profile.STRICT)
        tokens = {}
        with server.services.database.write() as work:
            actor = server.services.accounts.users.actor_of(work, ada, COMMAND.via)
            for scope in (frozenset({"library:read"}), frozenset({"library:read", "baskets"})):
                tokens[len(scope)] = server.services.oauth.personal_tokens.add(
                    work, actor, app.application, f"t{len(scope)}", "90", scope
                )
        path = f"/records/{key.databox}/{key.number}/related/"
        assert [len(server.get(path, tokens[number])["baskets"]) for number in (1, 2)] == [0, 1]
        assert server.call("GET", "/api/v1/baskets/list/", tokens[1]).status_code == 403
        owner = server.get("/baskets/list/", tokens[2])["baskets"][0]["owner"]
        assert (owner["email"], owner["display_name"]) == (None, "Ada Martin"), "a profile needs account:read"
