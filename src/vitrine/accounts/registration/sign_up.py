"""People who make an account themselves, and confirm it by a link in a mail (contract 06 section 18)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vitrine.accounts import store
from vitrine.accounts.errors import TooManyMails
from vitrine.accounts.mail import TOO_MANY, AccountMail
from vitrine.accounts.model import User
from vitrine.accounts.puzzles import Puzzles, Solution
from vitrine.accounts.registration.confirmation import owner_of, unlock
from vitrine.accounts.registration.service import Registration
from vitrine.accounts.revokers import CONFIRM, PASSWORD
from vitrine.accounts.service import Accounts, checked_email
from vitrine.errors import Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.addresses import rate_limit_key
from vitrine.platform.database import UnitOfWork
from vitrine.platform.rates import Rates
from vitrine.settings import SIGN_UP_FIELDS

BY_CALLER, BY_ADDRESS = 20, 3  # accounts an hour from one network, mails an hour to one address
_TEXTS = frozenset(SIGN_UP_FIELDS) - {"login", "gender"}


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """What the form has. *fields* are those besides e-mail and password, with true where one is required."""

    is_open: bool
    fields: Mapping[str, bool]
    terms_url: str

    @classmethod
    def of(cls, is_open: bool, fields: Sequence[str], terms_url: str) -> "SignUpForm":
        return cls(is_open, {name.rstrip("*"): name.endswith("*") for name in fields}, terms_url)


@dataclass(frozen=True, slots=True)
class SignUp:
    accounts: Accounts
    mail: AccountMail
    registration: Registration
    form: SignUpForm
    puzzles: Puzzles
    rates: Rates = field(default_factory=Rates)

    def require_open(self) -> None:
        """Raises NotFound where people do not make accounts themselves."""
        if not self.form.is_open:
            raise NotFound("Accounts are made by the people who run the library.")

    def puzzle(self, work: UnitOfWork, address: str) -> str:
        return self.puzzles.make(f"sign-up {rate_limit_key(address)}", work.now)

    def add(
        self, work: UnitOfWork, address: str, given: Mapping[str, str], bases: Sequence[int], language: str
    ) -> None:
        """Make an account from a form and mail the link that confirms it. The password was hashed by `hashed`.

        Whether the e-mail address has an account already is told to its owner alone, by mail. Raises Invalid or
        LoginTaken with the field, Forbidden for an unsolved puzzle, NotFound, or TooManyMails."""
        self.require_open()
        email = checked_email(given.get("email", ""))
        profile = self._profile(given)
        login = given.get("login", "").strip() if "login" in self.form.fields else ""
        solution = Solution(given.get("puzzle", ""), given.get("puzzle_number", ""))
        if not self.puzzles.is_solved(solution, f"sign-up {rate_limit_key(address)}", work.now):
            raise Forbidden("Please wait until the time below is over, then send the form again.", field="puzzle")
        if not self.rates.take("sign-up", rate_limit_key(address), BY_CALLER):
            raise TooManyMails(TOO_MANY, retry_after_s=3600)
        self.accounts.require_addable(work, login=login or email, email=email, **profile)
        owners = store.by_email(work, email)
        if owners or store.user_by_login(work, email) is not None:
            self._tell_owner(work, owners)
            return
        user = self.accounts.add_unconfirmed(
            work, login=login or email, email=email, password_hash=given["hashed"], **profile
        )
        self.registration.request(work, user, bases)
        audit.write(work, None, "user.signed_up", f"user {user.id}", address=address)
        if self.rates.take("sign-up-mail", store.fold(email), BY_ADDRESS):
            self.mail.send_confirmation(work, user, language)

    def _tell_owner(self, work: UnitOfWork, owners: Sequence[User]) -> None:
        for owner in owners:
            if not owner.mail_locked and self.rates.take("sign-up-mail", store.fold(owner.email or ""), BY_ADDRESS):
                self.mail.send(work, "account-exists", owner, {})

    def hashed(self, given: Mapping[str, str]) -> str:
        """The hash of the password of a form, whose fields are checked first: a hash costs more than everything else.
        Raises as `add` does, or WeakPassword."""
        self.require_open()
        checked_email(given.get("email", ""))
        self._profile(given)
        if self.form.terms_url and given.get("terms") != "1":
            raise Invalid("Please accept the terms of use.", field="terms")
        if given.get("password", "") != given.get("again", ""):
            raise Invalid("The two passwords are not the same.", field="again")
        return self.accounts.passwords.hash(given.get("password", ""))

    def _profile(self, given: Mapping[str, str]) -> dict[str, object]:
        """The fields of the form that are filled in. Raises Invalid for a required one that is not."""
        for name, required in self.form.fields.items():
            if required and not given.get(name, "").strip():
                raise Invalid("Please fill this in.", field=name)
        profile: dict[str, object] = {
            name: given[name].strip() for name in self.form.fields if name in _TEXTS and given.get(name, "").strip()
        }
        if "gender" in self.form.fields and given.get("gender") in ("0", "1", "2"):
            profile["gender"] = int(given["gender"])
        return profile

    def has_password(self, work: UnitOfWork, secret: str) -> bool:
        """Whether the account behind a link for `confirm` has a password. Raises LinkUsed."""
        return self.accounts.has_password(work, owner_of(work, secret, (CONFIRM,))[0].id)

    def confirm(self, work: UnitOfWork, secret: str) -> str:
        """Unlock an account by the link that was mailed. Returns the secret of a link to choose a password if somebody
        else made the account, and so it has none; else nothing. Raises LinkUsed."""
        user = unlock(work, self.registration, secret, (CONFIRM,))
        return "" if self.accounts.has_password(work, user.id) else self.mail.link(work, user, PASSWORD)
