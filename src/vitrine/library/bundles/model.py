"""What a bundle holds, and who gets its link."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vitrine.errors import Invalid
from vitrine.library.model import DOCUMENT, PREVIEW, THUMBNAIL, RecordKey
from vitrine.platform.texts import fault_of_name

MOST_RECORDS = 1_000  # a whole basket
MOST_FILES = 2_000
MOST_LINKS = 100  # of one bundle, mailed ones too
MOST_LIVE = 50  # bundles of one person that have not ended
LONGEST_TITLE, LONGEST_NOTE = 128, 2_000
LONGEST_LIFE = timedelta(days=7)  # of a link; what a person's work is kept under lasts twice as long
CLASSES = (DOCUMENT, PREVIEW, THUMBNAIL)
# Outcomes of a file; every other one is the code of a refusal.
READY, CHANGED = "ready", "changed_meanwhile"
NO_RECORD, NO_FILE, NOT_ALLOWED, NOT_SENT = "no_such_record", "no_such_rendition", "may_not_download", "may_not_send"


class State(StrEnum):
    WAITING = "waiting"
    PREPARING = "preparing"
    READY = "ready"
    REVOKED = "revoked"
    ENDED = "ended"  # the account or the permission behind it is gone

    @property
    def is_open(self) -> bool:
        return self in (State.WAITING, State.PREPARING, State.READY)


class Captions(StrEnum):
    NONE = "none"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files of each record: those of these names and classes; none of both is the original where the person may
    have it, else the preview."""

    names: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def require_usable(self) -> None:
        """Raises Invalid."""
        if len(self.names) > 20 or any(not 0 < len(name) <= 64 for name in self.names):
            raise Invalid("Name at most 20 files of each record, such as preview.", field="renditions")
        for name in self.classes:
            if name not in CLASSES:
                raise Invalid(f"classes are of {', '.join(CLASSES)}.", field="classes")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets a link by mail: somebody with an account, or an address."""

    user_id: int | None
    email: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody asks for."""

    keys: Sequence[RecordKey]
    choice: Choice = Choice()
    title: str = ""
    note: str = ""
    captions: Captions = Captions.NONE
    receivers: Sequence[Receiver] = ()
    life: timedelta | None = None

    def require_usable(self) -> None:
        """Raises Invalid."""
        if not 0 < len(self.keys) <= MOST_RECORDS:
            raise Invalid(f"A download has 1 to {MOST_RECORDS} records.", field="records")
        self.choice.require_usable()
        for field, text, most, has_lines in (
            ("title", self.title, LONGEST_TITLE, False), ("note", self.note, LONGEST_NOTE, True),
        ):  # fmt: skip
            if len(text) > most:
                raise Invalid(f"At most {most} characters.", field=field)
            fault = fault_of_name(text, has_lines=has_lines) if text.strip() else ""
            if fault:
                raise Invalid(fault, field=field)
        if len(self.receivers) > MOST_LINKS:
            raise Invalid(f"At most {MOST_LINKS} people get a link.", field="recipients")
        if self.life is not None and not timedelta(minutes=1) <= self.life <= LONGEST_LIFE:
            raise Invalid(f"A link lasts a minute to {LONGEST_LIFE.days} days.", field="expires_in")


@dataclass(frozen=True, slots=True)
class Bundle:
    """*size* is that of the files that were chosen, in bytes; *prepared* of *total* have an outcome."""

    id: int
    user_id: int
    delegation_id: int | None
    title: str
    note: str
    captions: Captions
    state: State
    total: int
    prepared: int
    refused: int
    size: int
    downloads: int
    last_download: datetime | None
    created: datetime
    expires: datetime

    def state_at(self, now: datetime) -> State:
        return State.ENDED if self.state.is_open and self.expires <= now else self.state


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a bundle. *outcome* is None before its turn. A file that is READY has the name that it has in the
    archive; *source* is the digest of the rendition and *recipe* the overlay it carries, *digest*, *size* and *crc* are
    those of the bytes that are given away."""

    position: int
    databox_id: int
    number: int
    rendition: str
    outcome: str | None
    name: str
    source: str
    recipe: str
    digest: str
    size: int
    crc: int
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class BundleLink:
    """A way to a bundle for whoever has its secret, which only its digest tells. A mailed one has none before the mail
    is sent."""

    id: int
    bundle_id: int
    user_id: int | None
    email: str
    created: datetime
    sent: datetime | None
    downloads: int
