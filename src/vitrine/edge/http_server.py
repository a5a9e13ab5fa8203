"""How uvicorn is set up to serve the application: one place for `vitrine serve` and the tests."""

from typing import Any

import uvicorn
from starlette.types import ASGIApp

from vitrine.edge.fast.protocol import Protocol


def configuration(application: ASGIApp, *, fast_paths: bool, **options: Any) -> uvicorn.Config:
    """*options* are uvicorn's. `proxy_headers` stays off: uvicorn's own reader believes the first line alone, so
    `edge.proxies` reads them."""
    return uvicorn.Config(
        application,
        http=Protocol if fast_paths else "httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        **options,
    )
