"""The portal's first page: one's applications, and creating one (contract 07 P3, P4)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.applications import (
    KINDS,
    ApplicationKind,
    BadApplication,
    Draft,
    Profile,
    kind_of,
    usage,
)
from vitrine.applications.kinds import KIND_NAMES
from vitrine.applications.portal_store import KEPT
from vitrine.applications.store import MOST_COUNTED
from vitrine.edge import long_read, read, services_of, write
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.forms import known
from vitrine.web.shared.reauthentication import requires_recent_auth
from vitrine.web.shared.render import page, page_number, redirect, translate

EMPTY = Draft("", "", "", "web", "")
PER_PAGE = 50


async def dashboard(request: Request) -> Response:
    services = services_of(request)
    at = page_number(request)

    def call(work: UnitOfWork, actor: Actor) -> dict[str, Any]:
        registry, lifecycle = services.applications.registry, services.applications.lifecycle
        listed = registry.own(work, actor, limit=PER_PAGE + 1, offset=(at - 1) * PER_PAGE)
        deleted = lifecycle.deleted(work, actor, limit=PER_PAGE + 1, offset=(at - 1) * PER_PAGE)
        applications = listed[:PER_PAGE]
        return {
            "at": at,
            "more": max(len(listed), len(deleted)) > PER_PAGE,
            "applications": applications,
            "people": registry.people(work, applications),
            "most_counted": MOST_COUNTED,
            "day": usage.summaries(work, [application.id for application in applications], usage.day_ago(work)),
            "deleted": [
                (application, application.deleted_at + KEPT)
                for application in deleted[:PER_PAGE]
                if application.deleted_at
            ],
        }

    return page(request, "developers/dashboard.html", tab="developer", **await long_read(request, known, call))


async def new(request: Request) -> Response:
    await read(request, known, lambda _work, _actor: None)
    return page(request, "developers/new.html", draft=EMPTY, faults={}, kind="server")


async def create(request: Request, given: dict[str, str]) -> Response:
    """A machine needs a recent sign-in, since it acts for the person who registers it."""
    services = services_of(request)
    chosen = given.get("kind", "")
    kind = ApplicationKind(chosen) if chosen in KIND_NAMES else None
    facts_of = KINDS[kind] if kind else None
    draft = Draft(
        name=given.get("name", ""),
        description=given.get("description", ""),
        website=_address(given, "website"),
        type=facts_of.type if facts_of else "desktop" if given.get("type") == "desktop" else "web",
        callback=_address(given, "callback"),
    )
    try:
        application = await write(
            request, known, lambda work, actor: services.applications.portal.create(work, actor, draft, kind)
        )
    except BadApplication as refusal:
        faults = {name: translate(request, text) for name, text in refusal.faults.items()}
        return page(request, "developers/new.html", draft=draft, faults=faults, kind=_shown_kind(kind, draft.type))
    return redirect(f"/developers/application/{application.id}/", 302)


def _shown_kind(kind: ApplicationKind | None, type_: str) -> str:
    return kind.value if kind else kind_of("", type_, Profile.STRICT).value


def _address(given: dict[str, str], name: str) -> str:
    """One field, or the two of the old form: a scheme and the rest."""
    text = given.get(name, "").strip()
    scheme = given.get(f"scheme-{name}", "")
    return scheme + text if scheme and text and "://" not in text else text


ROUTES = [
    Route("/developers/applications/", dashboard, methods=["GET"]),
    Route("/developers/application/new/", new, methods=["GET"]),
    Route("/developers/application/", requires_recent_auth(create), methods=["POST"]),
]
