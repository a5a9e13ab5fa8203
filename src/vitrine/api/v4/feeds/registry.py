"""Feeds, their publishers and their addresses for feed readers."""

from functools import partial
from io import BytesIO
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor, UserId
from vitrine.api.syndication.addresses import FeedAddress
from vitrine.api.v4.content import answer, chosen, json_members, json_patch, nothing, require_tag, secret_answer, sparse
from vitrine.api.v4.feeds import schemas
from vitrine.api.v4.feeds.schemas import FEED, tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.edge import bearer, listing, long_read, read, run_in_thread, services_of, write
from vitrine.edge.params import body, natural
from vitrine.errors import Invalid, NotFound
from vitrine.feeds import FeedId
from vitrine.feeds.service import LARGEST_ICON
from vitrine.library.model import CollectionId
from vitrine.platform.database import UnitOfWork


def feed_id(request: Request) -> FeedId:
    """Of the path. Raises NotFound for a number that no feed can have."""
    return FeedId(number_of(request, "feed_id"))


def number_of(request: Request, name: str) -> int:
    number = natural(str(request.path_params[name]))
    if number is None:
        raise NotFound("There is no such thing.", field=name)
    return number


def permit_adding(request: Request, _work: UnitOfWork, actor: Actor) -> None:
    services_of(request).feeds.registry.require_administrator(actor)


def permit_managing(request: Request, work: UnitOfWork, actor: Actor) -> None:
    services_of(request).feeds.registry.managed(work, actor, feed_id(request))


async def all_feeds(request: Request) -> Response:
    """Those that the caller may read, publishes in or administers, by id."""
    services, page, wanted = services_of(request), page_of(request, int), chosen(request, FEED)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = services.feeds.registry.page(work, actor, FeedId(after), page.limit + 1)
        return listed(
            request, rows, page, lambda row: (row.feed.id,), lambda row: sparse(schemas.feed(row), wanted, "feed_id")
        )

    return await listing(request, bearer, call)


