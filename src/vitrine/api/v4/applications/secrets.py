"""The client secrets of an application."""

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.applications import present
from vitrine.api.v4.applications.content import application_id, require_tag
from vitrine.api.v4.content import answer, json_members, nothing, secret_answer
from vitrine.api.v4.idempotency import change
from vitrine.edge import bearer, listing, services_of, write
from vitrine.errors import Conflict, NotFound
from vitrine.platform.database import UnitOfWork


async def listed(request: Request) -> Response:
    """The live ones without their values, the newest first: two at most."""
    client_secrets = services_of(request).applications.secrets
    live = await listing(request, bearer, lambda work, actor: client_secrets.live(work, actor, application_id(request)))
    return answer({"secrets": [present.secret(secret) for secret in live]})


async def rotate(request: Request) -> Response:
    """A new secret, shown once; the one before works for `overlap_hours` more (0, 24 or 168)."""
    services, values = services_of(request), await json_members(request, overlap_hours=int)
    hours = 24 if values["overlap_hours"] is None else values["overlap_hours"]

    def call(work: UnitOfWork, actor: Actor) -> Response:
        client_secrets = services.applications.secrets
        require_tag(request, services.applications.registry.get(work, actor, application_id(request)))
        value = client_secrets.rotate(work, actor, application_id(request), str(hours))
        newest = client_secrets.live(work, actor, application_id(request))[0]
        return secret_answer({**present.secret(newest), "client_secret": value}, 201)

    return await change(request, call)


async def end_old(request: Request) -> Response:
    """End the old one of a rotation now. The newest can only be replaced."""
    client_secrets, secret_id = services_of(request).applications.secrets, request.path_params["secret"]

    def call(work: UnitOfWork, actor: Actor) -> None:
        live = client_secrets.live(work, actor, application_id(request))
        if secret_id not in {secret.id for secret in live}:
            raise NotFound("There is no such secret of this application.")
        if live[0].id == secret_id:
            raise Conflict("This is the newest secret. Make a new one first: POST to secrets/.", field="secret")
        client_secrets.end_old_secret(work, actor, application_id(request))

    await write(request, bearer, call)
    return nothing()
