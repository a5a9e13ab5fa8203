"""Sessions: opened by a sign-in, kept open by use, ended by their owner; and recent authentication."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_urlsafe

from vitrine.accounts import store
from vitrine.accounts.credential_revocation import Event
from vitrine.accounts.errors import RecentAuthRequired, WrongCode
from vitrine.accounts.model import Actor, OpenedBy, Session, SessionId, SignIn, User, Via
from vitrine.accounts.service import Accounts, SignInPolicy
from vitrine.errors import NotFound
from vitrine.platform import audit
from vitrine.platform.crypto import base64url, digest, signature
from vitrine.platform.database import UnitOfWork

SESSION_BYTES = 32
BY_PASSWORD = SignIn(OpenedBy.PASSWORD)
TOUCH_EVERY = timedelta(minutes=5)
SESSION_ACTIONS = ("session.opened", "session.ended")  # of the audit log


@dataclass(slots=True)
class Sessions:
    accounts: Accounts
    _csrf_key: bytes = b""

    def __post_init__(self) -> None:
        self._csrf_key = self.accounts.vault.derive("csrf")

    @property
    def policy(self) -> SignInPolicy:
        return self.accounts.policy

    def open(
        self,
        work: UnitOfWork,
        user: User,
        *,
        address: str,
        agent: str,
        sign_in: SignIn = BY_PASSWORD,
        auth_time: datetime | None = None,
    ) -> tuple[str, Session]:
        """Begin a session. Returns its secret, for the cookie only, and the session. *user* is the row that was read
        for the authentication, *auth_time* its time if not now. Raises WrongCode if the authentication was ended
        since."""
        if not self.accounts.is_current(work, user):
            raise WrongCode("The first step of signing in is too long ago. Please begin again.", field="login")
        secret = token_urlsafe(SESSION_BYTES)
        session = Session(
            id=SessionId(0),
            user_id=user.id,
            created=work.now,
            auth_time=min(auth_time or work.now, work.now),
            last_seen=work.now,
            expires=work.now + self.policy.session,
            address=address[:64],
            agent=agent[:255],
            opened_by=sign_in.by.value,
            authenticator_id=sign_in.authenticator_id,
            second_factor=sign_in.second_factor,
        )
        session_id = store.add_session(work, digest(secret), session)
        audit.write(work, None, "session.opened", f"user {user.id}", address=address)
        return secret, replace(session, id=session_id)

    def actor_of(self, work: UnitOfWork, secret: str, address: str = "") -> Actor | None:
        """The person of this session cookie; None if the session is unknown or has ended."""
        session = store.session_by_digest(work, digest(secret))
        if session is None or session.expires <= work.now:
            return None
        user = store.user(work, session.user_id)
        if user is None or user.mail_locked:
            return None
        return self.accounts.actor_of(work, user, Via.SESSION, session=session, address=address)

    def needs_touch(self, session: Session, now: datetime) -> bool:
        """True if the last recorded use is some minutes old. Each recorded use costs a deferred write (`touch`)."""
        return now - session.last_seen > TOUCH_EVERY

    def touch(self, work: UnitOfWork, last_uses: Mapping[int, datetime]) -> None:
        """Extend used sessions, whose lifetime counts from their last use. Ended sessions stay ended."""
        for session_id, at in sorted(last_uses.items()):
            store.touch_session(work, SessionId(session_id), at, at + self.policy.session)

    def record_reauthentication(self, work: UnitOfWork, actor: Actor) -> None:
        """Record that the password was given again; the caller checked it with `check_password`."""
        assert actor.session is not None
        store.prove_session(work, actor.session.id)

    def has_recent_auth(self, work: UnitOfWork, actor: Actor) -> bool:
        return actor.session is not None and work.now - actor.session.auth_time <= self.policy.recent_auth

    def require_recent_auth(self, work: UnitOfWork, actor: Actor) -> None:
        """Raises RecentAuthRequired unless the password was given within `policy.recent_auth` (design 5.4)."""
        if not self.has_recent_auth(work, actor):
            raise RecentAuthRequired("Please enter your password again to see this.")

    def of(self, work: UnitOfWork, actor: Actor) -> list[Session]:
        return store.sessions_of(work, actor.must_user_id)

    def end(self, work: UnitOfWork, actor: Actor, session_id: SessionId) -> None:
        """End one of the actor's own sessions. Raises NotFound for any other."""
        if not store.delete_session(work, actor.must_user_id, session_id):
            raise NotFound("There is no such session of yours.")
        audit.write(work, actor, "session.ended", f"session {session_id}")

    def end_others(self, work: UnitOfWork, actor: Actor) -> int:
        return store.delete_sessions(work, actor.must_user_id, keep=actor.session.id if actor.session else None)

    def end_everything(self, work: UnitOfWork, actor: Actor) -> None:
        """End everything that gives access to the actor's account or acts for them, except the current session. Raises
        RecentAuthRequired."""
        self.require_recent_auth(work, actor)
        self.accounts.end_credentials(work, actor, Event.EVERYTHING_ENDED)
        audit.write(work, actor, "everything.ended", f"user {actor.user_id}")

    def csrf_token(self, session_secret: str) -> str:
        """The token that proves that a form came from our own page, bound to the session or to the visitor's cookie."""
        return base64url(signature(self._csrf_key, session_secret.encode()))
