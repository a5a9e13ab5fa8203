"""The link in mails about notifications that stops those of a kind (RFC 8058).

A program for mail sends the POST by itself and without our cookies, so the token in the address is the only proof: it
can do nothing but stop these mails. A GET changes nothing, since programs also look at what a link leads to.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor, User, UserId
from vitrine.accounts.notices import NOTICES, STOP_PATH, stopped_by
from vitrine.edge import nobody, read, services_of, write
from vitrine.errors import NotFound
from vitrine.platform.database import UnitOfWork
from vitrine.web.shared.render import page, translate
from vitrine.web.sign_in.recovery import QUIET

_PUBLISHED = "Something was published in a feed of yours."


class NoSuchMails(NotFound):
    """The link is none of ours, or its account is closed."""

    code = "no_such_mails"


def _named(request: Request) -> tuple[UserId, str]:
    named = stopped_by(services_of(request).vault, request.query_params.get("token", ""))
    if named is None:
        raise NoSuchMails(
            "This link is not valid. The link in a newer e-mail works, or ask the people who run the library."
        )
    return named


async def stop(request: Request) -> Response:
    accounts, (user_id, kind) = services_of(request).accounts.users, _named(request)

    def call(work: UnitOfWork, _actor: Actor) -> User:
        user = accounts.get(work, user_id)
        if request.method == "POST":
            accounts.stop_mails(work, user.id, kind)
        return user

    is_stopped = request.method == "POST"
    user = await (write if is_stopped else read)(request, nobody, call)
    sentence = NOTICES[kind].sentence if kind in NOTICES else _PUBLISHED
    return page(
        request,
        "sign_in/mail_stop.html",
        headers=QUIET,
        token=request.query_params["token"],
        login=user.login,
        about=translate(request, sentence),
        is_stopped=is_stopped,
    )


ROUTES = [Route(STOP_PATH.partition("?")[0], stop, methods=["GET", "POST"])]
