"""My account: name, address and language (contract 07 P2)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.edge import read, services_of, write
from vitrine.web.shared.forms import known, posted
from vitrine.web.shared.render import LANGUAGES, page, redirect

TEXTS = (
    "first_name",
    "last_name",
    "job",
    "company",
    "activity",
    "address",
    "zip_code",
    "city",
    "country",
    "phone",
    "fax",
)


async def info(request: Request) -> Response:
    services = services_of(request)
    user = await read(request, known, lambda work, actor: services.accounts.users.get(work, actor.must_user_id))
    return page(
        request, "account/info.html", tab="info", user=user, saved="saved" in request.query_params, languages=LANGUAGES
    )


async def save(request: Request) -> Response:
    given = await posted(request)
    services = services_of(request)
    changes: dict[str, object] = {name: given[name].strip() for name in TEXTS if name in given}
    if given.get("gender") in ("0", "1", "2"):
        changes["gender"] = int(given["gender"])
    if "locale" in given:
        changes["locale"] = given["locale"] if given["locale"] in LANGUAGES else None
    await write(request, known, lambda work, actor: services.accounts.users.update_profile(work, actor, changes))
    return redirect("/account/?saved")


ROUTES = [
    Route("/account/", info, methods=["GET"]),
    Route("/account/", save, methods=["POST"]),
]
