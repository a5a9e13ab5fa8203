"""What two people do. Each operation looks at the world first (tags, ids) and gives the request to send at once with
another's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.concurrency.world import V4, World


@dataclass(frozen=True, slots=True)
class Step:
    """*replaces*: what the request gives a new value, guarded by *tag*: of two with the same tag one must be refused.
    *reads* is where that value stands afterwards, with the value."""

    method: str
    path: str
    body: Any = None
    form: str | None = None
    tag: str | None = None
    replaces: str = ""
    reads: tuple[str, str, Any] | None = None


Operation = Callable[[World, int], Step]


def _record(world: World) -> int:
    """Often the same one."""
    if world.is_aimed:
        return world.records[0]
    return world.random.choice(world.records[:2] + world.records)


def _word(world: World) -> str:
    return f"word {world.random.randrange(10**9)}"


def _turned(items: list[int]) -> list[int]:
    """Another order, if there is one."""
    return items[1:] + items[:1]


def _if_several(items: list[int], what: str) -> str:
    return what if len(items) > 1 else ""


def edit_record(world: World, person: int) -> Step:
    path, title = world.record_path(_record(world)), _word(world)
    body = {"metadata": {"Title": title}}
    return Step("PATCH", path, body, tag=world.tag(path, person), replaces=path, reads=(path, "title", title))


def move_record(world: World, person: int) -> Step:
    path = world.record_path(_record(world))
    bases = [int(world.server.photographs.id), int(world.server.archive.id)]
    current = world.call(person, "GET", path)
    base = next(base for base in bases if base != current.value["base_id"])
    return Step("PATCH", path, {"base_id": base}, tag=current.headers["etag"], replaces=path,
                reads=(path, "base_id", base))  # fmt: skip


def delete_record(world: World, _person: int) -> Step:
    return Step("DELETE", world.record_path(_record(world)))


def move_record_v1(world: World, _person: int) -> Step:
    base = world.random.choice([world.server.photographs.id, world.server.archive.id])
    return Step("POST", f"/api/v1/records/{world.box}/{_record(world)}/setcollection/", form=f"base_id={base}")


def set_fields_v1(world: World, _person: int) -> Step:
    fields = "metadatas[0][meta_struct_id]=1&metadatas[0][meta_id]=&metadatas[0][value]=" + _word(world).replace(
        " ", "+"
    )
    return Step("POST", f"/api/v1/records/{world.box}/{_record(world)}/setmetadatas/", form=fields)


def delete_record_v1(world: World, _person: int) -> Step:
    return Step("DELETE", f"/api/v1/records/{world.box}/{_record(world)}/")


def _element(world: World) -> int:
    elements = world.everything(f"{world.basket_path}/elements")
    return int(world.random.choice(elements[:2] + elements)["element_id"])


def rename_basket(world: World, _person: int) -> Step:
    path, name = world.basket_path, _word(world)
    return Step("PATCH", path, {"name": name}, tag=world.tag(path), replaces=path, reads=(path, "name", name))


def rename_basket_v1(world: World, _person: int) -> Step:
    return Step("POST", f"/api/v1/baskets/{world.basket}/setname/", form=f"name={_word(world).replace(' ', '+')}")


def order_basket(world: World, _person: int) -> Step:
    elements = [item["element_id"] for item in world.everything(f"{world.basket_path}/elements")]
    tag, replaces = world.tag(world.basket_path), _if_several(elements, "order of the basket")
    return Step("PUT", f"{world.basket_path}/order", {"elements": _turned(elements)}, tag=tag, replaces=replaces)


def add_to_basket(world: World, _person: int) -> Step:
    return Step("POST", f"{world.basket_path}/elements", {"records": world.named(_record(world), _record(world))})


def take_out_of_basket(world: World, _person: int) -> Step:
    return Step("DELETE", f"{world.basket_path}/elements/{_element(world)}")


def delete_basket(world: World, _person: int) -> Step:
    return Step("DELETE", world.basket_path)


def leave_basket(world: World, _person: int) -> Step:
    return Step("POST", f"{world.basket_path}/leave")


def share_basket(world: World, _person: int) -> Step:
    return Step("POST", f"{world.basket_path}/participants", {"login": "bob", "can_modify": True})


def vote(world: World, _person: int) -> Step:
    choice = {"element_id": _element(world), "agreement": world.random.random() < 0.5, "note": _word(world)}
    return Step("POST", f"{world.basket_path}/vote/choices", {"choices": [choice]})


def confirm_vote(world: World, _person: int) -> Step:
    return Step("POST", f"{world.basket_path}/vote/confirm")


def forget_vote(world: World, _person: int) -> Step:
    return Step("DELETE", f"{world.basket_path}/vote")


def add_to_story(world: World, _person: int) -> Step:
    return Step("POST", f"{world.story_path}/children", {"records": [_record(world)]})


def take_out_of_story(world: World, _person: int) -> Step:
    return Step("DELETE", f"{world.story_path}/children/{_record(world)}")


def order_story(world: World, person: int) -> Step:
    tag = world.tag(world.story_path, person)
    children = [child["record_id"] for child in world.everything(f"{world.story_path}/children")]
    replaces = _if_several(children, "order of the story")
    return Step("PUT", f"{world.story_path}/children", {"records": _turned(children)}, tag=tag, replaces=replaces)


def delete_story(world: World, _person: int) -> Step:
    return Step("DELETE", world.story_path)


def change_story_v1(world: World, _person: int) -> Step:
    tail = world.random.choice(["addrecords", "delrecords"])
    method = "POST" if tail == "addrecords" else "DELETE"
    body = {"story_records": world.named(_record(world))}
    return Step(method, f"/api/v1/stories/{world.box}/{world.story}/{tail}", body)


def _entry(world: World) -> str:
    entries = world.everything(f"{world.feed_path}/entries")
    entry = entries[-1] if world.is_aimed else world.random.choice(entries[:2] + entries)
    return f"{world.feed_path}/entries/{entry['entry_id']}"


def publish(world: World, _person: int) -> Step:
    body = {"title": _word(world), "records": world.named(*set(world.records[:2])), "notify": True}
    return Step("POST", f"{world.feed_path}/entries", body)


def edit_entry(world: World, person: int) -> Step:
    path, title = _entry(world), _word(world)
    return Step(
        "PATCH", path, {"title": title}, tag=world.tag(path, person), replaces=path, reads=(path, "title", title)
    )


def delete_entry(world: World, _person: int) -> Step:
    return Step("DELETE", _entry(world))


def delete_feed(world: World, _person: int) -> Step:
    return Step("DELETE", world.feed_path)


def read_notifications(_world: World, _person: int) -> Step:
    return Step("POST", f"{V4}/notifications/read", {"up_to": 2**40})


# By what they are about: both operations of a pair are of one line. What only the owner of a basket does is done twice
# by the owner: in two windows.
SUBJECTS: dict[str, tuple[Operation, ...]] = {
    "record": (edit_record, edit_record, move_record, move_record, delete_record, move_record_v1, set_fields_v1,
               delete_record_v1, add_to_basket, add_to_story, publish),
    "basket": (rename_basket, rename_basket, rename_basket_v1, order_basket, order_basket, add_to_basket, add_to_basket,
               take_out_of_basket, delete_basket, leave_basket, share_basket, delete_record),
    "vote": (vote, vote, vote, confirm_vote, forget_vote, take_out_of_basket, delete_basket, leave_basket,
             delete_record),
    "story": (add_to_story, add_to_story, take_out_of_story, order_story, order_story, change_story_v1, change_story_v1,
              delete_story, delete_record, edit_record),
    "feed": (publish, publish, edit_entry, edit_entry, delete_entry, delete_feed, delete_record, read_notifications),
}  # fmt: skip
# Each gives something a new value under its tag: sent twice for the same thing, one must be refused.
REPLACING = (edit_record, move_record, rename_basket, order_basket, order_story, edit_entry)
OF_THE_OWNER = frozenset({rename_basket, rename_basket_v1, order_basket, delete_basket, share_basket, forget_vote,
                          edit_entry, delete_feed})  # fmt: skip
OF_THE_OTHER = frozenset({leave_basket})
EVERY = frozenset(operation for operations in SUBJECTS.values() for operation in operations)
