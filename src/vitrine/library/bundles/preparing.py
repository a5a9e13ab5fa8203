"""Jobs of bundles: prepare the files, then mail the links.

Preparing makes the copies with overlays that are missing, and takes the checksum of each file. It goes some files at a
time, each batch written in a transaction of its own: a worker that is killed leaves no half file, and the next one goes
on after the last batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from vitrine.accounts import UserId
from vitrine.accounts.mail_texts import MailComposer
from vitrine.errors import DomainError
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.library.bundles import store
from vitrine.library.bundles.archive import PIECE
from vitrine.library.bundles.events import BundleNotMailed, BundleReady
from vitrine.library.bundles.model import CHANGED, READY, Bundle, BundleFile, State
from vitrine.library.bundles.selection import Current
from vitrine.library.bundles.service import PREPARE, SCOPE, SECRET_LENGTH, Bundles
from vitrine.media.service import Media
from vitrine.oauth.delegation import AuthorityEnded
from vitrine.platform import logging, supervision
from vitrine.platform.crypto import digest, random_base62
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.mail import Translate, Transport

log = logging.get("vitrine.library")
MAIL = JobKind("bundles.mail", lane="mail", max_attempts=8)
BATCH = 20  # files of one transaction
__all__ = ["MAIL", "PREPARE", "BundleMailer", "BundlePreparation"]


@dataclass(frozen=True, slots=True)
class BundlePreparation:
    """Handler of `bundles.prepare`."""

    database: Database
    media: Media
    bundles: Bundles
    jobs: Jobs

    def __call__(self, job: Job) -> None:
        while self.run_batch(int(job.payload["bundle_id"])):
            supervision.beat()

    def run_batch(self, bundle_id: int) -> bool:
        """Prepare the next files; False when there are none."""
        with self.database.read() as work:
            bundle = store.get(work, bundle_id)
            if bundle is None or bundle.state_at(work.now) not in (State.WAITING, State.PREPARING):
                return False
            files = store.waiting_files(work, bundle_id, BATCH)
            current = self._current(work, bundle, files)
        if current is None:
            with self.database.write() as work:
                store.update(work, bundle_id, {"state": State.ENDED.value})
            return False
        done = [self._prepared(file, state) for file, state in zip(files, current, strict=True)]
        with self.database.write() as work:
            now = store.get(work, bundle_id)
            if now is None or now.state_at(work.now) not in (State.WAITING, State.PREPARING):
                return False  # taken back meanwhile
            if done:
                store.write_outcomes(work, now, done)
                return True
            self._finish(work, now)
            return False

    def _current(self, work: UnitOfWork, bundle: Bundle, files: Sequence[BundleFile]) -> list[Current | str] | None:
        """None where the permission behind the bundle ended."""
        try:
            if bundle.delegation_id is None:
                return None
            actor = self.bundles.delegations.actor(work, bundle.delegation_id, (SCOPE,))
        except AuthorityEnded as ended:
            log.info("bundle.ended", bundle=bundle.id, why=ended.why)
            return None
        return self.bundles.selection.current(work, actor, files)

    def _prepared(self, file: BundleFile, current: Current | str) -> BundleFile:
        """With its outcome. What cannot be marked, or has lost its bytes, never stops the others."""
        if isinstance(current, str):
            return replace(file, outcome=current)
        if current.recipe != file.recipe:
            return replace(file, outcome=CHANGED)  # its name says which kind of picture it is
        try:
            source = current.rendition.sha256 or ""
            sha256 = source
            if current.overlay is not None:
                sha256 = self.bundles.selection.overlays.make(current.overlay).sha256
            size, crc = self._checksum(sha256)
        except DomainError as refusal:
            log.warning("bundle.left_out", bundle_file=file.position, code=refusal.code, why=refusal.why)
            return replace(file, outcome=refusal.code)
        return replace(file, outcome=READY, source=source, digest=sha256, size=size, crc=crc)

    def _checksum(self, sha256: str) -> tuple[int, int]:
        size, crc = 0, 0
        with self.media.store.open(sha256) as blob:
            while piece := blob.read(PIECE):
                size, crc = size + len(piece), crc32(piece, crc)
                supervision.beat()
        return size, crc

    def _finish(self, work: UnitOfWork, bundle: Bundle) -> None:
        store.update(work, bundle.id, {"state": State.READY.value})
        for link in store.links(work, bundle.id):
            if link.sent is None and (link.email or link.user_id is not None):
                self.jobs.add(work, MAIL, {"link_id": link.id}, key=str(link.id))
        work.emit(BundleReady(bundle.id, bundle.user_id, bundle.refused))


@dataclass(frozen=True, slots=True)
class BundleMailer:
    """Handler of `bundles.mail`: makes the secret and sends it. No secret is kept in the queue."""

    database: Database
    bundles: Bundles
    composer: MailComposer
    transport: Transport
    sender: str
    translate: Translate

    def __call__(self, job: Job) -> None:
        link_id, secret = int(job.payload["link_id"]), random_base62(SECRET_LENGTH)
        with self.database.write() as work:
            link = store.link(work, link_id)
            bundle = store.get(work, link.bundle_id) if link is not None else None
            if link is None or bundle is None or bundle.state_at(work.now) is not State.READY:
                return
            people = self.bundles.people
            reader = people.known(work, UserId(link.user_id)) if link.user_id is not None else None
            maker = people.known(work, UserId(bundle.user_id))
            to = (reader.email if reader else link.email) or ""
            if not to or maker is None or (reader is not None and reader.mail_locked):
                return
            store.set_secret(work, link_id, digest(secret))
        language = (reader.locale or "")[:2] if reader else (maker.locale or "")[:2]
        values = {
            "sender": maker.public_name, "title": bundle.title or str(bundle.id), "note": bundle.note,
            "at": bundle.expires.timestamp(),
        }  # fmt: skip
        text_name = "download-with-note" if bundle.note else "download"
        try:
            mail = self.composer.compose(text_name, self.translate, language, to, "", f"{secret}/prepare/", values)
            self.transport.send(mail.message(self.sender))
        except DomainError:
            with self.database.write() as work:
                store.set_secret(work, link_id, None)
                if job.is_last_attempt:
                    work.emit(BundleNotMailed(bundle.id, bundle.user_id))
            raise
