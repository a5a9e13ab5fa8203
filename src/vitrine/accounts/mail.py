"""Letters about an account: a forgotten password, a new e-mail address (contract 07 P10: links of 3 days and 1 day).

A request only asks for a letter. Who it is for, whether there is such an account, and the link itself are the job's
business: so the answer takes as long for a stranger's address as for ours, and no secret waits in the queue.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from secrets import token_urlsafe
from typing import Any

from babel.dates import format_datetime

from vitrine.accounts import links
from vitrine.accounts import store as people
from vitrine.accounts.endings import EMAIL, PASSWORD, TOKENS
from vitrine.accounts.errors import LinkUsed
from vitrine.accounts.lifetimes import DeveloperTokenLine, Event, Happening
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.service import Accounts, checked_email
from vitrine.errors import DomainError, Unavailable
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.platform import audit
from vitrine.platform.crypto import digest
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.mail import Email, Translate, Transport
from vitrine.platform.rates import Rates

SEND = JobKind("mail.send", lane="mail", max_attempts=8)
LINK_LIFETIMES = {PASSWORD: timedelta(days=3), EMAIL: timedelta(days=1), TOKENS: timedelta(days=3)}
LINK_PATHS = {
    PASSWORD: "/login/renew-password/?token=",
    EMAIL: "/account/reset-email/?token=",
    TOKENS: "/login/developer-tokens/?token=",
}
BY_CALLER, BY_ADDRESS = 20, 3  # letters an hour

# Each paragraph is one message of the catalogue.
TEXTS: dict[str, tuple[str, tuple[str, ...]]] = {
    PASSWORD: (
        "Choose a new password for {site}",
        (
            "Somebody, probably you, asked for a new password for your account {login} at {site}.",
            "{link}",
            "The link works once, for three days. If you did not ask for it, do nothing: your password stays.",
        ),
    ),
    EMAIL: (
        "Confirm your e-mail address for {site}",
        (
            "The account {login} at {site} is to use this e-mail address from now on.",
            "{link}",
            "The link works once, for one day, while you are signed in. If this is not your account, do nothing.",
        ),
    ),
    "password-changed": (
        "Your password for {site} was changed",
        (
            "The password of your account {login} at {site} was changed just now. Every sign-in has ended.",
            "If it was not you, choose a new one at once:",
            "{forgotten}",
        ),
    ),
    TOKENS: (
        "Your password for {site} was changed",
        (
            "The password of your account {login} at {site} was changed just now. Every sign-in has ended.",
            "These developer tokens of yours still work:",
            "{lines}",
            "If you do not need them, or do not recognise one of them, end them all here. The link works once, for three days:",  # noqa: E501
            "{link}",
            "If it was not you, choose a new password at once:",
            "{forgotten}",
        ),
    ),
    "email-changed": (
        "Your e-mail address for {site} was changed",
        (
            "The account {login} at {site} now uses another e-mail address than this one.",
            "If it was not you, tell the people who run the library.",
        ),
    ),
    "identity-added": (
        "Another way to sign in to {site}",
        (
            "Signing in at {provider} now opens your account {login} at {site}.",
            "If it was not you, remove it on this page and choose a new password:",
            "{security}",
        ),
    ),
    "grant": (
        "{application} may now use {site} in your name",
        (
            "The application {application} ({website}) was allowed to use {site} with your account {login}, on {when} from {address}.",  # noqa: E501
            "It may:",
            "{lines}",
            "If it was not you, or if you no longer want it, take the permission back here:",
            "{applications}#application-{application_id}",
            "You can switch these e-mails off on the same page.",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Renewed:
    """Whose password a link renewed. *tokens* go on working; *secret* is that of the link that ends them all."""

    user: User
    tokens: list[DeveloperTokenLine]
    secret: str


def _is_theirs(link: links.Link, user: User) -> bool:
    """A link for what stands already, a password or tokens, works only while the account has the address that it went
    to; one that confirms a new address went to that."""
    return link.purpose == EMAIL or people.fold(link.email) == people.fold(user.email or "")


@dataclass(frozen=True, slots=True)
class AccountMail:
    accounts: Accounts
    jobs: Jobs
    site: str
    base_url: str
    zone: tzinfo = UTC
    rates: Rates = field(default_factory=Rates)

    # -- asking --------------------------------------------------------------------------------------------------

    def request_password_link(self, work: UnitOfWork, actor: Actor, name: str, language: str) -> None:
        """Somebody forgot their password; *name* is an e-mail address or a login. Says nothing about the account.

        Raises Unavailable when this caller asks too often; too many letters to one address are silently not sent.
        """
        if not self.rates.take("forgotten", actor.address, BY_CALLER):
            raise Unavailable("Too many e-mails were requested. Please try again in an hour.", retry_after_s=3600)
        folded = people.fold(name)[:254]
        if folded and self.rates.take("letter", folded, BY_ADDRESS):
            key = hashlib.sha256(folded.encode()).hexdigest()[:40]
            payload = {"letter": PASSWORD, "name": folded, "language": language}
            self.jobs.add(work, SEND, payload, key=f"{PASSWORD}:{key}")

    def request_address_change(self, work: UnitOfWork, actor: Actor, address: str, language: str) -> None:
        """Send a link to *address*; the account uses it once the link was followed. The caller proved the password.

        Raises Invalid (email) or Unavailable (too often)."""
        wanted = checked_email(address)
        if not self.rates.take("email", str(actor.must_user_id), BY_ADDRESS):
            raise Unavailable("Too many e-mails were requested. Please try again in an hour.", retry_after_s=3600)
        version = self.accounts.get(work, actor.must_user_id).auth_version
        payload = {"letter": EMAIL, "user": actor.must_user_id, "to": wanted, "language": language, "version": version}
        self.jobs.add(work, SEND, payload, key=f"{EMAIL}:{actor.must_user_id}")
        audit.write(work, actor, "email.asked", f"user {actor.user_id}")

    def send(self, work: UnitOfWork, letter: str, user: User, values: Mapping[str, Any]) -> None:
        """A letter of TEXTS with *values* in it: texts, `at` as seconds since 1970, `lines` as messages of the
        catalogue. Nobody is told who has no address."""
        plain = {name: " ".join(one.split()) if isinstance(one, str) else one for name, one in values.items()}
        self._send(work, letter, user, user.email, plain)

    def tell_of_password(self, work: UnitOfWork, user: User) -> list[DeveloperTokenLine]:
        """The letter after somebody else set a password, or a letter did. The developer tokens that go on working are
        in it, with a link that ends them all; they are returned."""
        left = self.accounts.lifetimes.developer_tokens(work, user.id)
        if left:
            self.send(work, TOKENS, user, {"lines": [one.words for one in left]})
        else:
            self._send(work, "password-changed", user, user.email)
        return left

    def _send(
        self, work: UnitOfWork, letter: str, user: User, to: str | None, values: Mapping[str, Any] | None = None
    ) -> None:
        if to:
            payload = {"letter": letter, "user": user.id, "to": to, "language": user.locale or ""}
            self.jobs.add(work, SEND, {**payload, "values": dict(values)} if values else payload)

    # -- following a link ----------------------------------------------------------------------------------------

    def link_owner(self, work: UnitOfWork, secret: str, purpose: str) -> User:
        """Whose link this is, without using it. Raises LinkUsed."""
        return self._owner(work, secret, purpose)[0]

    def _owner(self, work: UnitOfWork, secret: str, purpose: str) -> tuple[User, links.Link]:
        found = links.by_digest(work, digest(secret), purpose)
        user = people.user(work, UserId(found.user_id)) if found is not None else None
        if found is None or user is None or user.mail_locked or not _is_theirs(found, user):
            raise LinkUsed("This link was used already, or it is too old. Please ask for a new one.", field="token")
        return user, found

    def renew_password(self, secret: str, new: str, address: str) -> Renewed:
        """Set a new password by a link, once. Developer tokens stay and are listed; all else that the table of
        `accounts.lifetimes` names ends. Raises LinkUsed or WeakPassword.

        Opens its own transactions, since a hash must not hold the write lock; call it with none open."""
        database = self.accounts.database
        with database.read() as work:
            self._owner(work, secret, PASSWORD)
        hashed = self.accounts.passwords.hash(new)
        with database.write() as work:
            user, link = self._owner(work, secret, PASSWORD)
            links.use(work, link)
            people.set_password_hash(work, user.id, hashed)
            self.accounts.lifetimes.happened(work, Happening(Event.PASSWORD_RESET, user.id))
            for name in (user.login, user.email):
                people.clear_failures(work, name or user.login)
            audit.write(work, None, "password.renewed", f"user {user.id}", address=address)
            left = self.tell_of_password(work, user)
            return Renewed(user, left, self._tokens_link(work, user) if left else "")

    @staticmethod
    def _tokens_link(work: UnitOfWork, user: User) -> str:
        """The secret of a link as the letter has one, for the page that is shown at once."""
        secret = token_urlsafe(32)
        links.add(work, digest(secret), user.id, TOKENS, user.email or "", work.now + LINK_LIFETIMES[TOKENS])
        return secret

    def look_at_tokens(self, work: UnitOfWork, secret: str) -> tuple[User, list[DeveloperTokenLine]]:
        """Whose developer tokens a link of a letter ends, and which they are. Raises LinkUsed."""
        user = self.link_owner(work, secret, TOKENS)
        return user, self.accounts.lifetimes.developer_tokens(work, user.id)

    def end_tokens(self, work: UnitOfWork, secret: str, address: str) -> User:
        """End every developer token of a person by a link, once. Raises LinkUsed."""
        user, _ = self._owner(work, secret, TOKENS)
        self.accounts.lifetimes.happened(work, Happening(Event.DEVELOPER_TOKENS_ENDED, user.id))
        audit.write(work, None, "developer_tokens.ended", f"user {user.id}", {"by": "letter"}, address=address)
        return user

    def confirm_email(self, work: UnitOfWork, actor: Actor, secret: str) -> str:
        """The new address, now in use. Raises LinkUsed, also for somebody else's link."""
        user, link = self._owner(work, secret, EMAIL)
        if user.id != actor.user_id:
            raise LinkUsed("This link was used already, or it is too old. Please ask for a new one.", field="token")
        links.use(work, link)
        self.set_address(work, actor, user, link.email, Event.ADDRESS_CHANGED)
        return link.email

    def set_address(self, work: UnitOfWork, actor: Actor, user: User, address: str, event: Event) -> None:
        """The account has *address* from now on; the old address is told. The caller asked whether the actor may."""
        people.update_user(work, user.id, {"email": address, "email_folded": people.fold(address)})
        self.accounts.lifetimes.happened(work, Happening(event, user.id))
        audit.write(work, actor, "email.changed", f"user {user.id}")
        self._send(work, "email-changed", user, user.email)

    # -- writing -------------------------------------------------------------------------------------------------

    def compose(
        self,
        letter: str,
        words: Translate,
        language: str,
        to: str,
        login: str,
        secret: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> Email:
        """The letter in the language of its reader; *values* as in `tell`."""
        subject, paragraphs = TEXTS[letter]
        given = dict(values or {})
        if "at" in given:
            at = datetime.fromtimestamp(given.pop("at"), UTC).astimezone(self.zone)
            given["when"] = format_datetime(at, "long", locale=language or "en")
        if "lines" in given:
            given["lines"] = "\n".join(f"- {words(language, one)}" for one in given["lines"])
        known = {
            **given,
            "site": self.site,
            "login": login,
            "link": f"{self.base_url}{LINK_PATHS.get(letter, '')}{secret}",
            "forgotten": f"{self.base_url}/login/forgot-password/",
            "security": f"{self.base_url}/account/security/#connected",
            "applications": f"{self.base_url}/account/security/applications/",
        }
        text = "\n\n".join(words(language, one).format(**known) for one in paragraphs)
        return Email(to, words(language, subject).format(**known), text + "\n")


@dataclass(frozen=True, slots=True)
class MailHandler:
    """Handler of `mail.send`: finds the reader, makes the link, sends. A link whose letter did not go is deleted."""

    database: Database
    account_mail: AccountMail
    transport: Transport
    sender: str
    words: Translate

    def __call__(self, job: Job) -> None:
        letter, language = str(job.payload["letter"]), str(job.payload["language"])
        secret = token_urlsafe(32) if letter in LINK_LIFETIMES else ""
        # The reader is looked up where the link is written: what ends links comes before or after, never between.
        with self.database.write() if secret else self.database.read() as work:
            user = self._reader(work, job)
            to = str(job.payload.get("to") or (user.email if user else "") or "")
            if user is None or not to:
                return  # nobody has this address: the asker was told nothing either
            if secret:
                links.add(work, digest(secret), user.id, letter, to, work.now + LINK_LIFETIMES[letter])
        language = user.locale[:2] if user.locale else language
        try:
            values = job.payload.get("values")
            written = self.account_mail.compose(letter, self.words, language, to, user.login, secret, values)
            self.transport.send(written.message(self.sender))
        except DomainError:
            if secret:
                with self.database.write() as work:
                    links.forget(work, digest(secret))
            raise

    @staticmethod
    def _reader(work: UnitOfWork, job: Job) -> User | None:
        if "user" in job.payload:
            user = people.user(work, UserId(job.payload["user"]))
            # Asked for before a new password: whoever asked proved themselves with the old one.
            is_old = user is not None and job.payload.get("version", user.auth_version) != user.auth_version
            return None if is_old else user
        found = people.user_by_login(work, str(job.payload["name"]))
        return None if found is None or found.is_guest or found.mail_locked else found
