"""Account mail: a forgotten password, a new e-mail address, notices (contract 07 P10: links of 3 days and 1 day).

A request only queues a mail. The job looks up the account and creates the link. So the answer takes the same time
whether or not the account exists, and no secret is stored in the queue.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

from vitrine.accounts import links
from vitrine.accounts import store as people
from vitrine.accounts.credential_revocation import DeveloperTokenLine, Event, Occurrence
from vitrine.accounts.errors import LinkUsed, TooManyMails
from vitrine.accounts.mail_texts import LINK_LIFETIMES, MailComposer
from vitrine.accounts.model import Actor, User, UserId
from vitrine.accounts.notices import KINDS, stop_token
from vitrine.accounts.revokers import CONFIRM, EMAIL, PASSWORD, TOKENS
from vitrine.accounts.service import Accounts, checked_email, require_free_address
from vitrine.errors import DomainError
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.platform import audit
from vitrine.platform.addresses import rate_limit_key
from vitrine.platform.crypto import Vault, digest
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.mail import Translate, Transport
from vitrine.platform.rates import Rates

SEND = JobKind("mail.send", lane="mail", max_attempts=8)
BY_CALLER, BY_ADDRESS = 20, 3  # mails per hour
TOO_MANY = "Too many e-mails were requested. Please try again in an hour."


@dataclass(frozen=True, slots=True)
class RenewedPassword:
    """The account whose password was renewed by a link. *tokens* still work; *secret* is the secret of a link that
    ends them all."""

    user: User
    tokens: list[DeveloperTokenLine]
    secret: str


def _is_valid_for(link: links.Link, user: User) -> bool:
    """A link to a password or to tokens works only while the account has the address to which the link was sent. A
    link that confirms a new address was sent to that one."""
    return link.purpose == EMAIL or links.is_for_address(link, user.email)


@dataclass(frozen=True, slots=True)
class AccountMail:
    accounts: Accounts
    jobs: Jobs
    composer: MailComposer
    rates: Rates = field(default_factory=Rates)

    # -- queueing ------------------------------------------------------------------------------------------------

    def request_password_link(self, work: UnitOfWork, actor: Actor, name: str, language: str) -> None:
        """Queue a link to choose a new password; *name* is an e-mail address or a login. Reveals nothing about the
        account.

        Raises Unavailable for too many requests of this caller; too many mails to one address are silently dropped.
        """
        if not self.rates.take("forgotten", rate_limit_key(actor.address), BY_CALLER):
            raise TooManyMails(TOO_MANY, retry_after_s=3600)
        folded = people.fold(name)[:254]
        if folded and self.rates.take("letter", folded, BY_ADDRESS):
            key = hashlib.sha256(folded.encode()).hexdigest()[:40]
            payload = {"letter": PASSWORD, "name": folded, "language": language}
            self.jobs.add(work, SEND, payload, key=f"{PASSWORD}:{key}")

    def request_address_change(self, work: UnitOfWork, actor: Actor, address: str, language: str) -> None:
        """Send a link to *address*, which the account uses once the link was followed. The caller checked the password.

        Raises Invalid (email) or Unavailable (too often)."""
        wanted = checked_email(address)
        if not self.rates.take("email", str(actor.must_user_id), BY_ADDRESS):
            raise TooManyMails(TOO_MANY, retry_after_s=3600)
        version = self.accounts.get(work, actor.must_user_id).auth_version
        payload = {"letter": EMAIL, "user": actor.must_user_id, "to": wanted, "language": language, "version": version}
        # Another address, or an older request that is no longer valid, is not the same mail.
        key = hashlib.sha256(f"{version}:{people.fold(wanted)}".encode()).hexdigest()[:40]
        self.jobs.add(work, SEND, payload, key=f"{EMAIL}:{actor.must_user_id}:{key}")
        audit.write(work, actor, "email.asked", f"user {actor.user_id}")

    def send(self, work: UnitOfWork, text_name: str, user: User, values: Mapping[str, Any]) -> None:
        """Queue a mail of TEXTS with *values*: texts, `at` as seconds since 1970, `lines` as messages of the
        catalogue. Sends nothing to an account without an address."""
        plain = {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in values.items()}
        self._send(work, text_name, user, user.email, plain)

    def send_notice(self, work: UnitOfWork, kind: str, user: User, values: Mapping[str, str]) -> None:
        """Queue the mail of a notification. Who it goes to and where is asked when it is sent: nothing goes to an
        account that was closed or suspended meanwhile, or whose owner wants no mails of this *kind* (`notices`)."""
        if user.email:
            plain = {name: " ".join(value.split()) for name, value in values.items()}
            payload = {"letter": kind, "user": user.id, "language": user.locale or ""}
            self.jobs.add(work, SEND, {**payload, "values": plain} if plain else payload)

    def send_last(self, work: UnitOfWork, text_name: str, user: User) -> None:
        """Queue a mail to somebody whose account is closed, and so not found any more when the mail is sent."""
        if user.email:
            payload = {"letter": text_name, "to": user.email, "login": user.login, "language": user.locale or ""}
            self.jobs.add(work, SEND, payload)

    def send_confirmation(self, work: UnitOfWork, user: User, language: str) -> None:
        """Queue the link that confirms a new account."""
        payload = {"letter": CONFIRM, "user": user.id, "to": user.email, "language": language}
        self.jobs.add(work, SEND, payload)

    def send_password_notice(self, work: UnitOfWork, user: User) -> list[DeveloperTokenLine]:
        """Tell the owner that the password was set by an administrator or through a link. Returns the developer tokens
        that still work; the mail lists them, with a link that ends them all."""
        left = self.accounts.revocation.developer_tokens(work, user.id)
        if left:
            self.send(work, TOKENS, user, {"lines": [token.words for token in left]})
        else:
            self._send(work, "password-changed", user, user.email)
        return left

    def _send(
        self, work: UnitOfWork, text_name: str, user: User, to: str | None, values: Mapping[str, Any] | None = None
    ) -> None:
        if to:
            payload = {"letter": text_name, "user": user.id, "to": to, "language": user.locale or ""}
            self.jobs.add(work, SEND, {**payload, "values": dict(values)} if values else payload)

    # -- following a link ----------------------------------------------------------------------------------------

    def link_owner(self, work: UnitOfWork, secret: str, purpose: str) -> User:
        """The owner of a link, which is not used up. Raises LinkUsed."""
        return self._owner(work, secret, purpose)[0]

    def _owner(self, work: UnitOfWork, secret: str, purpose: str) -> tuple[User, links.Link]:
        link = links.by_digest(work, digest(secret), purpose)
        user = people.user(work, UserId(link.user_id)) if link is not None else None
        if link is None or user is None or user.mail_locked or not _is_valid_for(link, user):
            raise LinkUsed("This link was used already, or it is too old. Please ask for a new one.", field="token")
        return user, link

    def renew_password(self, secret: str, new: str, address: str) -> RenewedPassword:
        """Set a new password through a link, once. Developer tokens stay and are listed; all else that the table of
        `accounts.credential_revocation` names ends. Raises LinkUsed or WeakPassword.

        Opens its own transactions, since a hash must not hold the write lock; call it with none open."""
        database = self.accounts.database
        with database.read() as work:
            self._owner(work, secret, PASSWORD)
        hashed = self.accounts.passwords.hash(new)
        with database.write() as work:
            user, link = self._owner(work, secret, PASSWORD)
            links.use(work, link)
            people.set_password_hash(work, user.id, hashed)
            self.accounts.revocation.end_credentials(work, Occurrence(Event.PASSWORD_RESET, user.id))
            for name in (user.login, user.email):
                people.clear_failures(work, name or user.login)
            audit.write(work, None, "password.renewed", f"user {user.id}", address=address)
            left = self.send_password_notice(work, user)
            return RenewedPassword(user, left, self.link(work, user, TOKENS) if left else "")

    @staticmethod
    def link(work: UnitOfWork, user: User, purpose: str) -> str:
        """The secret of a link like one in a mail, for whoever is answered now."""
        secret = token_urlsafe(32)
        links.add(work, digest(secret), user.id, purpose, user.email or "", work.now + LINK_LIFETIMES[purpose])
        return secret

    def tokens_behind_link(self, work: UnitOfWork, secret: str) -> tuple[User, list[DeveloperTokenLine]]:
        """The owner of a link that ends developer tokens, and those tokens. Raises LinkUsed."""
        user = self.link_owner(work, secret, TOKENS)
        return user, self.accounts.revocation.developer_tokens(work, user.id)

    def end_tokens(self, work: UnitOfWork, secret: str, address: str) -> User:
        """End every developer token of a person through a link, once. Raises LinkUsed."""
        user, _ = self._owner(work, secret, TOKENS)
        self.accounts.revocation.end_credentials(work, Occurrence(Event.DEVELOPER_TOKENS_ENDED, user.id))
        audit.write(work, None, "developer_tokens.ended", f"user {user.id}", {"by": "mail"}, address=address)
        return user

    def confirm_email(self, work: UnitOfWork, actor: Actor, secret: str) -> str:
        """Start to use the new address, which is returned. Raises LinkUsed, also for somebody else's link."""
        user, link = self._owner(work, secret, EMAIL)
        if user.id != actor.user_id:
            raise LinkUsed("This link was used already, or it is too old. Please ask for a new one.", field="token")
        links.use(work, link)
        self.set_address(work, actor, user, link.email, Event.ADDRESS_CHANGED)
        return link.email

    def set_address(self, work: UnitOfWork, actor: Actor, user: User, address: str, event: Event) -> None:
        """Give the account a new address and notify the old one. The caller checked the right of the actor. Raises
        LoginTaken for somebody else's login."""
        require_free_address(work, address, user.id)
        people.update_user(work, user.id, {"email": address, "email_folded": people.fold(address)})
        self.accounts.revocation.end_credentials(work, Occurrence(event, user.id))
        audit.write(work, actor, "email.changed", f"user {user.id}")
        self._send(work, "email-changed", user, user.email)


