"""Import applications, people, tokens and permalinks of a Phraseanet server from a JSON file.

The file is described in docs/guides/operators.md. Everything is checked and written in one transaction, completely or
not at all, and all faults are reported together.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from vitrine.accounts import COMMAND, Accounts, User
from vitrine.applications import Application, Applications, BadApplication, Draft, Imported, Profile, Switch
from vitrine.errors import DomainError, Invalid
from vitrine.library.model import DataboxId, RecordKey
from vitrine.library.records import Records
from vitrine.library.sharing import permalinks
from vitrine.library.sharing.permalinks import ImportedPermalink
from vitrine.oauth import OAuth
from vitrine.platform import json_text
from vitrine.platform.database import Database, UnitOfWork
from vitrine.platform.texts import without_bom

PARTS = ("users", "applications", "access_tokens", "permalinks")
MOST_FAULTS = 200
# What an old desktop program needs although its profile is strict by default: endless tokens, sent as it sends them.
OLD_DESKTOP = {Switch.ENDLESS_TOKEN: True, Switch.PARAMETER_TOKEN: True, Switch.IMPLICIT: True}


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An unknown key is a fault: typing errors must not pass silently."""


class UserEntry(_Strict):
    login: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    password_hash: str | None = None


class ApplicationEntry(_Strict):
    name: str
    client_id: str
    client_secret: str
    website: str
    description: str = ""
    type: str = "web"
    redirect_uri: str = ""
    creator: str | None = None
    activated: bool = True
    grant_password: bool = False
    profile: str | None = None
    switches: dict[str, bool] = {}
    list_shapes: str = "automatic"
    developer_token: str | None = None


class TokenEntry(_Strict):
    token: str
    client_id: str
    login: str


class PermalinkEntry(_Strict):
    databox_id: int
    record_id: int
    subdef: str
    token: str
    label: str = ""
    activated: bool = True


ENTRY_TYPES: dict[str, type[_Strict]] = {
    "users": UserEntry,
    "applications": ApplicationEntry,
    "access_tokens": TokenEntry,
    "permalinks": PermalinkEntry,
}


class BadImport(Invalid):
    """Nothing was imported. `faults` lists every fault with its place in the file."""

    code = "bad_import"

    def __init__(self, faults: list[str]) -> None:
        shown = faults[:MOST_FAULTS]
        remainder = f"\n  … and {len(faults) - len(shown)} more" if len(faults) > len(shown) else ""
        super().__init__("Nothing was imported:\n  " + "\n  ".join(shown) + remainder, field="file")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class PhraseanetImport:
    """The services that an import needs, and where it writes."""

    database: Database
    users: Accounts
    applications: Applications
    oauth: OAuth
    records: Records

    def run(self, entries: Mapping[str, list[Any]]) -> dict[str, int]:
        """Import everything or nothing; return the number of entries by part. Raises BadImport."""
        with self.database.write() as work:
            run = _Run(self, work)
            steps: dict[str, Callable[[str, Any], None]] = {
                "users": run.user,
                "applications": run.application,
                "access_tokens": run.token,
                "permalinks": run.permalink,
            }
            for part, step in steps.items():
                for place, entry in enumerate(entries.get(part, ())):
                    step(f"{part}[{place}]", entry)
            if run.faults:
                raise BadImport(run.faults)
        return {part: run.counts.get(part, 0) for part in PARTS}


