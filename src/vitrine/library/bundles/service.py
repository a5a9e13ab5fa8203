"""Bundles: several files of several records behind links that end.

A bundle is rows: which files, under which names, with which digests. The archive itself is nowhere: it is laid out of
these rows each time somebody fetches it, of the files that its maker may have at that moment. So a right that was lost,
a record that was deleted and an account that was closed end what the link gives, and nobody has to think of it.
See docs/decisions/0159-bundles.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo
from hashlib import sha256

from vitrine.accounts import Accounts, Actor, Right, UserId, Via
from vitrine.accounts.errors import TooManyMails
from vitrine.accounts.mail import TOO_MANY
from vitrine.errors import Invalid, NotFound
from vitrine.jobs import JobKind, Jobs
from vitrine.library.bundles import store
from vitrine.library.bundles.archive import Layout, Member
from vitrine.library.bundles.captions import captions_csv
from vitrine.library.bundles.errors import LinkEnded, MayNotSend, NoSuchBundle, NotReady, TooManyBundles
from vitrine.library.bundles.events import BundleMade, BundleRevoked
from vitrine.library.bundles.model import (
    MOST_LINKS,
    MOST_LIVE,
    READY,
    Bundle,
    BundleFile,
    BundleLink,
    Captions,
    Draft,
    Receiver,
    State,
)
from vitrine.library.bundles.selection import CAPTIONS_NAME, LEFT_OUT_NAME, Current, Selection, key_of, unchanged
from vitrine.library.reports import UseKind, uses
from vitrine.library.sharing.downloads import NothingToDownload
from vitrine.library.sharing.quotas import DownloadQuotas, is_counted
from vitrine.library.terms.service import Terms
from vitrine.oauth.delegation import AuthorityEnded, Delegations
from vitrine.platform import audit
from vitrine.platform.crypto import digest, random_base62
from vitrine.platform.database import UnitOfWork
from vitrine.platform.rates import Rates

PREPARE = JobKind("bundles.prepare", lane="downloads", max_attempts=10)
SCOPE, SEND_SCOPE = "library:read", "baskets:share"
SECRET_LENGTH = 32  # base62 digits: 190 bits (contract 04 section 4)
MAILS_AN_HOUR = 200  # of one person
BEGUN_AN_HOUR = 200  # by one person, taken back or not


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link opens: the bundle, the files that it gives now, and (name, outcome) of what it does not give."""

    bundle: Bundle
    link: BundleLink | None
    given: tuple[tuple[BundleFile, Current], ...]
    missing: tuple[tuple[str, str], ...]

    @property
    def size(self) -> int:
        return sum(file.size for file, _ in self.given)


@dataclass(frozen=True, slots=True)
class Packed:
    """The archive as it is given away now; *tag* changes with its bytes."""

    layout: Layout
    tag: str
    bundle: Bundle
    link: BundleLink | None


