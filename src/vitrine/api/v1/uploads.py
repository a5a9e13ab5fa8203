"""The upload queue: contract 02 section 6.12. Off unless hosts are configured; the right is asked before the body."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.api.v1.json_body import WrongShape, json_body
from vitrine.api.v1.route import V1Route
from vitrine.api.wire.envelope import answer
from vitrine.edge import bearer, read, services_of, write
from vitrine.library.upload_queue import Announcement

_TEXTS = ("publisher", "token", "base_url", "commit_id")


async def enqueue(request: Request) -> Response:
    """POST /upload/enqueue/"""
    queue = services_of(request).library.upload_queue
    await read(request, bearer, queue.permit)
    body = await json_body(request, any_type=True)
    announcement = announcement_of(body)
    await write(request, bearer, lambda work, actor: queue.enqueue(work, actor, announcement))
    return answer(request, {"data": body})


def announcement_of(body: Any) -> Announcement:
    """Raises WrongShape with the first problem."""
    if not isinstance(body, dict):
        raise WrongShape("The body must be a JSON object.", field="body")
    for name in ("assets", *_TEXTS):
        if name not in body:
            raise WrongShape(f"The property {name} is required.", field=name)
    assets = body["assets"]
    if not isinstance(assets, list):
        raise WrongShape("assets must be an array.", field="assets")
    wrong = next((place for place, asset in enumerate(assets) if not isinstance(asset, str)), None)
    if wrong is not None:
        raise WrongShape(f"assets[{wrong}] must be a string.", field="assets")
    texts = {name: body[name] for name in _TEXTS}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise WrongShape(f"{name} must be a string.", field=name)
    return Announcement(assets=assets, **texts)


ROUTES: tuple[V1Route, ...] = (
    V1Route("/upload/enqueue/", ("POST",), enqueue, "02 §6.12", "Fetch documents that an uploader announced", "upload"),
)
