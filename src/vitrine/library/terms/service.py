"""Terms of use: publish, read, accept, and ask whether a person has accepted them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vitrine.accounts import Actor, Via
from vitrine.errors import Conflict, Forbidden, Invalid
from vitrine.library import access, structure_store
from vitrine.library.errors import ChangedMeanwhile, MayNotAdminister, TermsNotAccepted
from vitrine.library.events import TermsAccepted, TermsPublished
from vitrine.library.model import LANGUAGES, Databox, DataboxId
from vitrine.library.records import Records
from vitrine.library.terms import store
from vitrine.library.terms.html import sanitized
from vitrine.library.terms.store import Acceptance, TermsVersion
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

MOST_LISTED = 101  # a page of the API, and one that tells whether there is more


@dataclass(frozen=True, slots=True)
class Standing:
    """What one person has accepted of one databox. `is_accepted` is false while they must accept the version in force;
    true where there are no terms of use."""

    databox: Databox
    accepted: Acceptance | None

    @property
    def is_accepted(self) -> bool:
        required = self.databox.terms_required
        return required == 0 or (self.accepted is not None and self.accepted.number >= required)


@dataclass(frozen=True, slots=True)
class Terms:
    """*required_for_download*: nobody downloads from a databox whose terms they have not accepted."""

    records: Records
    required_for_download: bool = False

    # -- for everybody with access ---------------------------------------------------------------------------------

    def current(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> TermsVersion | None:
        """The version in force; None while a databox has no terms of use. Requires access to the databox."""
        self._readable(work, actor, databox)
        return next(iter(store.versions(work, databox, None, 1)), None)

    def standing(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> Standing:
        """What the actor has accepted there. Requires access to the databox."""
        box = self._readable(work, actor, databox)
        known = store.last_of(work, actor.user_id, [databox]) if actor.user_id is not None else {}
        return Standing(box, known.get(databox))

    def accept(self, work: UnitOfWork, actor: Actor, databox: DataboxId, number: int) -> Standing:
        """The actor accepts version *number*, which must be the one in force: nobody accepts a text that they have not
        read. Raises Conflict without terms of use, ChangedMeanwhile for another version, Forbidden for nobody."""
        box = self._readable(work, actor, databox)
        if actor.user_id is None:
            raise Forbidden("Only a person can accept terms of use. Sign in first.")
        if not box.terms_number:
            raise Conflict("This databox has no terms of use.")
        if number != box.terms_number:
            raise ChangedMeanwhile("There is a newer version of these terms of use. Read it, then accept it.")
        if store.accept(work, actor.user_id, databox, number):
            work.emit(TermsAccepted(databox, number, actor.user_id))
            audit.write(work, actor, "terms.accepted", f"databox {databox}", {"number": number})
        return self.standing(work, actor, databox)

    def _readable(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> Databox:
        """The databox, with access to it. Who holds rights on single records may be shown one of any databox, and must
        be able to accept its terms. Raises NoSuchDatabox or MayNotSee."""
        box = self.records.structure(work).databoxes.get(databox)
        if box is not None and actor.rights.has_grants:
            return box
        return self.records.databox(work, actor, databox)

    def missing(self, work: UnitOfWork, actor: Actor, databoxes: Iterable[DataboxId]) -> list[Databox]:
        """Those of *databoxes* whose terms the actor must still accept. At most one statement."""
        structure = self.records.structure(work)
        boxes = [structure.databoxes[databox] for databox in dict.fromkeys(databoxes) if databox in structure.databoxes]
        with_terms = [box for box in boxes if box.terms_required]
        if actor.user_id is None or not with_terms:
            return with_terms if actor.via is not Via.COMMAND else []
        known = store.last_of(work, actor.user_id, [box.id for box in with_terms])
        return [box for box in with_terms if not Standing(box, known.get(box.id)).is_accepted]

    def require_for_download(self, work: UnitOfWork, actor: Actor, databoxes: Iterable[DataboxId]) -> None:
        """Where the setting `terms_required_for_download` says so, raises TermsNotAccepted with those of *databoxes*
        whose terms the actor must accept before they download from them."""
        missing = self.missing(work, actor, databoxes) if self.required_for_download else []
        if missing:
            names = ", ".join(box.view_name for box in missing)
            refusal = TermsNotAccepted("Accept the terms of use of {name} first.", values={"name": names})
            refusal.databoxes = tuple(box.id for box in missing)
            raise refusal

    # -- for who manages the databox -------------------------------------------------------------------------------

    def publish(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, texts: Mapping[str, object], *, must_accept: bool
    ) -> TermsVersion:
        """A new version with these texts by language, sanitized, in place of the former one. With *must_accept*, and
        for the first version, everybody must accept anew. Raises MayNotAdminister or Invalid."""
        box = self._managed(work, actor, databox)
        unknown = [language for language in texts if language not in LANGUAGES]
        if unknown or not texts:
            raise Invalid(f"Give the terms of use by language: {', '.join(LANGUAGES)}.", field="texts")
        clean = {language: sanitized(text, field=f"texts.{language}") for language, text in texts.items()}
        number = box.terms_number + 1
        must_accept = must_accept or number == 1
        store.add(work, databox, number, clean, must_accept=must_accept, publisher_id=actor.user_id)
        required = {"terms_required": number} if must_accept else {}
        structure_store.update_databox(work, databox, {"terms_number": number, **required})
        structure_store.increase_version(work)
        work.emit(TermsPublished(databox, number, must_accept, actor.user_id))
        details = {"number": number, "must_accept": must_accept, "languages": sorted(clean)}
        audit.write(work, actor, "terms.published", f"databox {databox}", details)
        return store.versions(work, databox, None, 1)[0]

    def newest(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> TermsVersion | None:
        """The version in force for who manages the databox; None for others, and where there is none."""
        if not access.manages_databox(actor, databox):
            return None
        return next(iter(store.versions(work, databox, None, 1)), None)

    def versions(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, *, before: int | None = None, limit: int = MOST_LISTED
    ) -> list[TermsVersion]:
        """All versions, newest first."""
        self._managed(work, actor, databox)
        return store.versions(work, databox, before, min(limit, MOST_LISTED))

    def acceptances(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, *, after: tuple[int, int] | None = None,
        limit: int = MOST_LISTED,
    ) -> list[Acceptance]:  # fmt: skip
        """Who accepted which version, and when: by person and version, those after (person, version)."""
        self._managed(work, actor, databox)
        return store.acceptances(work, databox, after, min(limit, MOST_LISTED))

    def _managed(self, work: UnitOfWork, actor: Actor, databox: DataboxId) -> Databox:
        box = self.records.structure(work).databoxes.get(databox)
        if box is None or not access.manages_databox(actor, databox):
            self.records.databox(work, actor, databox)
            raise MayNotAdminister("You may not manage this databox.", why=f"databox {databox}")
        return box
