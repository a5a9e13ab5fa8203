"""Accounts of people: profile, password, sign-in, rights."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vitrine.accounts import giving, mfa_store, precis, store
from vitrine.accounts.credential_revocation import CredentialRevocation, Event, Occurrence
from vitrine.accounts.errors import AccountLocked, LoginTaken, PuzzleRequired, WrongCredentials
from vitrine.accounts.events import AccountCreated
from vitrine.accounts.model import Actor, User, UserId, Via
from vitrine.accounts.passwords import Passwords
from vitrine.accounts.puzzles import Puzzles, Solution
from vitrine.accounts.rights import CollectionGrant, DataboxRight, Rights
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.addresses import rate_limit_key
from vitrine.platform.cache import Cache
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.texts import fault_of_name

PROFILE_FIELDS = (
    "first_name", "last_name", "gender", "address", "zip_code", "city", "country",
    "phone", "fax", "job", "activity", "company", "locale",
)  # fmt: skip
WANTS_MAIL = "notifications"  # a preference: mails about notifications
MAILS_OFF = "mails_off"  # a preference: kinds of notifications without a mail
CONFIRM_WITHIN = timedelta(days=3)
_LOGIN = re.compile(r"[^\s\x00-\x1f]{1,128}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|[^@\s]+@localhost")


def checked_email(address: str) -> str:
    """*address* without surrounding blanks. Raises Invalid."""
    stripped = address.strip()
    if len(stripped) > 254 or not stripped.isprintable() or not _EMAIL.fullmatch(stripped):
        raise Invalid("This is not an e-mail address.", field="email")
    return stripped


def _check_login(login: str, *, is_old: bool = False) -> None:
    """*is_old*: the login comes from another server, where other rules held. Raises Invalid."""
    if not _LOGIN.fullmatch(login):
        raise Invalid("A login has 1 to 128 characters and no spaces.", field="login")
    if not is_old and not precis.is_identifier(login):
        raise Invalid("A login has letters, digits and signs of the keyboard only.", field="login")


def _require_free_login(work: UnitOfWork, login: str) -> None:
    """Raises LoginTaken."""
    taken = store.user_by_login(work, login)
    if store.by_mapped_login(work, login) or (taken is not None and store.fold(taken.login) == store.fold(login)):
        raise LoginTaken("Somebody already has this login.", field="login")


def _require_own_address(work: UnitOfWork, login: str, email: str | None) -> None:
    """People are found by login first, then by address, so nobody may have another person's address as login, nor
    another person's login as address. Raises Invalid or LoginTaken."""
    forms = {store.fold(login), precis.mapped_login(login)}
    if any("@" in form for form in forms):
        if email is None or store.fold(email) != store.fold(login):
            raise Invalid("A login that looks like an address must be your own.", field="login")
        if any(store.by_email(work, form) for form in forms):
            raise LoginTaken("Somebody already has this login.", field="login")
    if email is not None:
        require_free_address(work, email, None)


def require_free_address(work: UnitOfWork, address: str, owner_id: UserId | None) -> None:
    """Raises LoginTaken if *address* is the login of another person than *owner_id*, who would be found instead."""
    folded, mapped = store.fold(address), precis.mapped_login(address)
    other = store.user_by_login(work, address)
    if other is None or other.id == owner_id:
        return
    if store.fold(other.login) == folded or precis.mapped_login(other.login) == mapped:
        raise LoginTaken("Somebody has this address as login.", field="email")


def checked_profile(profile: Mapping[str, Any]) -> None:
    """Raises Invalid, with its field, for a text of a profile that is too long for its column or cannot be shown."""
    for name, value in profile.items():
        if name not in PROFILE_FIELDS or not isinstance(value, str) or not value:
            continue
        longest = store.PROFILE_LENGTHS.get(name)
        if longest is not None and len(value) > longest:
            raise Invalid("At most {count} characters.", field=name, values={"count": longest})
        fault = fault_of_name(value, has_lines=name == "address")
        if fault:
            raise Invalid(fault, field=name)


