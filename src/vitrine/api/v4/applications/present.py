"""Applications and their secrets, tokens and people as JSON. Pure functions; none is given the value of a secret."""

from typing import Any

from vitrine.api.v4.content import moment
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


def application(application: Application) -> Json:
    """*document* is what can be sent back to change it; the rest says what happened to it."""
    return {
        "id": application.id,
        "client_id": application.client_id,
        "owner_id": application.creator_id,
        "created": moment(application.created),
        "updated": moment(application.updated),
        "state": {
            "active": application.activated,
            "suspended_by": application.suspended_by,
            "suspended_reason": application.suspended_reason,
            "approval": application.approval,
            "approval_reason": application.approval_reason,
        },
        "document": document_of(application),
    }


def deleted(application: Application) -> Json:
    assert application.deleted_at is not None
    return {
        "id": application.id,
        "client_id": application.client_id,
        "name": application.name,
        "deleted": moment(application.deleted_at),
        "until": moment(application.deleted_at + KEPT),
    }


def secret(secret: Secret) -> Json:
    return {
        "id": secret.id, "last_four": secret.last_four, "created": moment(secret.created),
        "expires": moment(secret.expires), "last_used": moment(secret.last_used),
        "made_with_token": secret.is_made_with_token,
    }  # fmt: skip


def token(token: NamedToken) -> Json:
    """*scopes* null is everything that its owner may do."""
    return {
        "id": token.id, "name": token.name, "last_four": token.last_four, "scopes": token.scope,
        "created": moment(token.created), "expires": moment(token.expires), "last_used": moment(token.last_used),
        "last_address": token.last_address, "made_with_token": token.is_made_with_token,
    }  # fmt: skip


def person(person: Person) -> Json:
    return {"id": person.id, "login": person.login, "name": person.name}


def left(left: Left) -> Json:
    """*limit* and *left* null: no limit."""
    limit = left.limit or None
    return {"limit": limit, "used": left.used, "left": left.left if limit else None, "resets_in": left.resets_in_s}


def feature_use(use: FeatureUse) -> Json:
    return {"habit": use.feature, "uses": use.uses, "last": moment(use.last_at), "last_address": use.last_address}


def scope_use(use: ScopeUse) -> Json:
    """*uses* null: calls cannot show whether the scope is used."""
    return {
        "scope": use.scope.name, "people": use.people, "uses": use.uses, "last": moment(use.last),
        "allowed": use.is_left,
    }  # fmt: skip
