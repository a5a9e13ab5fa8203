"""Scripts, styles and pictures of the pages."""

import os

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from vitrine.web.shared.render import WEB, static_url

_FOR_EVER = "public, max-age=31536000, immutable"


class Static(StaticFiles):
    """Files that every origin may read. An embed page in a frame with `sandbox="allow-scripts"` has an opaque origin
    (HTML, section 7.1.1), for which our own modules are cross-origin.

    An address with the mark of the file's content is kept for ever; all others are asked for again."""

    def __init__(self) -> None:
        super().__init__(directory=WEB / "static")

    def file_response(
        self, full_path: "str | os.PathLike[str]", stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        name = os.path.relpath(full_path, WEB / "static")
        is_marked = bool(scope["query_string"]) and static_url(name).endswith(
            f"?{scope['query_string'].decode('latin-1')}"
        )
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cache-Control"] = _FOR_EVER if is_marked else "no-cache"
        return response
