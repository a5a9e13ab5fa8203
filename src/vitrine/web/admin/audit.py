"""The audit log for administrators: what happened, by whom and from where, and the same as a file (07 P11)."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, UserId
from vitrine.edge import long_read, services_of, write
from vitrine.errors import Invalid
from vitrine.platform import audit
from vitrine.platform.audit import AuditFilter, Line
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known
from vitrine.web.shared.render import page

PAGE = "/admin/audit/"
SHOWN, IN_A_FILE = 100, 10_000


async def show(request: Request) -> Response:
    """The newest lines of what is asked, a hundred at once."""
    services, criteria = services_of(request), _criteria(request)

    def call(work: UnitOfWork, actor: Actor) -> tuple[list[Line], dict[int, str], dict[int, str]]:
        lines = services.accounts.users.audit_lines(work, actor, criteria, SHOWN + 1)
        users = {line.user_id for line in lines if line.user_id} | _numbers_of(lines, "user")
        people = services.accounts.users.known_by_id(work, {UserId(number) for number in users})
        logins = {int(user.id): user.login for user in people.values()}
        programs = {line.application_id for line in lines if line.application_id} | _numbers_of(lines, "application")
        return lines, logins, services.applications.registry.names(work, programs)

    lines, logins, applications = await long_read(request, known, call)
    given = {name: request.query_params.get(name, "") for name in ("since", "until", "action")}
    more = lines[SHOWN - 1].id if len(lines) > SHOWN else None
    return page(
        request,
        "admin/audit.html",
        lines=lines[:SHOWN],
        given=given,
        more=more,
        logins=logins,
        applications=applications,
        names={"user": logins, "application": applications},
    )


def _numbers_of(lines: Iterable[Line], kind: str) -> set[int]:
    """The ids of the objects of one kind: an object is written as `user 7`."""
    objects = [line.object.partition(" ") for line in lines]
    return {int(number) for word, _, number in objects if word == kind and number.isdecimal() and len(number) <= 18}


async def export(request: Request) -> Response:
    """The same as JSON Lines, at most ten thousand (`vitrine audit` has no such bound). That it was taken is a line."""
    services, criteria = services_of(request), _criteria(request)

    def call(work: UnitOfWork, actor: Actor) -> list[Line]:
        return services.accounts.users.audit_lines(work, actor, criteria, IN_A_FILE)

    lines = await long_read(
        request, known, call
    )  # outside the transaction that writes: ten thousand lines take a while
    details = {"lines": len(lines)}
    await write(request, known, lambda work, actor: audit.write(work, actor, "audit.exported", "audit log", details))
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"', "Cache-Control": "no-store"}
    body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    return Response(body, media_type="application/jsonl", headers=headers)


def _criteria(request: Request) -> AuditFilter:
    """What the address asks for. Raises Invalid naming the field."""
    given = request.query_params
    before = given.get("before", "")
    until = _day(given.get("until", ""), "until")
    return AuditFilter(
        _day(given.get("since", ""), "since"),
        None if until is None else until + timedelta(days=1),  # a day that is named is meant with its evening
        given.get("action", "").strip()[:80],
        int(before) if before.isdecimal() and len(before) < 18 else None,
    )


def _day(text: str, field: str) -> datetime | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) if day.year < 9999 else None
    except ValueError:
        raise Invalid("Write the day as 2026-01-31.", field=field) from None


ROUTES = [Route(PAGE, show, methods=["GET"]), Route(PAGE + "export/", export, methods=["GET"])]
