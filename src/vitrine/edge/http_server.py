"""How uvicorn is set up to serve the application: one place for `vitrine serve` and the tests."""

from typing import Any

import uvicorn
from starlette.types import ASGIApp

from vitrine.edge.connections.protocol import BoundedProtocol
from vitrine.edge.fast.protocol import Protocol
from vitrine.edge.raw_targets import RawTargets


class OrdinaryProtocol(RawTargets, BoundedProtocol):
    """What serves with the fast paths switched off: the same bounds, and answers in uvicorn's own way."""


def configuration(application: ASGIApp, *, fast_paths: bool, http: Any = None, **options: Any) -> uvicorn.Config:
    """*http* is another protocol, for tests; *options* are uvicorn's.

    `proxy_headers` stays off: uvicorn's own reader believes the first line alone, so `edge.proxies` reads them."""
    return uvicorn.Config(
        application,
        http=http or (Protocol if fast_paths else OrdinaryProtocol),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        **options,
    )
