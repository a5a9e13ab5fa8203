"""Signing in through the OpenID provider of another organisation (contract 01 section 7.3, docs/decisions/0064).

An account is found by issuer and subject, which never change. A verified e-mail address finds an account only at the
first sign-in and only if the operator allows it, and never the account of an administrator or one with a second step:
their owners link them themselves.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_urlsafe

from vitrine.accounts import mfa_store
from vitrine.accounts import store as people
from vitrine.accounts.credential_revocation import Event
from vitrine.accounts.errors import ProviderDown, ProviderRefused
from vitrine.accounts.identity_providers import store
from vitrine.accounts.identity_providers.client import ProviderClient, ProviderIdentity, ProviderRequest
from vitrine.accounts.mail import AccountMail
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.service import Accounts
from vitrine.accounts.sessions import Sessions
from vitrine.errors import Conflict, Invalid, NotFound
from vitrine.identity_provider_settings import Provider
from vitrine.platform import audit
from vitrine.platform.crypto import base64url, digest, signature
from vitrine.platform.database import UnitOfWork

SIGN_IN, PROVE, LINKING = "sign-in", "prove", "link"
CALLBACK = "/api/oauthv2/provider/{id}/callback/"
FLOW_LIFETIME = timedelta(minutes=10)
MAX_RETURN_PATH = 16_000
MOST_LINKED = 10
_LOGIN = re.compile(r"[^A-Za-z0-9._-]+")

# Why a sign-in through a provider failed, as pages say it. URLs contain the keys, never the sentences.
REASONS: Mapping[str, str] = {
    "down": "{provider} cannot be reached now. Please try again in a moment, or sign in another way.",
    "cancelled": "You did not sign in at {provider}.",
    "wrong": "The answer of {provider} could not be trusted, so nothing was done. Please try again.",
    "late": "This took too long, or began in another browser. Please try again.",
    "unknown": "No account here belongs to your account at {provider}. If you have one here, sign in with its password and connect it under My account, Security; otherwise ask the people who run this library.",  # noqa: E501
    "taken": "There is an account with your e-mail address here. Sign in with its password, then connect {provider} under My account, Security.",  # noqa: E501
    "domain": "{provider} does not vouch for an e-mail address that may be used here.",
    "closed": "This account may not sign in. Ask the people who run this library.",
    "not-proved": "{provider} does not say that you signed in there just now. Please use your password instead.",
    "other": "At {provider} you are somebody else than here. Sign out there first, or choose the other account.",
}


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """A row of the security page; *provider* is None if it is no longer offered."""

    id: int
    provider: Provider | None
    issuer: str
    label: str
    created: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class RedirectToProvider:
    """The URL to which the browser is sent."""

    address: str


@dataclass(frozen=True, slots=True)
class ProviderCallback:
    """A person who returned from a provider: their identity there, and the flow that they began here."""

    flow: store.Flow
    provider: Provider
    identity: ProviderIdentity


class ProviderSignInFailed(Exception):
    """A failed sign-in: *reason* is a key of REASONS, *flow* is None if the flow is unknown."""

    def __init__(self, reason: str, flow: store.Flow | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.flow = flow


@dataclass(slots=True)
class IdentityProviders:
    accounts: Accounts
    sessions: Sessions
    account_mail: AccountMail
    base_url: str
    providers: tuple[Provider, ...]
    make_client: Callable[[Provider], ProviderClient] = ProviderClient
    _clients: dict[str, ProviderClient] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._clients = {provider.id: self.make_client(provider) for provider in self.providers}

    def provider(self, provider_id: str) -> Provider:
        provider = next((provider for provider in self.providers if provider.id == provider_id), None)
        if provider is None:
            raise NotFound("There is no such sign-in provider.")
        return provider

    # -- the flow ------------------------------------------------------------------------------------------------

    def begin(self, provider_id: str, flow: store.Flow, visitor: str, *, choose: bool = False) -> RedirectToProvider:
        """Begin a flow. *choose*: the person may select another account at the provider. Opens its own transactions;
        call it with none open.

        Raises NotFound, Invalid (the return path is too long) or ProviderDown."""
        client = self._clients[self.provider(provider_id).id]
        if len(flow.back) > MAX_RETURN_PATH:
            raise Invalid("The address to return to is too long.", field="redirect")
        state = token_urlsafe(32)
        address = client.address(state, self._provider_request(provider_id, state, flow), choose=choose)
        with self.accounts.database.write() as work:
            store.begin(work, digest(state), digest(visitor), flow, FLOW_LIFETIME)
        return RedirectToProvider(address)

    def _provider_request(self, provider_id: str, state: str, flow: store.Flow) -> ProviderRequest:
        """Nonce and verifier are derived from the state, so the database holds nothing that redeems a code."""
        vault = self.accounts.vault
        return ProviderRequest(
            nonce=base64url(signature(vault.derive("provider nonce"), state.encode())),
            verifier=base64url(signature(vault.derive("provider verifier"), state.encode())),
            redirect_uri=self.redirect_uri(provider_id),
            forced_since=flow.started if flow.forced else None,
        )

    def redirect_uri(self, provider_id: str) -> str:
        """The redirect URI that the operator registers at the provider."""
        return self.base_url.rstrip("/") + CALLBACK.format(id=provider_id)

    def complete(self, provider_id: str, answer: Mapping[str, str], visitor: str) -> ProviderCallback:
        """The person who returned from a provider. Raises NotFound or ProviderSignInFailed. Opens its own
        transactions."""
        provider, state = self.provider(provider_id), answer.get("state", "")
        with self.accounts.database.write() as work:
            flow = store.take(work, digest(state), digest(visitor), provider.id)
        if flow is None:
            raise ProviderSignInFailed("late")

        def in_full(subject: str) -> bool:
            with self.accounts.database.read() as work:
                known = store.by_subject(work, provider.issuer, subject)
            return known is None or bool(provider.domains)

        try:
            identity = self._clients[provider.id].identity(
                answer, self._provider_request(provider.id, state, flow), in_full=in_full
            )
        except ProviderRefused as refusal:
            self._note(provider, refusal.reason, refusal.why)
            raise ProviderSignInFailed(refusal.reason, flow) from refusal
        except ProviderDown as refusal:
            raise ProviderSignInFailed("down", flow) from refusal
        return ProviderCallback(flow, provider, identity)

    def _note(self, provider: Provider, reason: str, why: str) -> None:
        details = {"provider": provider.id, "reason": reason, "why": why}
        with self.accounts.database.write() as work:
            audit.write(work, None, "external.refused", f"provider {provider.id}", details)

    # -- the account ---------------------------------------------------------------------------------------------

    def account_for(self, returned: ProviderCallback, address: str) -> User:
        """The account that a sign-in opens, linked or created if the operator allows that. Raises
        ProviderSignInFailed.

        Opens its own transactions. If two sign-ins with the same new subject run at once, the second one
        finds the account that the first one created."""
        for _ in range(2):
            try:
                with self.accounts.database.write() as work:
                    return self._user(work, returned, address)
            except _LinkedMeanwhile:
                continue
            except ProviderRefused as refusal:
                self._note(returned.provider, refusal.reason, refusal.why)
                raise ProviderSignInFailed(refusal.reason, returned.flow) from refusal
        raise ProviderSignInFailed("wrong", returned.flow)

    def _user(self, work: UnitOfWork, returned: ProviderCallback, address: str) -> User:
        provider, identity, flow = returned.provider, returned.identity, returned.flow
        self._require_domain(provider, identity)
        known = store.by_subject(work, identity.issuer, identity.subject)
        if known is None:
            user = self._first_time(work, provider, identity, address) if flow.purpose == SIGN_IN else None
        else:
            user = people.user(work, UserId(known.user_id))
        if user is None:
            raise ProviderRefused("closed" if known else "other")
        if user.is_guest or user.mail_locked:
            raise ProviderRefused("closed", why=f"user {user.id}")
        if flow.user_id is not None and flow.user_id != user.id:
            raise ProviderRefused("other", why=f"user {user.id} instead of {flow.user_id}")
        if known is not None:
            store.touch(work, known.id, _label(identity))
        people.touch_connection(work, user.id)
        details = {"provider": provider.id}
        audit.write(work, None, "external.used", f"user {user.id}", details, address=address)
        return user

    def _require_domain(self, provider: Provider, identity: ProviderIdentity) -> None:
        if provider.domains and (identity.email is None or not provider.takes(identity.email)):
            raise ProviderRefused("domain")

    def _first_time(self, work: UnitOfWork, provider: Provider, identity: ProviderIdentity, address: str) -> User:
        """The account for an unknown subject: linked by e-mail address, or a new one."""
        namesakes = people.by_email(work, identity.email) if identity.email else []
        if namesakes:
            if len(namesakes) > 1 or not self._may_link(work, provider, namesakes[0]):
                raise ProviderRefused("taken")
            user = namesakes[0]
        elif provider.create_accounts and people.has_users(
            work
        ):  # the first account of an instance is its administrator
            user = self._make(work, provider, identity, address)
        else:
            raise ProviderRefused("unknown")
        self._add(work, user, identity, address, by="email" if namesakes else "first sign-in")
        return user

    def _may_link(self, work: UnitOfWork, provider: Provider, user: User) -> bool:
        """True if a verified e-mail address alone may link this account to the subject."""
        guarded = user.is_admin or user.is_guest or user.mail_locked or self.accounts.has_second_step(work, user.id)
        # The address already belongs to another subject there, so the provider has given it to a new person.
        known_there = any(linked.issuer == provider.issuer for linked in store.of_user(work, user.id))
        return provider.link_by_email and not guarded and not known_there

    def _make(self, work: UnitOfWork, provider: Provider, identity: ProviderIdentity, address: str) -> User:
        """A new account without password and rights; an administrator gives them."""
        plain = _LOGIN.sub("", identity.username.partition("@")[0])[:64] or provider.id
        wanted = [identity.email] if identity.email else [plain, *(f"{plain}-{n}" for n in range(2, 20))]
        login = next((candidate for candidate in wanted if people.user_by_login(work, candidate) is None), None)
        first, last = identity.first_name[:128], identity.last_name[:128]
        return self.accounts.add_for_provider(
            work,
            login=login or f"{plain}-{token_urlsafe(6)}",
            address=address,
            email=identity.email,
            first_name=first if first or last else identity.name[:128],
            last_name=last,
            locale=identity.locale,
        )

    def _add(self, work: UnitOfWork, user: User, identity: ProviderIdentity, address: str, *, by: str) -> None:
        if not store.add(work, user.id, identity.issuer, identity.subject, _label(identity), used=True):
            raise _LinkedMeanwhile
        details = {"provider": identity.provider_id, "by": by}
        audit.write(work, None, "external.linked", f"user {user.id}", details, address=address)
        if by != "first sign-in":
            self.account_mail.send(
                work, "identity-added", user, {"provider": self.provider(identity.provider_id).label}
            )

    def identity_id(self, work: UnitOfWork, returned: ProviderCallback) -> int | None:
        """The id of the linked identity that this sign-in used; None if it was removed meanwhile."""
        linked = store.by_subject(work, returned.identity.issuer, returned.identity.subject)
        return linked.id if linked else None

    # -- linked identities ---------------------------------------------------------------------------------------

    def overview(self, work: UnitOfWork, actor: Actor) -> list[LinkedIdentity]:
        known = {provider.issuer: provider for provider in self.providers}
        return [
            LinkedIdentity(
                linked.id, known.get(linked.issuer), linked.issuer, linked.label, linked.created, linked.last_used
            )
            for linked in store.of_user(work, actor.must_user_id)
        ]

    def reauthentication_providers(self, work: UnitOfWork, user_id: UserId) -> list[Provider]:
        """The providers at which this person can prove who they are."""
        issuers = {linked.issuer for linked in store.of_user(work, user_id)}
        return [provider for provider in self.providers if provider.issuer in issuers]

    def seal(self, returned: ProviderCallback, now: datetime) -> str:
        """The encrypted identity for the form that confirms a link; valid for this person for ten minutes."""
        identity = returned.identity
        contents = {
            "user": returned.flow.user_id, "provider": identity.provider_id, "issuer": identity.issuer,
            "subject": identity.subject, "label": _label(identity), "ends": (now + FLOW_LIFETIME).timestamp(),
        }  # fmt: skip
        return self.accounts.vault.encrypt(json.dumps(contents))

    def check_linkable(self, returned: ProviderCallback) -> None:
        """Raises ProviderSignInFailed when this subject may not be connected."""
        try:
            self._require_domain(returned.provider, returned.identity)
        except ProviderRefused as refusal:
            raise ProviderSignInFailed(refusal.reason, returned.flow) from refusal

    def link(self, work: UnitOfWork, actor: Actor, sealed: str) -> Provider:
        """Link the identity that `seal` encrypted to the actor's account. Raises RecentAuthRequired, Invalid or
        Conflict."""
        self.sessions.require_recent_auth(work, actor)
        try:
            contents = json.loads(self.accounts.vault.decrypt(sealed))
        except ValueError:
            contents = {}
        if contents.get("user") != actor.must_user_id or contents.get("ends", 0) <= work.now.timestamp():
            raise Invalid("This took too long. Please begin again.", field="identity")
        provider = self.provider(str(contents["provider"]))
        if len(store.of_user(work, actor.must_user_id)) >= MOST_LINKED:
            raise Conflict("There are ten connected sign-ins already. Remove one first.")
        if not store.add(work, actor.must_user_id, contents["issuer"], contents["subject"], contents["label"]):
            raise Conflict("This sign-in is connected already, with this account or with another one.")
        details = {"provider": provider.id, "by": "owner"}
        audit.write(work, actor, "external.linked", f"user {actor.user_id}", details)
        user = self.accounts.get(work, actor.must_user_id)
        self.account_mail.send(work, "identity-added", user, {"provider": provider.label})
        return provider

    def unlink(self, work: UnitOfWork, actor: Actor, linked_id: int) -> None:
        """Remove a linked identity, unless nothing else would open the account. Raises RecentAuthRequired, NotFound or
        Conflict."""
        self.sessions.require_recent_auth(work, actor)
        user_id = actor.must_user_id
        listed = store.of_user(work, user_id)
        if all(linked.id != linked_id for linked in listed):
            raise NotFound("There is no such sign-in of yours.")
        offered = {provider.issuer for provider in self.providers}
        others = [linked for linked in listed if linked.id != linked_id and linked.issuer in offered]
        if not others and not people.password_hash(work, user_id) and not mfa_store.passkeys(work, user_id):
            raise Conflict("Nothing else opens your account. Choose a password or add a passkey first.")
        store.remove(work, user_id, linked_id)
        self.accounts.end_credentials(work, actor, Event.PROVIDER_UNLINKED, authenticator_id=linked_id)
        audit.write(work, actor, "external.unlinked", f"user {actor.user_id}", {"identity": linked_id})


class _LinkedMeanwhile(Exception):
    """Somebody linked the same subject meanwhile."""


def _label(identity: ProviderIdentity) -> str:
    return identity.email or identity.username or identity.name