@dataclass(slots=True)
class _Run:
    """An import in progress: its faults so far, and the number of imported entries."""

    services: PhraseanetImport
    work: UnitOfWork
    faults: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Collect the refusals of the services for one entry."""
        try:
            yield
            part = place.partition("[")[0]
            self.counts[part] = self.counts.get(part, 0) + 1
        except BadApplication as refusal:
            self.faults += [f"{place}.{name}: {text}" for name, text in refusal.faults.items()]
        except DomainError as refusal:
            self.faults.append(f"{place}{'.' + refusal.field if refusal.field else ''}: {refusal.detail}")

    def user(self, place: str, entry: UserEntry) -> None:
        with self.at(place):
            self.services.users.import_account(
                self.work, COMMAND, login=entry.login, password_hash=entry.password_hash, email=entry.email,
                first_name=entry.first_name, last_name=entry.last_name,
            )  # fmt: skip

    def application(self, place: str, entry: ApplicationEntry) -> None:
        with self.at(place):
            creator = self._person(entry.creator, "creator") if entry.creator is not None else None
            if entry.developer_token is not None and creator is None:
                raise Invalid("A developer token needs a creator.", field="developer_token")
            application = self.services.applications.import_application(
                self.work, COMMAND, creator.id if creator else None, imported_of(entry)
            )
            if entry.developer_token is not None and creator is not None:
                self.services.oauth.import_token(
                    self.work, COMMAND, application, creator.id, entry.developer_token, developer=True
                )

    def token(self, place: str, entry: TokenEntry) -> None:
        with self.at(place):
            application = self._application(entry.client_id)
            person = self._person(entry.login, "login")
            self.services.oauth.import_token(self.work, COMMAND, application, person.id, entry.token, developer=False)

    def permalink(self, place: str, entry: PermalinkEntry) -> None:
        with self.at(place):
            key = RecordKey(DataboxId(entry.databox_id), entry.record_id)
            link = ImportedPermalink(entry.token, entry.label, entry.activated)
            structure = self.services.records.structure(self.work)
            permalinks.import_permalink(self.work, COMMAND, structure, key, entry.subdef.lower(), link)

    def _person(self, login: str, name: str) -> User:
        try:
            return self.services.users.find(self.work, login)
        except DomainError as refusal:
            raise Invalid(refusal.detail, field=name) from refusal

    def _application(self, client_id: str) -> Application:
        application = self.services.applications.by_client_id(self.work, client_id)
        if application is None:
            raise Invalid(f"No application has the client_id {client_id}.", field="client_id")
        return application


def imported_of(entry: ApplicationEntry) -> Imported:
    """The application with the profile and switches that it needs to work as before. Raises Invalid."""
    is_desktop = entry.type == "desktop"
    if entry.type not in ("web", "desktop"):
        raise Invalid("type must be web or desktop.", field="type")
    profile = profile_of(entry.profile, desktop=is_desktop)
    switches = dict(OLD_DESKTOP) if profile is Profile.DESKTOP else {}
    switches |= {switch_of(name): on for name, on in entry.switches.items()}
    if entry.grant_password:
        switches[Switch.PASSWORD_GRANT] = True
    description = entry.description.strip() or entry.name
    return Imported(
        Draft(entry.name, description, entry.website, entry.type, entry.redirect_uri),
        entry.client_id,
        entry.client_secret,
        profile,
        switches,
        entry.activated,
        entry.list_shapes,
    )


def profile_of(name: str | None, *, desktop: bool) -> Profile:
    """The named profile; by default compatibility for web applications and desktop for desktop programs."""
    if name is None:
        return Profile.DESKTOP if desktop else Profile.COMPATIBILITY
    try:
        return Profile(name)
    except ValueError:
        raise Invalid(f"profile must be one of {', '.join(Profile)}.", field="profile") from None


def switch_of(name: str) -> Switch:
    try:
        return Switch(name)
    except ValueError:
        raise Invalid(f"There is no switch {name}; there are {', '.join(Switch)}.", field="switches") from None


def read(path: Path) -> dict[str, list[Any]]:
    """The entries of the file by part. Raises BadImport with every entry that does not have the documented form."""
    try:
        document = json_text.parse(without_bom(path.read_bytes()))
    except json_text.NotJson as failure:
        raise BadImport([f"{path.name} is not JSON: {failure}"]) from failure
    if not isinstance(document, dict):
        raise BadImport([f"{path.name} must hold an object with {', '.join(PARTS)}."])
    faults = [f"{name}: there is no such part; there are {', '.join(PARTS)}." for name in document if name not in PARTS]
    entries: dict[str, list[Any]] = {}
    for part in PARTS:
        items = document.get(part, [])
        if not isinstance(items, list):
            faults.append(f"{part}: must be a list.")
            continue
        entries[part] = []
        for place, item in enumerate(items):
            try:
                entries[part].append(msgspec.convert(item, ENTRY_TYPES[part]))
            except msgspec.ValidationError as failure:
                faults.append(f"{part}[{place}]: {failure}")
    if faults:
        raise BadImport(faults)
    return entries