def _wants(work: UnitOfWork, user: User | None, kind: str) -> bool:
    is_open = user is not None and not user.mail_locked and not user.is_guest
    return is_open and user is not None and user.id in Accounts.wanting_mail(work, [user.id], kind)


@dataclass(frozen=True, slots=True)
class MailHandler:
    """Handler of `mail.send`: finds the reader, creates the link, sends. If sending fails, the link is deleted."""

    database: Database
    composer: MailComposer
    transport: Transport
    sender: str
    translate: Translate
    vault: Vault

    def __call__(self, job: Job) -> None:
        text_name, language = str(job.payload["letter"]), str(job.payload["language"])
        secret = token_urlsafe(32) if text_name in LINK_LIFETIMES else ""
        # The reader is looked up in the transaction that writes the link, so nothing can end links in between.
        with self.database.write() if secret else self.database.read() as work:
            user = self._reader(work, job)
            if text_name in KINDS and not _wants(work, user, text_name):
                return
            to = str(job.payload.get("to") or (user.email if user else "") or "")
            login = user.login if user else str(job.payload.get("login", ""))
            if not login or not to:
                return  # no account has this address; the requester was told nothing either
            if secret and user is not None:
                links.add(work, digest(secret), user.id, text_name, to, work.now + LINK_LIFETIMES[text_name])
        language = user.locale[:2] if user and user.locale else language
        try:
            values = job.payload.get("values")
            stop = stop_token(self.vault, user.id, text_name) if user is not None and text_name in KINDS else ""
            mail = self.composer.compose(text_name, self.translate, language, to, login, secret, values, stop)
            self.transport.send(mail.message(self.sender))
        except DomainError:
            if secret:
                with self.database.write() as work:
                    links.forget(work, digest(secret))
            raise

    @staticmethod
    def _reader(work: UnitOfWork, job: Job) -> User | None:
        if "user" in job.payload:
            user = people.user(work, UserId(job.payload["user"]))
            # Requested before a new password or address: the requester knew only the old one.
            is_old = user is not None and job.payload.get("version", user.auth_version) != user.auth_version
            return None if is_old else user
        if "login" in job.payload:
            return None  # of an account that is closed
        user = people.user_by_login(work, str(job.payload["name"]))
        return None if user is None or user.is_guest or user.mail_locked else user
