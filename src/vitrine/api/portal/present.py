"""Applications and what hangs on them, as the portal's API tells them. Pure functions; no secret passes here."""

from datetime import datetime
from typing import Any

from vitrine.applications import Application
from vitrine.applications.documents import document_of
from vitrine.applications.model import Secret
from vitrine.applications.people import Person
from vitrine.applications.portal_store import KEPT
from vitrine.edge.quotas import Left
from vitrine.oauth.deprecated_features import FeatureUse
from vitrine.oauth.personal_tokens import NamedToken
from vitrine.oauth.scope_limits import ScopeUse

Json = dict[str, Any]


def application(one: Application) -> Json:
    """*document* is what can be sent back to change it; the rest says what happened to it."""
    return {
        "id": one.id,
        "client_id": one.client_id,
        "owner_id": one.creator_id,
        "created": moment(one.created),
        "updated": moment(one.updated),
        "state": {
            "active": one.activated,
            "suspended_by": one.suspended_by,
            "suspended_reason": one.suspended_reason,
            "approval": one.approval,
            "approval_reason": one.approval_reason,
        },
        "document": document_of(one),
    }


def deleted(one: Application) -> Json:
    assert one.deleted_at is not None
    return {
        "id": one.id,
        "client_id": one.client_id,
        "name": one.name,
        "deleted": moment(one.deleted_at),
        "until": moment(one.deleted_at + KEPT),
    }


def secret(one: Secret) -> Json:
    return {
        "id": one.id, "last_four": one.last_four, "created": moment(one.created), "expires": moment(one.expires),
        "last_used": moment(one.last_used), "made_with_token": one.is_made_with_token,
    }  # fmt: skip


def token(one: NamedToken) -> Json:
    """*scopes* null is everything that its owner may."""
    return {
        "id": one.id, "name": one.name, "last_four": one.last_four, "scopes": one.scope,
        "created": moment(one.created), "expires": moment(one.expires), "last_used": moment(one.last_used),
        "last_address": one.last_address, "made_with_token": one.is_made_with_token,
    }  # fmt: skip


def person(one: Person) -> Json:
    return {"id": one.id, "login": one.login, "name": one.name}


def left(one: Left) -> Json:
    """*limit* and *left* null: no limit."""
    limit = one.limit or None
    return {"limit": limit, "used": one.used, "left": one.left if limit else None, "resets_in": one.resets_in_s}


def habit(one: FeatureUse) -> Json:
    return {"habit": one.feature, "uses": one.uses, "last": moment(one.last_at), "last_address": one.last_address}


def held(one: ScopeUse) -> Json:
    """*uses* null: calls cannot show it."""
    return {
        "scope": one.scope.name, "people": one.people, "uses": one.uses, "last": moment(one.last),
        "allowed": one.is_left,
    }  # fmt: skip


def moment(value: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return None if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")
