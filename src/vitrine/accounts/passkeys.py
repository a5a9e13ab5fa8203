"""Passkeys (WebAuthn level 2): registering, signing in with one, and removing it.

The libraries are imported where they are used: most sign-ins do not need them, and they take five megabytes.
"""

import json
import secrets
import struct
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from vitrine.accounts import mfa_store as store
from vitrine.accounts.credential_revocation import Event
from vitrine.accounts.errors import WrongCode
from vitrine.accounts.mfa import MultiFactor
from vitrine.accounts.model import Actor, OpenedBy, SignIn, User, UserId
from vitrine.errors import Conflict, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.crypto import base64url, digest, from_base64url
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name

CHALLENGE_LIFETIME = timedelta(minutes=5)
LONGEST_NAME = 80
MOST_PASSKEYS = 20
# What the parsers of JSON, CBOR, COSE and X.509 may raise on an answer from outside.
_PARSER_ERRORS = (struct.error, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def _unreadable() -> tuple[type[Exception], ...]:
    """The same with the errors of the libraries, which are loaded only when a passkey is used."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from webauthn.helpers.exceptions import WebAuthnException

    return (WebAuthnException, UnsupportedAlgorithm, *_PARSER_ERRORS)


@dataclass(frozen=True, slots=True)
class Passkeys:
    mfa: MultiFactor
    origin: str

    @property
    def _rp_id(self) -> str:
        return urlsplit(self.origin).hostname or "localhost"

    def begin_registration(self, work: UnitOfWork, actor: Actor) -> str:
        """The options with which a browser creates a passkey, as JSON. Raises RecentAuthRequired."""
        self.mfa.sessions.require_recent_auth(work, actor)
        known_ids = store.passkey_ids(work, actor.must_user_id)
        if len(known_ids) >= MOST_PASSKEYS:
            raise Conflict("There are 20 passkeys already. Remove one first.")
        challenge = self._challenge(work, actor.must_user_id)
        from webauthn import generate_registration_options
        from webauthn.helpers import base64url_to_bytes, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=self.mfa.site,
            user_id=f"user {actor.user_id}".encode(),
            user_name=actor.login,
            user_display_name=actor.display_name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=base64url_to_bytes(credential_id)) for credential_id in known_ids
            ],
        )
        return options_to_json(options)

    def register(self, work: UnitOfWork, actor: Actor, answer: str, name: str) -> list[str]:
        """Store the passkey that the browser created. Returns new recovery codes if there were none, else nothing."""
        self.mfa.sessions.require_recent_auth(work, actor)
        name = name.strip()
        if len(name) > LONGEST_NAME:
            raise Invalid("At most {count} characters.", field="name", values={"count": LONGEST_NAME})
        if name and (fault := fault_of_name(name)):
            raise Invalid(fault, field="name")
        challenge = self._take_challenge(work, answer, actor.must_user_id)
        from webauthn import verify_registration_response
        from webauthn.helpers import bytes_to_base64url

        try:
            verified = verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except _unreadable() as failure:
            raise Invalid("This passkey could not be read. Please try again.", why=type(failure).__name__) from failure
        credential = bytes_to_base64url(verified.credential_id)
        if len(credential) > 1400 or store.passkey(work, credential) is not None:
            raise Conflict("This passkey is known already.")
        store.add_passkey(
            work, actor.must_user_id, credential, verified.credential_public_key, verified.sign_count,
            name or "Passkey",
        )  # fmt: skip
        audit.write(work, actor, "passkey.added", f"user {actor.user_id}")
        return (
            [] if store.codes_left(work, actor.must_user_id) else self.mfa.new_recovery_codes(work, actor.must_user_id)
        )

    def remove(self, work: UnitOfWork, actor: Actor, passkey_id: int) -> None:
        self.mfa.sessions.require_recent_auth(work, actor)
        if not store.remove_passkey(work, actor.must_user_id, passkey_id):
            raise NotFound("There is no such passkey of yours.")
        if not self.mfa.is_on(work, actor.must_user_id):
            store.set_codes(work, actor.must_user_id, [])
        self.mfa.accounts.end_credentials(work, actor, Event.PASSKEY_REMOVED, authenticator_id=passkey_id)
        audit.write(work, actor, "passkey.removed", f"user {actor.user_id}")

    def begin_sign_in(self, work: UnitOfWork) -> str:
        """The options with which a browser signs in with any passkey of this site, as JSON."""
        from webauthn import generate_authentication_options
        from webauthn.helpers import options_to_json
        from webauthn.helpers.structs import UserVerificationRequirement

        options = generate_authentication_options(
            rp_id=self._rp_id, challenge=self._challenge(work, None),
            user_verification=UserVerificationRequirement.REQUIRED,
        )  # fmt: skip
        return options_to_json(options)

    def sign_in(self, work: UnitOfWork, answer: str, address: str) -> tuple[User, SignIn]:
        """The person whose passkey signed *answer*; this covers both steps. Raises WrongCode."""
        challenge = self._take_challenge(work, answer, None)
        passkey = store.passkey(work, _credential_of(answer))
        user = self.mfa.accounts.known(work, UserId(passkey.user_id)) if passkey is not None else None
        if passkey is None or user is None or user.mail_locked or user.is_guest:
            raise WrongCode("This passkey is not known here.", field="passkey")
        from webauthn import verify_authentication_response

        try:
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self.origin,
                credential_public_key=bytes(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except _unreadable() as failure:
            refusal = "This passkey did not answer correctly. Please try again."
            raise WrongCode(refusal, field="passkey", why=type(failure).__name__) from failure
        store.use_passkey(work, passkey.id, verified.new_sign_count)
        audit.write(work, None, "passkey.used", f"user {user.id}", address=address)
        return user, SignIn(OpenedBy.PASSKEY, passkey.id)

    def _challenge(self, work: UnitOfWork, user_id: int | None) -> bytes:
        challenge = secrets.token_bytes(32)
        store.add_challenge(work, digest(base64url(challenge)), user_id, work.now + CHALLENGE_LIFETIME)
        return challenge

    @staticmethod
    def _take_challenge(work: UnitOfWork, answer: str, user_id: int | None) -> bytes:
        """Use up the challenge that *answer* names. Raises WrongCode if it is unknown or was used."""
        try:
            client_data = json.loads(answer)["response"]["clientDataJSON"]
            challenge = str(json.loads(from_base64url(str(client_data)))["challenge"])
            raw = from_base64url(challenge)
        except _unreadable() as failure:
            raise Invalid("This passkey could not be read. Please try again.", why=type(failure).__name__) from failure
        if not store.take_challenge(work, digest(base64url(raw)), user_id):
            raise WrongCode("This took too long. Please try again.", field="passkey")
        return raw


def _credential_of(answer: str) -> str:
    try:
        credential = str(json.loads(answer)["id"]).rstrip("=")
    except _PARSER_ERRORS:
        return ""
    return credential if credential.isascii() else ""  # a lone surrogate cannot be bound to a statement
