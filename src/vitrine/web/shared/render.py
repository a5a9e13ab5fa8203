"""Pages: templates, language, form tokens, and the headers that every page has."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any
from urllib.parse import quote

from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from vitrine.accounts import NOBODY, Actor, DataboxRight, Right
from vitrine.accounts.identity_providers.service import REASONS
from vitrine.edge import csrf, services_of
from vitrine.edge.cookies import keep_session, keep_visitor
from vitrine.errors import DomainError

WEB = Path(__file__).parent.parent
LANGUAGES = ("en", "fr")
STRUCTURING = DataboxRight.bas_modify_struct | DataboxRight.bas_manage  # what the pages of databoxes are for
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


class _Catalogue(NullTranslations):
    """Messages of one language, read from its .po file at start: nothing compiled is kept in the project."""

    def __init__(self, messages: dict[str, str]) -> None:
        super().__init__()
        self._messages = messages

    def gettext(self, message: str) -> str:
        return self._messages.get(message, message)


@lru_cache
def catalogue(language: str) -> NullTranslations:
    path = WEB / "locale" / f"{language}.po"
    if not path.exists():
        return Translations()
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    return _Catalogue({str(message.id): str(message.string) for message in messages if message.id and message.string})


@lru_cache
def static_url(name: str) -> str:
    """The address of a static file with a mark of its content, so that it may be kept for ever."""
    return f"/static/{name}?v={hashlib.sha256((WEB / 'static' / name).read_bytes()).hexdigest()[:10]}"


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in _UNITS:
        if amount < 1000 or unit == _UNITS[-1]:
            figure = f"{amount:.0f}" if unit == "bytes" or amount >= 100 else f"{amount:.1f}"
            return f"{figure}\N{NO-BREAK SPACE}{unit}"
        amount /= 1000
    raise AssertionError


def _duration(milliseconds: int | None) -> str:
    seconds = round((milliseconds or 0) / 1000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _plain(value: Any) -> str:
    """A value of JSON for people to read: no quotes and no brackets, an empty one as a dash."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(part)}" for name, part in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(part) for part in value) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None or value == "" else str(value)


_environment = Environment(
    # A template is named after its area: `developers/settings.html` is web/developers/templates/settings.html.
    loader=PrefixLoader({folder.parent.name: FileSystemLoader(folder) for folder in sorted(WEB.glob("*/templates"))}),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["static"] = static_url
_environment.filters["bytes"] = _bytes
_environment.filters["plain"] = _plain
_environment.filters["duration"] = _duration
_environment.filters["urlquote"] = lambda text: quote(str(text), safe="")


def language_of(request: Request, actor: Actor) -> str:
    """The person's own language, else the browser's first one that we have, else the instance's."""
    if actor.locale and actor.locale[:2] in LANGUAGES:
        return actor.locale[:2]
    for part in request.headers.get("accept-language", "").split(","):
        code = part.partition(";")[0].strip()[:2].lower()
        if code in LANGUAGES:
            return code
    return services_of(request).settings.default_language


def translate(request: Request, message: str) -> str:
    """For sentences that handlers choose."""
    return catalogue(language_of(request, getattr(request.state, "actor", NOBODY))).gettext(message)


def said(request: Request, refusal: DomainError) -> str:
    """A refusal in the language of the page, with its values filled in."""
    template = translate(request, refusal.template)
    return template.format_map(refusal.values) if refusal.values else template


def provider_failure(request: Request) -> str:
    """Why a sign-in at an identity provider led back to this page, in words; "" if it did not."""
    sentence = REASONS.get(request.query_params.get("reason", ""))
    if sentence is None:
        return ""
    provider = services_of(request).settings.provider(request.query_params.get("provider", ""))
    label = provider.label if provider else translate(request, "the provider")
    return translate(request, sentence).format(provider=label)


def policy(*, forms: Iterable[str] = (), ancestors: str = "'none'", frames: str = "'none'") -> str:
    """The content security policy of a page; *forms* are further targets a form's answer may redirect to, *ancestors*
    who may frame the page, *frames* whom it may frame."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; "
        f"frame-src {frames}; base-uri 'none'; "
        f"form-action {' '.join(['' + chr(39) + 'self' + chr(39), *forms])}; frame-ancestors {ancestors}"
    )


def page_number(request: Request) -> int:
    """The page of a list that the query names, from 1; 1 for anything that is not a number."""
    number = request.query_params.get("page", "1")
    return max(int(number[:6]) if number.isdecimal() else 1, 1)


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    forms: Iterable[str] = (),
    ancestors: str | None = None,
    frames: str = "'none'",
    **context: Any,
) -> Response:
    """Render *template*. The actor is the one that `edge.cookie` found for this request."""
    actor: Actor = getattr(request.state, "actor", NOBODY)
    language = language_of(request, actor)
    settings = services_of(request).settings
    words = catalogue(language)

    def date(instant: datetime, *, time: bool = False) -> str:
        local = instant.astimezone(settings.zone)
        return (
            format_datetime(local, "medium", locale=language) if time else format_date(local, "long", locale=language)
        )

    html = _environment.get_template(template).render(
        _=words.gettext,
        actor=actor,
        lang=language,
        site=settings,
        path=request.url.path,
        csrf=lambda: csrf.token(request),
        date=date,
        request_id=getattr(request.state, "request_id", ""),
        structures=actor.is_admin or any(rights & STRUCTURING for rights in actor.rights.databoxes.values()),
        manages=actor.is_admin or actor.rights.anywhere(Right.manage, datetime.now(UTC)),
        **context,
    )
    response = HTMLResponse(html, status)
    response.headers["Content-Security-Policy"] = policy(forms=forms, ancestors=ancestors or "'none'", frames=frames)
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Vary"] = "Cookie, Accept-Language"
    if ancestors is None:
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = "no-store"
        keep_visitor(request, response)
        keep_session(request, response)
    response.headers.update(headers or {})
    return response


def redirect(address: str, status: int = 303) -> Response:
    """A redirect after a form, or to an address that was checked."""
    return RedirectResponse(address, status, {"Cache-Control": "no-store"})


def local_path(text: str | None, default: str = "/") -> str:
    """*text* when it is a path of this site, else *default*: a sign-in page must not send people elsewhere."""
    if text and text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable():
        return text
    return default
