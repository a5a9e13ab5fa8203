"""Documents that an uploader announced and a worker fetches (contract 02 section 6.12).

An asset is described at `{base_url}/assets/{id}` and its file is at `{base_url}/assets/{id}/download`; both take the
uploader's token in the Authorization header. The token is encrypted while the job waits.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from vitrine.accounts import Actor
from vitrine.errors import Conflict, Invalid, NotFound, Unavailable
from vitrine.jobs import Job, JobKind, Jobs
from vitrine.library.ingest import Ingest
from vitrine.library.model import CollectionId
from vitrine.oauth.delegation import Delegations
from vitrine.platform import audit, logging
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.fetch import CannotFetch, Fetcher

log = logging.get("vitrine.library")
PULL = JobKind("uploads.pull", lane="uploads", max_attempts=10)
MOST_ASSETS = 1_000  # of one call
MOST_WAITING = 5_000  # of one person
LONGEST_ID = 200
SCOPE = "upload"
LONGEST_TOKEN = 4_000
DESCRIPTION_BYTES = 2**20


class QueueClosed(NotFound):
    """No uploader is allowed: the setting `upload_queue_hosts` is empty."""

    code = "upload_queue_closed"


class ForeignUploader(Invalid):
    """The host of `base_url` is not among the allowed ones."""

    code = "foreign_uploader"


class TooManyAssets(Conflict):
    """So many assets of this person wait already."""

    code = "too_many_assets"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What an uploader says: the assets of one commit, and where and with which token they are fetched."""

    assets: Sequence[str]
    publisher: str
    token: str
    base_url: str
    commit_id: str


@dataclass(frozen=True, slots=True)
class UploadQueue:
    """*hosts* are the allowed hosts of uploaders; *collection* takes the assets that name no collection (0: none)."""

    database: Database
    delegations: Delegations
    ingest: Ingest
    jobs: Jobs
    vault: Vault
    fetcher: Fetcher
    hosts: frozenset[str]
    collection: int

    def permit(self, work: UnitOfWork, actor: Actor) -> None:
        """Before the body. Raises MayNotAdd without `canaddrecord` on any collection, QueueClosed."""
        self.ingest.permit_any(work, actor)
        if not self.hosts:
            raise QueueClosed("This server takes no documents from uploaders.", why="upload_queue_hosts is empty")

    def enqueue(self, work: UnitOfWork, actor: Actor, announcement: Announcement) -> None:
        """Queue one job for each asset; an asset of this person that waits already is not queued twice. Raises also
        ForeignUploader, Invalid for too many assets of one call, or TooManyAssets."""
        self.permit(work, actor)
        base_url = self._allowed(announcement.base_url)
        if len(announcement.assets) > MOST_ASSETS:
            raise Invalid(f"assets may name at most {MOST_ASSETS}.", field="assets")
        if any(not 0 < len(asset) <= LONGEST_ID for asset in announcement.assets):
            raise Invalid(f"The name of an asset has 1 to {LONGEST_ID} characters.", field="assets")
        if len(announcement.token) > LONGEST_TOKEN:
            raise Invalid(f"token has at most {LONGEST_TOKEN} characters.", field="token")
        payload = {
            "base_url": base_url,
            "encrypted_token": self.vault.encrypt(announcement.token),
            "delegation": self.delegations.add(work, actor),
        }
        person = f"{actor.user_id or 0}:"
        for asset in dict.fromkeys(announcement.assets):
            key = hashlib.sha256(msgspec.json.encode([base_url, asset])).hexdigest()
            self.jobs.add(work, PULL, {**payload, "asset": asset}, key=person + key)
        if self.jobs.unfinished(work, PULL, person, MOST_WAITING + 1) > MOST_WAITING:
            raise TooManyAssets(
                f"At most {MOST_WAITING} of your assets can wait to be fetched. Announce these when some have arrived.",
                field="assets",
            )
        details = {"assets": len(announcement.assets), "host": urlsplit(base_url).hostname}
        audit.write(work, actor, "uploads.announced", "upload queue", details)

    def _allowed(self, base_url: str) -> str:
        try:
            parts = urlsplit(base_url)
            host = (parts.hostname or "").lower()
        except ValueError:
            host = ""
        if not host or parts.scheme not in ("http", "https") or parts.username is not None or host not in self.hosts:
            raise ForeignUploader(
                "base_url must be an address of an uploader that this server knows.", field="base_url"
            )
        return parts._replace(query="", fragment="").geturl().rstrip("/")

    # -- in the worker -------------------------------------------------------------------------------------------

    def __call__(self, job: Job) -> None:
        """Handler of `uploads.pull`: one asset becomes a record or waits in the quarantine. If the worker dies after
        that, the file comes a second time and the check for known files keeps it in the quarantine."""
        delegation = job.payload["delegation"]
        with self.database.read() as work:
            self.ingest.permit_any(work, self.delegations.actor(work, delegation, (SCOPE,)))
        address = f"{self._allowed(job.payload['base_url'])}/assets/{quote(job.payload['asset'], safe='')}"
        headers = {"Authorization": f"AssetToken {self.vault.decrypt(job.payload['encrypted_token'])}"}
        try:
            description = self._description(address, headers)
            into = self._collection_of(description)
            with self.database.read() as work:
                self.ingest.permit(work, self.delegations.actor(work, delegation, (SCOPE,)), into)
            arrival = self.ingest.take_from(
                f"{address}/download", self.fetcher, headers, description.get("originalName")
            )
        except CannotFetch as failure:  # the uploader may be down for a while
            raise Unavailable(failure.detail, why=failure.why) from failure
        with self.database.write() as work:
            outcome = self.ingest.add(work, self.delegations.actor(work, delegation, (SCOPE,)), arrival, into)
        log.info("uploads.pulled", outcome=type(outcome).__name__)

    def _description(self, address: str, headers: dict[str, str]) -> dict[str, Any]:
        small = replace(self.fetcher, max_bytes=DESCRIPTION_BYTES)
        answer = small.call(address, headers={**headers, "Accept": "application/json"})
        if answer.status != 200:
            raise CannotFetch(f"The uploader answered {answer.status}.", field="url")
        try:
            return msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.DecodeError as failure:
            raise CannotFetch("The uploader did not answer with JSON.", field="url") from failure

    def _collection_of(self, description: dict[str, Any]) -> CollectionId:
        """The collection that the uploader's form names, else that of the setting. Raises Invalid."""
        form = description.get("formData")
        named = form.get("collection_destination") if isinstance(form, dict) else None
        text = str(self.collection if named in (None, "") else named)
        if not (text.isascii() and text.isdecimal() and 0 < len(text) <= 18 and int(text)):
            raise Invalid("The asset names no collection.", field="collection_destination")
        return CollectionId(int(text))
