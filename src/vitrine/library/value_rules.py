"""What the attributes of a field demand of its values (contract 06 section 6): the one place where they are enforced.

API v4, operations on many records and copies ask it. API v1 does not, as its contract says, nor does what comes out of
a file or is taken back (docs/decisions/0156). A value that a record has already is never refused.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vitrine.accounts import store as accounts_store
from vitrine.library.errors import ValueNotInVocabulary, ValueOfWrongType, ValueRequired
from vitrine.library.model import Field
from vitrine.library.partial_dates import is_date
from vitrine.library.value_edits import ValueEdit
from vitrine.platform.database import UnitOfWork

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
USERS = "users"


@dataclass(slots=True)
class ValueRules:
    """Checks the values of any number of records in one unit of work. *member* names a field in a refusal."""

    work: UnitOfWork
    member: Callable[[Field], str] = lambda target: target.name
    _people: dict[str, bool] = field(default_factory=dict)

    def require(self, edit: ValueEdit, changed: Sequence[Field]) -> None:
        """Ask of the *changed* fields of a record. Raises ValueRequired, ValueOfWrongType or ValueNotInVocabulary."""
        for target in changed:
            before = {value.value for value in edit.stored.get(target.id, ())}
            self.require_texts(target, edit.texts(target.id), before)

    def require_texts(self, target: Field, texts: Sequence[str], before: set[str] | None = None) -> None:
        """The same for the values *texts* of one field, of which the record has those of *before*."""
        if target.required and not texts:
            raise ValueRequired(f"{target.name} must be filled. Give it a value.", field=self.member(target))
        for text in texts:
            if text not in (before or ()):
                self._require_text(target, text)

    def _require_text(self, target: Field, text: str) -> None:
        if target.type == "number" and not _NUMBER.fullmatch(text):
            detail = f"{target.name} holds numbers, such as 12 or 0.5; {text[:40]!r} is none."
            raise ValueOfWrongType(detail, field=self.member(target))
        if target.type == "date" and not is_date(text):
            detail = f"{target.name} holds dates, such as 2009, 2009-07 or 2009-07-14; {text[:40]!r} is none."
            raise ValueOfWrongType(detail, field=self.member(target))
        if target.vocabulary_restricted and target.vocabulary_type == USERS and not self._is_person(text):
            detail = f"{target.name} holds logins of people who have an account here; {text[:40]!r} is none."
            raise ValueNotInVocabulary(detail, field=self.member(target))

    def _is_person(self, text: str) -> bool:
        known = self._people.get(text)
        if known is None:
            person = accounts_store.user_by_login(self.work, text)
            # By the login alone: an address would tell who has an account with it.
            is_login = person is not None and accounts_store.fold(person.login) == accounts_store.fold(text)
            known = self._people[text] = is_login and person is not None and not person.is_guest
        return known
