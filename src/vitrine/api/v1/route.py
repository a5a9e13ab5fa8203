"""One row of the route table of API v1. The modules of the handlers have their rows; the package puts them together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request

from vitrine.accounts import Actor
from vitrine.api.wire.endpoint import Handler
from vitrine.edge.params import Params
from vitrine.platform.database import UnitOfWork

Permit = Callable[[Request, UnitOfWork, Actor, Params], None]


@dataclass(frozen=True, slots=True)
class V1Route:
    """One row of the route table, from which the router and the OpenAPI document are generated.

    *needs* is a scope, or one by method; so is *handler*."""

    path: str
    methods: tuple[str, ...]
    handler: Handler | Mapping[str, Handler]
    clause: str
    summary: str
    needs: str | Mapping[str, str]
    has_lenient_path: bool = False
    may_send_file: Permit | None = None

    def handlers(self) -> list[tuple[list[str], Handler]]:
        """Each handler with its methods."""
        if callable(self.handler):
            return [(list(self.methods), self.handler)]
        return [([method], handler) for method, handler in self.handler.items()]

    def scope(self, method: str) -> str:
        """The scope that a token with scopes must have for *method* (docs/decisions/0042)."""
        return self.needs if isinstance(self.needs, str) else self.needs[method]

    def scopes(self) -> dict[str, str]:
        """`scope` of every method; HEAD like GET."""
        scopes = {method: self.scope(method) for method in self.methods}
        return {**scopes, "HEAD": scopes["GET"]} if "GET" in scopes else scopes
