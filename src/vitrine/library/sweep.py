"""Deletes what nothing refers to any more: bytes, copies of deleted records, derivatives.

Candidates come from rows that expire, so that the bytes of deleted records go when their time is over. What leaves no
row (bytes of refused uploads, originals that were replaced, pieces that a killed process left) is found by a walk
through the store, which looks at a bounded number of blobs an hour and goes on where it stopped. Everything is looked
for outside the write lock and asked again inside it. See docs/decisions/0101-the-sweep-knows-its-candidates.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from vitrine.jobs import Job, JobKind
from vitrine.library import changes_store, derivative_store, store, structure_store
from vitrine.media.service import Media
from vitrine.platform import supervision
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.stamps import set_stamp, stamp

SWEEP = JobKind("media.sweep", lane="upkeep")
GRACE = timedelta(days=7)
DERIVATIVES_KEPT = timedelta(days=180)  # an older one is made again on the next request
BATCH = 500
REMOVED_BATCH = 50  # records, each of some files: they are deleted under the write lock
BLOBS_AN_HOUR = 20_000
DERIVATIVES_AN_HOUR = 20_000
DELETED_AT_ONCE = 10  # blobs in one transaction
SWEEP_PAUSE = "sweep_rests"
# Where the walks go on: the first digits of a digest as a number, since stamps are numbers of 64 bits.
_BLOBS_SEEN, _DERIVATIVES_SEEN = "sweep_blobs", "sweep_derivatives"
_DIGITS = 15


def pause_sweep(work: UnitOfWork, until: datetime) -> None:
    """Make the sweep delete nothing until *until*: a backup is copying files that an earlier state of the database
    refers to."""
    set_stamp(work, SWEEP_PAUSE, round(until.timestamp()))


def is_sweep_paused(work: UnitOfWork) -> bool:
    return stamp(work, SWEEP_PAUSE) > work.now.timestamp()


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Deletes bytes that no row refers to and that are older than a grace, such as those of refused uploads."""

    database: Database
    media: Media

    def __call__(self, _job: Job) -> None:
        self.sweep(GRACE, blobs=BLOBS_AN_HOUR, derivatives=DERIVATIVES_AN_HOUR)

    def sweep(self, grace: timedelta, *, blobs: int | None = None, derivatives: int | None = None) -> int:
        """Returns the number of deleted blobs. Bytes of deleted records stay for *grace*, so that they can be
        recovered. At most *blobs* blobs and *derivatives* derivatives are looked at, after those of the last call;
        None: all of them."""
        self._prune_derivatives(derivatives)
        self.media.sweep_spool(max(grace, timedelta(minutes=0)))
        return self._purge_removed(grace) + self._walk(grace, blobs)

    # -- derivatives ---------------------------------------------------------------------------------------------

    def _prune_derivatives(self, most: int | None) -> None:
        after, seen = (self._begin(_DERIVATIVES_SEEN, most), ""), 0
        while most is None or seen < most:
            supervision.beat()
            with self.database.read() as work:
                keys = derivative_store.keys_after(work, after, BATCH)
                stale = derivative_store.stale(work, keys, work.now - DERIVATIVES_KEPT)
            is_end = len(keys) < BATCH
            seen, after = seen + len(keys), ("", "") if is_end else keys[-1]
            with self.database.write() as work:
                derivative_store.delete(work, derivative_store.stale(work, stale, work.now - DERIVATIVES_KEPT))
                _stop_at(work, _DERIVATIVES_SEEN, after[0])
            if is_end:
                return

    # -- deleted records -----------------------------------------------------------------------------------------

    def _purge_removed(self, grace: timedelta) -> int:
        """Delete the copies of records deleted before the grace, and their bytes."""
        deleted = 0
        while True:
            supervision.beat()
            with self.database.read() as work:
                expired = changes_store.expired_removed(work, work.now - grace, REMOVED_BATCH)
            if not expired:
                return deleted
            with self.database.write() as work:
                if is_sweep_paused(work):
                    return deleted
                digests = changes_store.purge_removed(work, expired, work.now - grace)
            # After the commit: bytes that are gone do not come back with the rows of a failed one. If this is killed
            # here, the walk finds them.
            deleted += self._delete_orphans(digests, grace)

    # -- bytes without rows --------------------------------------------------------------------------------------

    def _walk(self, grace: timedelta, most: int | None) -> int:
        deleted, blobs = 0, self.media.store.listing(self._begin(_BLOBS_SEEN, most))
        looked_at = 0
        while most is None or looked_at < most:
            supervision.beat()
            batch = list(islice(blobs, BATCH))
            looked_at += len(batch)
            old = [blob.sha256 for blob in batch if datetime.now(UTC) - blob.modified >= grace]
            with self.database.read() as work:
                orphans = self._orphans(work, old, grace)
            deleted += self._delete_orphans(orphans, grace)
            is_end = len(batch) < BATCH
            with self.database.write() as work:
                if is_sweep_paused(work):
                    return deleted
                _stop_at(work, _BLOBS_SEEN, "" if is_end else batch[-1].sha256)
            if is_end:
                break
        return deleted

    def _orphans(self, work: UnitOfWork, digests: Sequence[str], grace: timedelta) -> list[str]:
        """Those of *digests* that no row refers to and that are old."""
        if not digests:
            return []
        used = store.referenced(work, digests) | derivative_store.referenced(work, digests)
        used |= structure_store.pictures(work)
        return [sha256 for sha256 in digests if sha256 not in used and self.media.is_old(sha256, grace)]

    def _delete_orphans(self, digests: Sequence[str], grace: timedelta) -> int:
        """Under the write lock: an upload of the same bytes cannot commit between the check and the deletion. An upload
        that stored them after the list was made, and commits next, has renewed their age. A few at once, since nobody
        can write while an object store is deleting."""
        deleted = 0
        for start in range(0, len(digests), DELETED_AT_ONCE):
            supervision.beat()
            with self.database.write() as work:
                if is_sweep_paused(work):
                    return deleted
                for sha256 in self._orphans(work, digests[start : start + DELETED_AT_ONCE], grace):
                    self.media.delete_blob(sha256)
                    deleted += 1
        return deleted

    def _begin(self, name: str, most: int | None) -> str:
        """After which digest a walk begins; one without a bound begins at the first."""
        if most is None:
            return ""
        with self.database.read() as work:
            number = stamp(work, name)
        return f"{number:0{_DIGITS}x}" if number else ""


def _stop_at(work: UnitOfWork, name: str, sha256: str) -> None:
    set_stamp(work, name, int(sha256[:_DIGITS] or "0", 16))