def _is_open(work: UnitOfWork, actor: Actor) -> bool:
    """False if the session in which *actor* came was ended since."""
    return actor.session is None or store.has_session(work, actor.must_user_id, actor.session.id)


@dataclass(frozen=True, slots=True)
class SignInPolicy:
    session: timedelta = timedelta(days=14)
    recent_auth: timedelta = timedelta(minutes=15)
    failures: int = 8
    wait: timedelta = timedelta(minutes=15)
    failures_before_puzzle: int = 5

    @property
    def failures_by_address(self) -> int:
        """Many people may share one address, so it may fail more often than one account."""
        return self.failures * 5


@dataclass(frozen=True, slots=True)
class KnownRights:
    """Rights of a version, from *since* until one of several grants on a collection begins or ends."""

    version: int
    rights: Rights
    since: datetime
    until: datetime | None

    def has_changed(self, now: datetime) -> bool:
        return self.until is not None and not self.since <= now <= self.until


@dataclass(slots=True)
class Accounts:
    """Accounts and their rights. `check_password` opens its own short transactions, since hashing takes tens of
    milliseconds and must not hold the write lock."""

    database: Database
    passwords: Passwords
    vault: Vault
    revocation: CredentialRevocation
    policy: SignInPolicy = field(default_factory=SignInPolicy)
    _rights: Cache[UserId, KnownRights] = field(default_factory=lambda: Cache("rights", 10_000))

    @property
    def puzzles(self) -> Puzzles:
        return Puzzles(self.vault)

    # -- accounts ------------------------------------------------------------------------------------------------

    def add(self, work: UnitOfWork, actor: Actor, *, login: str, password: str | None, **profile: Any) -> User:
        """Create an account, for administrators and the command line. An empty instance lets anybody create the first
        administrator (see `add_first_administrator`).

        Raises Forbidden, Invalid (login, email), LoginTaken, WeakPassword."""
        if not actor.is_admin:
            raise Forbidden("Only administrators may make accounts.")
        return self._add(work, login, password, profile)

    def add_first_administrator(self, work: UnitOfWork, *, login: str, password: str, **profile: Any) -> User:
        """Raises Forbidden if any account exists, since the page that calls this is open to everybody."""
        if store.has_users(work):
            raise Forbidden("This instance already has an administrator.")
        return self._add(work, login, password, {**profile, "is_admin": True})

    def _add(
        self, work: UnitOfWork, login: str, password: str | None, profile: dict[str, Any], *, is_old: bool = False
    ) -> User:
        """*is_old*: the login comes from another server, where other rules held."""
        login = login.strip()
        _check_login(login, is_old=is_old)
        email = (profile.pop("email", None) or "").strip() or None
        if email is not None:
            checked_email(email)
        if not is_old:
            _require_own_address(work, login, email)
        checked_profile(profile)
        _require_free_login(work, login)
        values = {
            "login": login,
            "login_folded": store.fold(login),
            "login_mapped": precis.mapped_login(login),
            "email": email,
            "email_folded": store.fold(email) if email else None,
            "password_hash": self.passwords.hash(password) if password is not None else None,
            **profile,
        }
        user = self.get(work, store.add_user(work, values))
        audit.write(work, None, "user.created", f"user {user.id}")
        work.emit(AccountCreated(user.id))
        return user

    @staticmethod
    def require_addable(work: UnitOfWork, *, login: str, email: str, **profile: Any) -> None:
        """Raises what `add_unconfirmed` raises for a login and a profile, and nothing that depends on whether somebody
        has the address *email* already."""
        login = login.strip()
        _check_login(login)
        checked_profile(profile)
        if store.fold(login) == store.fold(email):
            return
        if any("@" in form for form in (store.fold(login), precis.mapped_login(login))):
            raise Invalid("A login that looks like an address must be your own.", field="login")
        _require_free_login(work, login)

    def add_unconfirmed(self, work: UnitOfWork, *, login: str, password_hash: str | None, **profile: Any) -> User:
        """Create an account that stays locked until it is confirmed, and is deleted if nobody does so in time. It has
        no rights. The caller decided who may do this. Raises Invalid or LoginTaken."""
        user = self._add(work, login, None, {**profile, "mail_locked": True, "confirm_by": work.now + CONFIRM_WITHIN})
        if password_hash is not None:
            store.set_password_hash(work, user.id, password_hash)
        return user

    def import_account(
        self, work: UnitOfWork, actor: Actor, *, login: str, password_hash: str | None, **profile: Any
    ) -> User:
        """Import an account, with its password hash if this server can verify it. Without a hash its owner cannot sign
        in until an administrator sets a password. Raises as `add` does."""
        if not actor.is_admin:
            raise Forbidden("Only administrators may make accounts.")
        if password_hash is not None and not self.passwords.can_check(password_hash):
            raise Invalid("password_hash must be a bcrypt or an argon2 hash.", field="password_hash")
        user = self._add(work, login, None, profile, is_old=True)
        if password_hash is not None:
            store.set_password_hash(work, user.id, password_hash)
        return user

    def add_for_provider(self, work: UnitOfWork, *, login: str, address: str, **profile: Any) -> User:
        """Create an account for a person who signs in at an identity provider: without a password, without rights."""
        user = self._add(work, login, None, profile, is_old=True)
        audit.write(work, None, "external.account", f"user {user.id}", address=address)
        return user

    def has_password(self, work: UnitOfWork, user_id: UserId) -> bool:
        """False for people who sign in only at a provider, or must choose a password first."""
        return store.password_hash(work, user_id) is not None

    def get(self, work: UnitOfWork, user_id: UserId) -> User:
        user = store.user(work, user_id)
        if user is None:
            raise NotFound("There is no such account.")
        return user

    def known(self, work: UnitOfWork, user_id: UserId) -> User | None:
        """The account, or None if it no longer exists: for proofs that were signed earlier."""
        return store.user(work, user_id)

    def known_by_id(self, work: UnitOfWork, ids: Iterable[UserId]) -> dict[UserId, User]:
        """`known` for the people on a page, in one statement."""
        return store.users_by_id(work, ids)

    def find(self, work: UnitOfWork, login: str) -> User:
        user = store.user_by_login(work, login)
        if user is None:
            raise NotFound(f"Nobody has the login {login}.", field="login")
        return user

    @staticmethod
    def is_unconfirmed(work: UnitOfWork, user: User) -> bool:
        """True for a new account that waits to be confirmed: anybody can make one with another person's address."""
        return user.mail_locked and store.is_unconfirmed(work, user.id)

    def find_confirmed(self, work: UnitOfWork, login: str) -> User:
        """`find` without new accounts that wait to be confirmed."""
        user = self.find(work, login)
        if self.is_unconfirmed(work, user):
            raise NotFound(f"Nobody has the login {login}.", field="login")
        return user

    def is_empty(self, work: UnitOfWork) -> bool:
        return not store.has_users(work)

    def update_profile(self, work: UnitOfWork, actor: Actor, changes: dict[str, Any]) -> User:
        """Change the actor's own profile. Unknown fields are refused, absent ones stay."""
        unknown = set(changes) - set(PROFILE_FIELDS)
        if unknown:
            raise Invalid(f"These cannot be changed here: {', '.join(sorted(unknown))}.", field=min(unknown))
        current = self.get(work, actor.must_user_id)
        # An older value may stay until it is changed.
        checked_profile({name: value for name, value in changes.items() if getattr(current, name, None) != value})
        store.update_user(work, actor.must_user_id, changes)
        return self.get(work, actor.must_user_id)

    @staticmethod
    def set_wants_mail(work: UnitOfWork, actor: Actor, wanted: bool) -> None:
        """Whether the actor is told of notifications by mail too."""
        store.set_preference(work, actor.must_user_id, WANTS_MAIL, wanted)

    @staticmethod
    def set_mails_off(work: UnitOfWork, actor: Actor, kinds: list[str]) -> None:
        """The kinds of notifications that are not mailed to the actor."""
        store.set_preference(work, actor.must_user_id, MAILS_OFF, kinds)

    @staticmethod
    def mails_off(work: UnitOfWork, user_id: UserId) -> list[str]:
        return list(store.preference(work, user_id, MAILS_OFF) or [])

    @staticmethod
    def wants_any_mail(work: UnitOfWork, user_id: UserId) -> bool:
        return store.preference(work, user_id, WANTS_MAIL) is not False

    @staticmethod
    def wanting_mail(work: UnitOfWork, ids: Iterable[UserId], kind: str) -> set[UserId]:
        """Those to whom a notification of this kind is mailed: everybody who has not chosen otherwise."""
        return {
            user_id
            for user_id, chosen in store.preferences(work, ids).items()
            if chosen.get(WANTS_MAIL) is not False and kind not in (chosen.get(MAILS_OFF) or [])
        }

    @staticmethod
    def stop_mails(work: UnitOfWork, user_id: UserId, kind: str) -> None:
        """Mail no more notifications of this kind to a person."""
        muted = {*(store.preference(work, user_id, MAILS_OFF) or []), kind}
        store.set_preference(work, user_id, MAILS_OFF, sorted(muted))

    @staticmethod
    def managers_of(work: UnitOfWork, base_id: int, most: int) -> list[UserId]:
        """At most *most* people who manage the users of a collection now, in person or through a group; administrators
        where nobody does."""
        managers = store.managers_of(work, base_id, most)
        return managers or [user.id for user in store.administrators(work)][:most]

    def change_password(self, actor: Actor, *, old: str, new: str, end_applications: bool = False) -> None:
        """Change the actor's password. Ends what the table of `accounts.credential_revocation` says, and with
        *end_applications* the tokens of applications too. Raises WrongCredentials, AccountLocked or WeakPassword.

        A wrong current password counts as a failed sign-in, so a stolen session does not allow unlimited guesses. If
        the password or the session was ended since the check, nothing changes. Opens its own transactions, as
        `check_password` does; call it with none open."""
        not_right = WrongCredentials("The current password is not right.", field="old")
        try:
            checked = self.check_password(actor.login, old, actor.address)
        except WrongCredentials as refusal:
            raise not_right from refusal
        hashed = self.passwords.hash(new)
        with self.database.write() as work:
            if checked.id != actor.user_id or not self.is_current(work, checked) or not _is_open(work, actor):
                raise not_right
            store.set_password_hash(work, actor.must_user_id, hashed)
            self.end_credentials(work, actor, Event.PASSWORD_CHANGED, ticked=end_applications)
            details = {"applications_ended": end_applications}
            audit.write(work, actor, "password.changed", f"user {actor.user_id}", details)

    def end_credentials(
        self,
        work: UnitOfWork,
        actor: Actor,
        event: Event,
        *,
        authenticator_id: int | None = None,
        ticked: bool = False,
        application_id: int | None = None,
    ) -> None:
        """End what the table says for an event of the actor's own account."""
        current = actor.session.id if actor.session else None
        self.revocation.end_credentials(
            work, Occurrence(event, actor.must_user_id, application_id, current, authenticator_id, ticked)
        )

    # -- rights --------------------------------------------------------------------------------------------------

    def rights(self, work: UnitOfWork, user_id: UserId, version: int) -> Rights:
        """The rights of one person, cached while `users.rights_version` stays the same."""
        return self.known_rights(work, user_id, version).rights

    def known_rights(self, work: UnitOfWork, user_id: UserId, version: int) -> KnownRights:
        """`rights` with the moment until which they hold, for those who keep them longer than a request."""
        known = self._rights.get(user_id)
        if known is not None and known.version == version and not known.has_changed(work.now):
            return known
        held = store.held_rights(work, user_id)
        fresh = KnownRights(version, held.at(work.now), work.now, held.next_change(work.now))
        self._rights.keep(work, user_id, fresh)
        return fresh

    def grant(self, work: UnitOfWork, actor: Actor, user_id: UserId, grant: CollectionGrant) -> None:
        """Set a person's own rights on a collection. Only administrators may give more than they have there themselves,
        or change what somebody has who has more: rights, mask, dates or downloads. Raises Forbidden."""
        giving.require_not_guest(actor, store.user(work, user_id))
        giving.require_given(work, actor, grant)
        before = next(
            (own for own in store.own_grants(work, user_id, also_disabled=True) if own.base_id == grant.base_id), None
        )
        if before is not None:
            giving.require_given(work, actor, before)
        store.set_collection_rights(work, user_id, grant)
        audit.write(
            work, actor, "rights.granted", f"user {user_id}", {"base_id": grant.base_id, "rights": int(grant.rights)}
        )

    @staticmethod
    def require_databox_giver(actor: Actor) -> None:
        if not actor.administers:
            raise Forbidden("Only administrators may give rights on a databox.")

    def grant_databox(
        self, work: UnitOfWork, actor: Actor, user_id: UserId, databox_id: int, rights: DataboxRight
    ) -> None:
        self.require_databox_giver(actor)
        store.set_databox_rights(work, user_id, databox_id, rights)
        audit.write(work, actor, "rights.granted", f"user {user_id}", {"databox_id": databox_id, "rights": int(rights)})

    def actor_of(self, work: UnitOfWork, user: User, via: Via, **more: Any) -> Actor:
        """The person as an Actor, with rights loaded."""
        return Actor(
            via=via,
            user_id=user.id,
            login=user.login,
            display_name=user.display_name,
            is_admin=user.is_admin,
            url_key=user.url_key,
            locale=user.locale,
            rights=self.rights(work, user.id, user.rights_version),
            rights_version=user.rights_version,
            **more,
        )

    # -- signing in ----------------------------------------------------------------------------------------------

    def check_password(self, login: str, password: str, address: str, *, solution: Solution | None = None) -> User:
        """The account, if login and password are right and neither the account nor the address is locked.

        Forms that anybody can send give a *solution*, and after some failures it must solve a puzzle (`puzzle_for`),
        else PuzzleRequired is raised.

        Shared by the sign-in form, the authorize page and the password grant, so that they share one counter.
        Raises AccountLocked or WrongCredentials. Opens its own transactions; call it with none open.
        """
        with self.database.read() as work:
            user = store.user_by_login(work, login)
            # Login and e-mail address of an account share one counter, or there would be twice as many guesses. Blanks
            # are removed from unknown logins: with blanks one could equal the counter of a second step.
            login = user.login if user else "".join(login.split())
            known = user.id if user else None
            self.refuse_locked(work, login, address, known)
            self._require_solution(work, login, address, known, solution)
            hashed = store.password_hash(work, user.id) if user else None
        right = self.passwords.verify(hashed, password)
        usable = user is not None and not user.is_guest and not user.mail_locked
        better = None
        if right and hashed and self.passwords.needs_rehash(hashed, password):
            better = self.passwords.rehashed(password)  # before the write lock is taken
        with self.database.write() as work:
            # Checked again inside the write lock, so that parallel guesses are all counted.
            self.refuse_locked(work, login, address, known)
            self._require_solution(work, login, address, known, solution)
            if not right or not usable or user is None:
                store.add_failure(work, login, address)
            else:
                store.clear_failures(work, login)
                store.touch_connection(work, user.id)
                if better is not None and hashed is not None:
                    store.replace_password_hash(work, user.id, hashed, better)
        if not right or not usable or user is None:
            raise WrongCredentials("The login or the password is not right.", field="login")
        return user

    def puzzle_for(self, work: UnitOfWork, login: str, address: str) -> str:
        """The puzzle that a form must solve for the next attempt; empty while there were few failures, and for what
        can be no login."""
        if "\x00" in login:
            return ""
        user = store.user_by_login(work, login)
        name = user.login if user else "".join(login.split())
        subject = self._subject(work, name, address, user.id if user else None)
        return self.puzzles.make(subject, work.now) if subject else ""

    def _subject(self, work: UnitOfWork, login: str, address: str, user_id: UserId | None) -> str:
        """What a puzzle is about: the login, the network, and the failures of both, counted as `refuse_locked` does.
        Empty while they are few."""
        since = work.now - self.policy.wait
        usual = user_id is not None and store.has_session_from(work, user_id, address)
        by_login = store.failures_since(work, since, login=login, address=address if usual else None)
        by_address = store.failures_since(work, since, address=address) if address else 0
        few = self.policy.failures_before_puzzle
        if by_login < few and by_address < few * 5:
            return ""
        return f"sign-in {store.fold(login)} {rate_limit_key(address)} {by_login} {by_address}"

    def _require_solution(
        self, work: UnitOfWork, login: str, address: str, user_id: UserId | None, solution: Solution | None
    ) -> None:
        subject = self._subject(work, login, address, user_id) if solution is not None else ""
        if solution is not None and subject and not self.puzzles.is_solved(solution, subject, work.now):
            raise PuzzleRequired("Please wait until the time below is over, then send the form again.", field="puzzle")

    def has_second_step(self, work: UnitOfWork, user_id: UserId) -> bool:
        """True if a password alone does not open the account (`accounts.mfa`)."""
        return mfa_store.confirmed(work, user_id) is not None or bool(mfa_store.passkeys(work, user_id))

    def note_attempt(self, work: UnitOfWork, counter: str, address: str, *, right: bool) -> None:
        """Count a failure under *counter* (a login, or the key of a second step), or clear it after a success."""
        if right:
            store.clear_failures(work, counter)
        else:
            store.add_failure(work, counter, address)

    def refuse_locked(self, work: UnitOfWork, login: str, address: str, user_id: UserId | None = None) -> None:
        """Raises AccountLocked after too many failures for *login*, or from *address*.

        If *user_id* has a session from this address, only failures from there count for the login. Otherwise anybody
        who knows a login could lock out its owner for ever (docs/decisions/0061)."""
        since = work.now - self.policy.wait
        usual = user_id is not None and store.has_session_from(work, user_id, address)
        by_login = store.failures_since(work, since, login=login, address=address if usual else None)
        by_address = store.failures_since(work, since, address=address) if address else 0
        if by_login >= self.policy.failures or by_address >= self.policy.failures_by_address:
            minutes = round(self.policy.wait.total_seconds() / 60)
            raise AccountLocked(
                "Too many failed sign-ins. Please try again in {minutes} minutes.",
                values={"minutes": minutes},
                why=f"login failures {by_login}, address failures {by_address}",
                retry_after_s=round(self.policy.wait.total_seconds()),
            )

    def is_current(self, work: UnitOfWork, user: User) -> bool:
        """False if an event that ends pending sign-ins came after *user* was read: a new password, a removed passkey, a
        closed account."""
        now = store.user(work, user.id)
        return now is not None and not now.mail_locked and now.auth_version == user.auth_version

    # -- audit log -----------------------------------------------------------------------------------------------

    def audit_lines(self, work: UnitOfWork, actor: Actor, wanted: audit.AuditFilter, limit: int) -> list[audit.Line]:
        """The newest lines of the audit log, for administrators only. Raises Forbidden."""
        if not actor.is_admin:
            raise Forbidden("This is for administrators.")
        return list(audit.lines(work, wanted, limit))