async def show(request: Request) -> Response:
    services, wanted, number = services_of(request), chosen(request, FEED), feed_id(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        row = services.feeds.registry.get(work, actor, number)
        headers = {"ETag": tag(row.feed.id, row.feed.version)}
        return answer(sparse(schemas.feed(row), wanted, "feed_id"), headers=headers)

    return await read(request, bearer, call)


async def add(request: Request) -> Response:
    services = services_of(request)
    values = await json_members(request, title=str, subtitle=str, public=bool, base_id=int, owner_id=int)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        feed = services.feeds.registry.add(
            work,
            actor,
            title=values["title"] or "",
            subtitle=values["subtitle"],
            is_public=bool(values["public"]),
            collection_id=_small(values, "base_id", CollectionId),
            owner_id=_small(values, "owner_id", UserId),
        )
        row = services.feeds.registry.get(work, actor, feed.id)
        headers = {"Location": f"/api/v4/feeds/{feed.id}", "ETag": tag(feed.id, feed.version)}
        return answer(schemas.feed(row), 201, headers)

    return await change(request, call)


async def edit(request: Request) -> Response:
    """A merge patch; an owner is named last, since after that the caller may not be one."""
    services, number = services_of(request), feed_id(request)
    sent = await json_patch(request, title=str, subtitle=str, public=bool, base_id=int, owner_id=int)
    for name in ("title", "public", "owner_id"):
        if name in sent and sent[name] is None:
            raise Invalid(f"{name} cannot be null.", field=name)
    changes: dict[str, Any] = {name: sent[name] for name in ("title", "subtitle") if name in sent}
    if "public" in sent:
        changes["is_public"] = sent["public"]
    if "base_id" in sent:
        changes["collection_id"] = _small(sent, "base_id", CollectionId)
    owner = _small(sent, "owner_id", UserId)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        registry = services.feeds.registry
        feed = registry.managed(work, actor, number)
        require_tag(request, tag(feed.id, feed.version), required=True)
        if changes:
            registry.change(work, actor, number, changes)
        if owner is not None:
            registry.set_owner(work, actor, number, owner)
        row = registry.get(work, actor, number)
        return answer(schemas.feed(row), headers={"ETag": tag(number, row.feed.version)})

    return await write(request, bearer, call)


async def remove(request: Request) -> Response:
    services, number = services_of(request), feed_id(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        feed = services.feeds.registry.managed(work, actor, number)
        require_tag(request, tag(feed.id, feed.version))
        services.feeds.registry.remove(work, actor, number)
        return nothing()

    return await write(request, bearer, call)


async def set_icon(request: Request) -> Response:
    """The picture is the body itself."""
    services = services_of(request)
    picture = BytesIO(await body(request, max_bytes=LARGEST_ICON))
    sha256 = await run_in_thread(partial(services.feeds.registry.keep_icon, picture, "icon"))
    return await _icon(request, sha256)


async def remove_icon(request: Request) -> Response:
    return await _icon(request, None)


async def _icon(request: Request, sha256: str | None) -> Response:
    services, number = services_of(request), feed_id(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.feeds.registry.change(work, actor, number, {"icon_sha256": sha256})
        return nothing()

    return await write(request, bearer, call)


# -- publishers --------------------------------------------------------------------------------------------------------


async def publishers(request: Request) -> Response:
    services, page, number = services_of(request), page_of(request, int), feed_id(request)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        owner = services.feeds.registry.get(work, actor, number).feed.owner_id
        ids = services.feeds.registry.publishers(work, actor, number)
        rest = [user_id for user_id in ids if user_id > after][: page.limit + 1]
        people = services.accounts.users.known_by_id(work, rest)

        def present(user_id: UserId) -> dict[str, Any]:
            user = people.get(user_id)
            login, name = (user.login, user.display_name) if user is not None else ("", "")
            return {"user_id": user_id, "login": login, "name": name, "owns": user_id == owner}

        return listed(request, rest, page, lambda user_id: (user_id,), present)

    return await long_read(request, bearer, call)


async def add_publisher(request: Request) -> Response:
    services, number = services_of(request), feed_id(request)
    values = await json_members(request, login=str)
    if not (values["login"] or "").strip():
        raise Invalid("login must be the login or the e-mail address of somebody here.", field="login")

    def call(work: UnitOfWork, actor: Actor) -> Response:
        owner = services.feeds.registry.managed(work, actor, number).owner_id
        user = services.accounts.users.find_confirmed(work, values["login"])
        services.feeds.registry.add_publisher(work, actor, number, user.id)
        value = {"user_id": user.id, "login": user.login, "name": user.display_name, "owns": user.id == owner}
        return answer(value, 201)

    return await change(request, call)


async def remove_publisher(request: Request) -> Response:
    services, number = services_of(request), feed_id(request)
    user_id = UserId(number_of(request, "user_id"))

    def call(work: UnitOfWork, actor: Actor) -> Response:
        services.feeds.registry.remove_publisher(work, actor, number, user_id)
        return nothing()

    return await write(request, bearer, call)


# -- addresses for feed readers ----------------------------------------------------------------------------------------


async def renew_address(request: Request) -> Response:
    return await _renew(request, feed_id(request))


async def renew_address_of_all(request: Request) -> Response:
    return await _renew(request, None)


async def _renew(request: Request, number: FeedId | None) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        token = services.feeds.addresses.renew(work, actor, number)
        addresses = {
            form: services.settings.absolute(FeedAddress(form, number, token).path) for form in ("rss", "atom")
        }
        return secret_answer(addresses, 201)

    return await change(request, call)


async def end_address(request: Request) -> Response:
    return await _end(request, feed_id(request))


async def end_address_of_all(request: Request) -> Response:
    return await _end(request, None)


async def _end(request: Request, number: FeedId | None) -> Response:
    services = services_of(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        if not services.feeds.addresses.end(work, actor, number):
            raise NotFound("You have no such address.")
        return nothing()

    return await write(request, bearer, call)


def _small(values: dict[str, Any], name: str, kind: Any) -> Any:
    """An id of the body, None where it is null. Raises Invalid for one that no column takes."""
    value = values.get(name)
    if value is None:
        return None
    if not 0 < value < 2**63:
        raise Invalid(f"{name} is not an id.", field=name)
    return kind(value)
