"""The common case of a permalink, without a request object: an unconditional GET of a small file by its token.

A page of an application shows dozens of thumbnails, so parsing the request should not cost more than sending twenty
kilobytes. Everything else, refusals included, takes the route in `routes.py`. Both call
`library.sharing.permalinks.shared` and build their headers with the same functions.
"""

import re

from starlette.routing import Route
from starlette.types import Scope

from vitrine.edge.fast.encoded_headers import EncodedHeaders
from vitrine.edge.services import Services
from vitrine.errors import DomainError
from vitrine.files.routes import PERMALINK, TOKEN_ALONE, answering
from vitrine.files.send import headers_of
from vitrine.library.model import DataboxId, RecordKey
from vitrine.library.sharing import permalinks

_PLAIN = re.compile(r"/permalink/v1/(\d{1,18})/(\d{1,18})/([0-9A-Za-z_]+)/[^/]+")
_LONG_WAY = frozenset({b"authorization", b"if-none-match", b"if-modified-since", b"if-range", b"range"})


def small_permalink(services: Services, scope: Scope) -> tuple[Route, EncodedHeaders, bytes] | None:
    """The answer, or None when the route must see the request."""
    plain = _PLAIN.fullmatch(scope["path"])
    token = TOKEN_ALONE.fullmatch(scope["query_string"])
    if plain is None or token is None or scope["method"] != "GET":
        return None
    referrer = None
    for name, value in scope["headers"]:
        if name in _LONG_WAY:
            return None
        if name == b"referer":
            referrer = value
    key = RecordKey(DataboxId(int(plain[1])), int(plain[2]))
    name, secret = plain[3].lower(), token[1].decode()
    try:
        file = services.database.single_statement(lambda work: permalinks.shared(work, key, name, secret))
        hot = services.media.hot
        if not file.has_no_overlay or file.size > hot.largest:
            return None
        body = hot.cached_or_local(file.sha256)
    except DomainError:
        return None
    if body is None:
        return None
    services.library.reports.view_counts.count(key, file.name, file.klass, referrer)
    document, link = answering(services.settings.base_url, key, file)
    return PERMALINK, headers_of(document, public=file.is_public, link=link, length=len(body)), body