@dataclass(frozen=True, slots=True)
class Bundles:
    """A bundle is its maker's; others have its links. Refusals: NoSuchBundle, LinkEnded, NotReady, MayNotSend,
    TooManyBundles, NothingToDownload, DownloadQuotaUsed, TermsNotAccepted, Invalid."""

    selection: Selection
    terms: Terms
    quotas: DownloadQuotas
    delegations: Delegations
    jobs: Jobs
    people: Accounts
    life: timedelta
    zone: tzinfo = UTC
    rates: Rates = field(default_factory=Rates)

    # -- the maker's ---------------------------------------------------------------------------------------------

    def begin(self, work: UnitOfWork, actor: Actor, draft: Draft) -> Bundle:
        """Write the bundle down and queue its preparation. What the actor may not have is refused file by file and
        named; the quota is asked for all files together."""
        draft.require_usable()
        others = [each for each in draft.receivers if each.user_id != actor.user_id]
        if others:
            require_may_send(work, actor)
        if store.count_live(work, actor.must_user_id, MOST_LIVE) >= MOST_LIVE:
            raise TooManyBundles(f"You have {MOST_LIVE} downloads. Take one back first, or wait until one ends.")
        if not self.rates.take("download", str(actor.must_user_id), BEGUN_AN_HOUR):
            raise TooManyBundles(f"You began {BEGUN_AN_HOUR} downloads within an hour. Try again later.")
        keys = list(dict.fromkeys(draft.keys))
        selected = self.selection.choose(work, actor, keys, draft.choice, for_others=bool(others))
        structure = self.selection.records.structure(work)
        self.terms.require_for_download(work, actor, {each.record.databox_id: None for each in selected.given})
        if not selected.given:
            raise NothingToDownload("You may not download any of these documents.", field="records")
        counted = [each.record for each in selected.given if is_counted(structure, each.record, each.rendition)]
        self.quotas.take(work, actor, counted)
        self._take_mails(actor, draft.receivers)
        expires = work.now + (draft.life or self.life)
        delegation = self.delegations.add(work, actor)
        bundle_id = store.add(work, actor.must_user_id, delegation, draft, selected.files, expires)
        for each in draft.receivers:
            store.add_link(work, bundle_id, user_id=each.user_id, email=each.email, digest=None)
        self.jobs.add(work, PREPARE, {"bundle_id": bundle_id}, key=str(bundle_id))
        uses.write(work, actor, UseKind.DOWNLOAD, (each.record.id for each in selected.given))
        if draft.receivers:
            uses.write(work, actor, UseKind.MAIL, (each.record.id for each in selected.given))
        details = {"files": len(selected.given), "recipients": len(draft.receivers), "expires": expires.isoformat()}
        audit.write(work, actor, "download.made", f"download {bundle_id}", details)
        work.emit(BundleMade(bundle_id, actor.must_user_id, len(selected.given), len(draft.receivers)))
        return self.get(work, actor, bundle_id)

    def receiver(self, work: UnitOfWork, named: UserId | str) -> Receiver:
        """Somebody with an account, by id or login. Raises Invalid for nobody, the guest, a closed or unconfirmed
        account, and one without an address."""
        try:
            user = self.people.find(work, named) if isinstance(named, str) else self.people.get(work, named)
        except NotFound as nobody:
            raise Invalid(f"There is no person {named}.", field="recipients") from nobody
        if user.is_guest or user.mail_locked or not user.email:
            raise Invalid(f"No mail can be sent to {named}.", field="recipients")
        return Receiver(user.id, "")

    def receivers(self, work: UnitOfWork, user_ids: Sequence[UserId]) -> list[Receiver]:
        """Those of *user_ids* who have an address. Raises Invalid where nobody has."""
        users = [self.people.known(work, user_id) for user_id in user_ids]
        reached = [Receiver(user.id, "") for user in users if user is not None and user.email and not user.mail_locked]
        if not reached:
            raise Invalid("Nobody in this list has an e-mail address.", field="recipients")
        return reached

    def get(self, work: UnitOfWork, actor: Actor, bundle_id: int) -> Bundle:
        """Raises NoSuchBundle, for those of others as well."""
        bundle = store.get(work, bundle_id)
        if bundle is None or bundle.user_id != actor.user_id:
            raise NoSuchBundle("There is no such download.", field="download")
        return bundle

    def page(self, work: UnitOfWork, actor: Actor, *, before: int | None, limit: int) -> list[Bundle]:
        """The actor's own, newest first."""
        return store.page(work, actor.must_user_id, before=before, limit=limit)

    def files(self, work: UnitOfWork, actor: Actor, bundle_id: int, *, after: int, limit: int) -> list[BundleFile]:
        """With the outcomes of their preparation; without the names of what the actor does not see any more."""
        self.get(work, actor, bundle_id)
        files = store.files(work, bundle_id, after=after, limit=limit)
        known = self.selection.known(work, actor, files)
        return [file if key_of(file) in known else replace(file, name="") for file in files]

    def links(self, work: UnitOfWork, actor: Actor, bundle_id: int) -> list[BundleLink]:
        """At most MOST_LINKS."""
        self.get(work, actor, bundle_id)
        return store.links(work, bundle_id)

    def add_link(self, work: UnitOfWork, actor: Actor, bundle_id: int) -> tuple[int, str]:
        """A link to hand out: its number and its secret, which is shown once. It gives to whoever has it, so it needs
        what sending needs."""
        bundle = self.get(work, actor, bundle_id)
        require_may_send(work, actor)
        self._require_open(work, bundle)
        if len(store.links(work, bundle_id)) >= MOST_LINKS:
            raise Invalid(f"A download has at most {MOST_LINKS} links.", field="download")
        secret = random_base62(SECRET_LENGTH)
        number = store.add_link(work, bundle_id, user_id=None, email="", digest=digest(secret))
        audit.write(work, actor, "download.link_made", f"download {bundle_id}", {"link": number})
        return number, secret

    def own_link(self, work: UnitOfWork, actor: Actor, bundle_id: int) -> str:
        """The secret of a link for the maker's own browser, to go on with at once."""
        bundle = self.get(work, actor, bundle_id)
        secret = random_base62(SECRET_LENGTH)
        store.add_link(work, bundle.id, user_id=actor.must_user_id, email="", digest=digest(secret))
        return secret

    def remove_link(self, work: UnitOfWork, actor: Actor, bundle_id: int, link_id: int) -> None:
        """Raises NoSuchBundle, also for a link that is none of this bundle."""
        self.get(work, actor, bundle_id)
        if not store.delete_link(work, bundle_id, link_id):
            raise NoSuchBundle("There is no such link.", field="link")
        audit.write(work, actor, "download.link_removed", f"download {bundle_id}", {"link": link_id})

    def revoke(self, work: UnitOfWork, actor: Actor, bundle_id: int) -> Bundle:
        """End all its links at once; a second time changes nothing."""
        bundle = self.get(work, actor, bundle_id)
        if bundle.state is not State.REVOKED:
            store.update(work, bundle_id, {"state": State.REVOKED.value})
            audit.write(work, actor, "download.revoked", f"download {bundle_id}")
            work.emit(BundleRevoked(bundle_id, bundle.user_id, actor.user_id))
        return self.get(work, actor, bundle_id)

    def _take_mails(self, actor: Actor, receivers: Sequence[Receiver]) -> None:
        for _ in receivers:
            if not self.rates.take("download-mail", str(actor.user_id), MAILS_AN_HOUR):
                raise TooManyMails(TOO_MANY, retry_after_s=3600)

    # -- whoever has a link --------------------------------------------------------------------------------------

    def by_secret(self, work: UnitOfWork, secret: str) -> tuple[Bundle, BundleLink]:
        """Raises NoSuchBundle, or LinkEnded with the maker's name."""
        link = store.link_by_digest(work, digest(secret)) if 8 <= len(secret) <= SECRET_LENGTH else None
        bundle = store.get(work, link.bundle_id) if link is not None else None
        if bundle is None or link is None:
            raise NoSuchBundle("This link is not known here.")
        self._require_open(work, bundle)
        reader = self.people.known(work, UserId(link.user_id)) if link.user_id is not None else None
        if link.user_id is not None and (reader is None or reader.mail_locked):  # closed or suspended
            raise self._ended(work, bundle)
        return bundle, link

    def opened(self, work: UnitOfWork, bundle: Bundle, link: BundleLink | None, actor: Actor | None = None) -> Opened:
        """What the bundle gives now, by the rights of *actor*; None: of its maker, in whose name a link gives. Somebody
        else's link gives what the maker may push. Raises LinkEnded."""
        self._require_open(work, bundle)
        actor = actor or self._maker(work, bundle)
        ready: list[BundleFile] = []
        missing: list[tuple[str, str]] = []
        for file in store.files(work, bundle.id):
            if file.outcome == READY:
                ready.append(file)
            elif file.outcome is not None:
                missing.append((file.name, file.outcome))
        given: list[tuple[BundleFile, Current]] = []
        for_others = link is not None and link.user_id != bundle.user_id
        now = self.selection.current(work, actor, ready, for_others=for_others)
        for file, current in zip(ready, now, strict=True):
            refusal = unchanged(file, current)
            if refusal is None and isinstance(current, Current):
                given.append((file, current))
            else:
                missing.append((f"{file.databox_id}/{file.number}", refusal or ""))
        return Opened(bundle, link, tuple(given), tuple(missing))

    def packed(self, work: UnitOfWork, opened: Opened, explained: str) -> Packed:
        """The archive of *opened*; *explained* stands above the names of what is not in it. Raises NotReady."""
        if opened.bundle.state is not State.READY:
            raise NotReady("The files are still being prepared. Try again in a moment.")
        at = opened.bundle.created.astimezone(self.zone)
        members = [
            Member(file.name, file.size, file.crc, (file.modified or at).astimezone(self.zone), sha256=file.digest)
            for file, _ in opened.given
        ]
        if opened.bundle.captions is Captions.CSV:
            rows = [(file.name, current) for file, current in opened.given]
            members.append(Member.of(CAPTIONS_NAME, captions_csv(work, self.selection.records, rows), at))
        if opened.missing:
            lines = (f"{name} ({outcome})" for name, outcome in opened.missing)
            text = explained + "\r\n\r\n" + "\r\n".join(lines) + "\r\n"
            members.append(Member.of(LEFT_OUT_NAME, text.encode(), at))
        facts = sha256()
        for member in members:
            facts.update(f"{member.name}\0{member.size}\0{member.crc}\0{member.sha256}\0".encode())
        return Packed(Layout.of(members), facts.hexdigest(), opened.bundle, opened.link)

    def count_download(self, work: UnitOfWork, bundle: Bundle, link: BundleLink | None) -> None:
        """For each time that the archive is fetched from its beginning."""
        store.count_download(work, bundle.id, link.id if link else None)

    def _maker(self, work: UnitOfWork, bundle: Bundle) -> Actor:
        """Raises LinkEnded."""
        if bundle.delegation_id is None:
            raise self._ended(work, bundle)
        try:
            return self.delegations.actor(work, bundle.delegation_id, (SCOPE,))
        except AuthorityEnded as ended:
            raise self._ended(work, bundle) from ended

    def _require_open(self, work: UnitOfWork, bundle: Bundle) -> None:
        """Raises LinkEnded."""
        if not bundle.state_at(work.now).is_open:
            raise self._ended(work, bundle)

    def _ended(self, work: UnitOfWork, bundle: Bundle) -> LinkEnded:
        ended = LinkEnded("This link has ended. Ask who sent it for another one.", why=f"download {bundle.id}")
        user = self.people.known(work, UserId(bundle.user_id))
        ended.maker = user.public_name if user is not None else ""
        return ended


def require_may_send(work: UnitOfWork, actor: Actor) -> None:
    """Who may give documents to other people: `canpush` somewhere, and a token that may send. Which documents is asked
    record by record. Raises MayNotSend."""
    if actor.via is Via.COMMAND:
        return
    if actor.scope is not None and SEND_SCOPE not in actor.scope:
        raise MayNotSend(f"The token needs the scope {SEND_SCOPE} for this.", why="scope")
    if not actor.rights.anywhere(Right.canpush, work.now):
        raise MayNotSend("You may not send documents to other people.", why=f"user {actor.user_id}")
