"""The device grant (RFC 8628): a code for a device without a browser, and a short one for the person."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from vitrine.accounts import Actor
from vitrine.applications import Account, Application, ApplicationId, Applications
from vitrine.applications import store as applications_store
from vitrine.errors import Invalid, NotFound
from vitrine.oauth.errors import TokenError
from vitrine.oauth.lifetimes import DEVICE_CODE_LIFETIME
from vitrine.oauth.tables import device_codes
from vitrine.platform import audit
from vitrine.platform.crypto import digest, is_mistyped, new_secret
from vitrine.platform.database import UnitOfWork

INTERVAL_S = 5
SLOWER_BY_S = 5
# Twenty consonants: no accidental words, nothing that looks like a digit (RFC 8628 section 6.1).
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
_NOT_A_TO_Z = re.compile(r"[^A-Z]")


class AuthorizationPending(TokenError):
    """`authorization_pending` or `slow_down`. The caller must commit, since the time of the poll is stored."""


class NoSuchDevice(NotFound):
    """The code is unknown, expired or used."""

    code = "no_such_device"


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """The answer to a device; *user_code* has a hyphen in the middle."""

    device_code: str
    user_code: str
    expires_in: timedelta
    interval_s: int


@dataclass(frozen=True, slots=True)
class Allowed:
    account_id: int
    scope: list[str]


@dataclass(frozen=True, slots=True)
class Device:
    """A device that waits for the decision of a person."""

    id: int
    application: Application
    scope: frozenset[str]
    user_code: str
    address: str
    issued: datetime


def offer(work: UnitOfWork, application: Application, scope: frozenset[str], address: str) -> DeviceAuthorization:
    device_code = new_secret("dc")
    user_code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    work.db.execute(
        device_codes.delete().where(device_codes.c.expires < work.now, device_codes.c.user_code == user_code)
    )
    work.db.execute(
        device_codes.insert().values(
            digest=digest(device_code),
            user_code=user_code,
            application_id=application.id,
            scope=sorted(scope),
            state="waiting",
            interval_s=INTERVAL_S,
            address=address,
            issued=work.now,
            expires=work.now + DEVICE_CODE_LIFETIME,
        )
    )
    return DeviceAuthorization(device_code, shown(user_code), DEVICE_CODE_LIFETIME, INTERVAL_S)


def shown(user_code: str) -> str:
    return f"{user_code[: LENGTH // 2]}-{user_code[LENGTH // 2 :]}"


def plain(typed: str) -> str:
    """The user code in its stored form, from what a person typed: any case, with or without blanks and hyphens."""
    return _NOT_A_TO_Z.sub("", typed.upper())[: LENGTH + 1]


def find(work: UnitOfWork, applications: Applications, typed: str) -> Device:
    """The device that displays this code. Raises NoSuchDevice."""
    row = work.db.execute(
        sa.select(device_codes).where(
            device_codes.c.user_code == plain(typed),
            device_codes.c.state == "waiting",
            device_codes.c.expires > work.now,
        )
    ).first()
    application = None if row is None else applications.for_protocol(work, ApplicationId(row.application_id))
    if row is None or application is None or not application.activated:
        raise NoSuchDevice("This code is unknown, too old or was used already. Ask the device for a new one.")
    return Device(row.id, application, frozenset(row.scope or ()), shown(row.user_code), row.address, row.issued)


def decide(
    work: UnitOfWork,
    actor: Actor,
    applications: Applications,
    device: Device,
    *,
    allow: bool,
    scope: frozenset[str],
) -> Account:
    """Record a person's decision, which the device gets at its next poll. Raises NoSuchDevice if it was decided
    before."""
    if allow and not scope:
        raise Invalid("Allow at least one thing, or deny.", field="scope")
    account = applications.consents.decide(
        work, actor, device.application, allow=allow, return_to=f"device at {device.address}",
        scope=scope, requested=device.scope,
    )  # fmt: skip
    done = work.db.execute(
        device_codes.update()
        .where(device_codes.c.id == device.id, device_codes.c.state == "waiting")
        .values(state="allowed" if allow else "denied", account_id=account.id, scope=sorted(scope))
    )
    if done.rowcount != 1:
        raise NoSuchDevice("Somebody has decided about this device already.")
    details = {"device": device.address}
    audit.write(
        work, actor, "device.allowed" if allow else "device.denied", f"application {device.application.id}", details
    )
    return account


def poll(work: UnitOfWork, application: Application, secret: str) -> Allowed:
    """Answer a poll. Raises AuthorizationPending, or TokenError when no token can follow (section 3.5)."""
    row = None
    if not is_mistyped(secret):
        row = work.db.execute(sa.select(device_codes).where(device_codes.c.digest == digest(secret))).first()
    if row is None or row.application_id != application.id:
        raise TokenError("invalid_grant", "The device code is unknown or was given to another application.")
    if row.state == "denied":
        raise TokenError("access_denied", "The person said no.")
    if row.state == "used":
        raise TokenError("invalid_grant", "The device code was used already.")
    if row.expires <= work.now:
        raise TokenError("expired_token", "The device code is too old; ask for a new one.")
    if row.state == "waiting":
        too_soon = row.polled_at is not None and work.now - row.polled_at < timedelta(seconds=row.interval_s)
        pause = row.interval_s + (SLOWER_BY_S if too_soon else 0)
        work.db.execute(
            device_codes.update().where(device_codes.c.id == row.id).values(polled_at=work.now, interval_s=pause)
        )
        if too_soon:
            raise AuthorizationPending("slow_down", f"Ask every {pause} seconds at most.")
        raise AuthorizationPending("authorization_pending", "Nobody has decided yet.")
    done = work.db.execute(
        device_codes.update().where(device_codes.c.id == row.id, device_codes.c.state == "allowed").values(state="used")
    )
    if done.rowcount != 1:
        raise TokenError("invalid_grant", "The device code was used already.")
    if not applications_store.is_open(work, row.account_id):
        raise TokenError("invalid_grant", "The person withdrew the access.")
    return Allowed(row.account_id, list(row.scope or ()))
