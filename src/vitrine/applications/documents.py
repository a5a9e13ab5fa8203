"""An application as one JSON document: exported, created, changed and compared (docs/decisions/0068).

Pages, the JSON API and the command line all use this module, so a file that one of them wrote means the same to the
others. People, secrets, the logo and the decisions of administrators are not part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.accounts import Actor
from vitrine.applications import machines, provenance, store
from vitrine.applications.checks import LIST_SHAPES, Draft, Imported
from vitrine.applications.errors import BadApplication
from vitrine.applications.events import ScopesLimited
from vitrine.applications.kinds import KIND_NAMES, KINDS, ApplicationKind, kind_of
from vitrine.applications.model import OUT_OF_BAND, Application, ApplicationId
from vitrine.applications.profiles import Profile, Switch, Switches
from vitrine.applications.redirects import fault_of
from vitrine.applications.registration import MOST_REDIRECTS, ApplicationRegistration
from vitrine.applications.texts import TEXTS, check_texts
from vitrine.errors import Conflict, Forbidden, Invalid
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

FORMAT = 1
Changes = dict[str, tuple[Any, Any]]
_SWITCHES = frozenset(switch.value for switch in Switch)
_PROFILES = frozenset(profile.value for profile in Profile)
_EMPTY: dict[str, Any] = {
    "vitrine_application": FORMAT, "client_id": "", **dict.fromkeys(TEXTS, ""), "kind": "server", "profile": "",
    "redirect_uris": [], "switches": {}, "list_shapes": "automatic", "only_testers": False, "scopes": None,
}  # fmt: skip
_OURS = ("vitrine_application", "client_id")  # set by the server, never changed


@dataclass(frozen=True, slots=True)
class WrittenApplication:
    """The result of writing a document. *changes* maps each changed key to its values before and after."""

    application: Application
    changes: Changes
    is_new: bool = False


def document_of(application: Application) -> dict[str, Any]:
    """The document of an application, with every key and no secret."""
    return {
        "vitrine_application": FORMAT,
        "client_id": application.client_id,
        **{name: getattr(application, name) for name in TEXTS},
        "kind": kind_of(application.kind, application.type, application.switches.profile).value,
        "profile": application.switches.profile.value,
        "redirect_uris": [address for address in application.redirects if address != OUT_OF_BAND],
        "switches": dict(sorted(application.switches.chosen.items())),
        "list_shapes": application.list_shapes,
        "only_testers": application.only_testers,
        "scopes": None if application.scope_limit is None else sorted(application.scope_limit),
    }


@dataclass(frozen=True, slots=True)
class ApplicationDocuments:
    """*scopes* are the names that a document may contain."""

    portal: ApplicationRegistration
    scopes: frozenset[str]

    def export(self, work: UnitOfWork, actor: Actor, application_id: ApplicationId) -> dict[str, Any]:
        return document_of(self.portal.applications.get(work, actor, application_id))

    def create(self, work: UnitOfWork, actor: Actor, document: Any) -> Application:
        """Register a new application, with a new client id, from a document. Raises Invalid for a document that cannot
        be read, BadApplication with every fault of its values by key."""
        wanted = self._checked(document)
        application = self.portal.applications.create(
            work, actor, _draft(wanted), Profile(wanted["profile"]), _redirects(wanted)
        )
        acts = wanted["switches"].get(Switch.ACTS_AS_OWNER.value, True)
        application = self.portal.complete_registration(
            work, actor, application, ApplicationKind(wanted["kind"]), acts=acts
        )
        # A new machine acts for its owner unless the document says no.
        switches = {**application.switches.chosen, **wanted["switches"]}
        return self._write(work, actor, application, {**wanted, "switches": switches}).application

    def replace(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, document: Any
    ) -> WrittenApplication:
        """Change an application to match the document. A missing key gets its default value."""
        application = self.portal.applications.get(work, actor, application_id)
        return self._write(work, actor, application, self._checked(document, application))

    def change(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, document: Any
    ) -> WrittenApplication:
        """Apply a merge patch (RFC 7396): absent keys stay, null restores the default. A new kind resets profile and
        switches, unless the patch sets them."""
        application = self.portal.applications.get(work, actor, application_id)
        if not isinstance(document, Mapping):
            raise Invalid("Send a JSON object with the keys to change.", field="body")
        whole = document_of(application)
        patch = dict(document)
        if "kind" in patch and patch["kind"] != whole["kind"]:
            patch.setdefault("profile", None)
            whole["switches"] = {}
        elif "profile" in patch and patch["profile"] != whole["profile"]:
            whole["switches"] = {}
        for name, value in patch.items():
            if value is None:
                whole.pop(name, None)
            elif name == "switches" and isinstance(value, Mapping):
                merged = {**whole["switches"], **value}
                whole[name] = {key: choice for key, choice in merged.items() if choice is not None}
            else:
                whole[name] = value
        return self._write(work, actor, application, self._checked(whole, application))

    def put(
        self, work: UnitOfWork, actor: Actor, owner: Actor | None, document: Any, *, secret: str | None = None
    ) -> WrittenApplication:
        """For administrators: change the application with the document's client id to match it, or create it with that
        id. Idempotent. Only *owner*, the present or new owner, may let it act in their name. *secret* is used for a new
        application only."""
        writer = owner or actor
        client_id = document.get("client_id") if isinstance(document, Mapping) else None
        application = self.portal.applications.by_client_id(work, client_id) if isinstance(client_id, str) else None
        if application is not None:
            return self.replace(work, writer, application.id, document)
        wanted = self._checked(document)
        if not wanted["client_id"]:
            raise Invalid("The document has no client_id: nothing tells which application it means.", field="client_id")
        imported = Imported(_draft(wanted), wanted["client_id"], secret, Profile(wanted["profile"]))
        owner_id = owner.user_id if owner else None
        application = self.portal.applications.import_application(work, actor, owner_id, imported, _redirects(wanted))
        store.update(work, application.id, {"kind": wanted["kind"]})
        application = self.portal.applications.get(work, actor, application.id)
        return WrittenApplication(self._write(work, writer, application, wanted).application, {}, is_new=True)

    def set_scopes(
        self, work: UnitOfWork, actor: Actor, application_id: ApplicationId, limit: list[str] | None
    ) -> Application:
        """Limit an application to these scopes; None removes the limit. Live tokens change at once."""
        return self.change(work, actor, application_id, {"scopes": limit}).application

    # -- reading a document --------------------------------------------------------------------------------------

    def _checked(self, document: Any, application: Application | None = None) -> dict[str, Any]:
        wanted = _with_defaults(document)
        if application is not None and wanted["client_id"] not in ("", application.client_id):
            raise Conflict("The document is of another application: its client_id differs.", field="client_id")
        faults = check_texts(wanted)
        kind = ApplicationKind(wanted["kind"])
        wanted["profile"] = wanted["profile"] or KINDS[kind].profile.value
        profile = Profile(wanted["profile"])
        if profile not in KINDS[kind].profiles:
            faults["profile"] = "This profile is not for this kind of application. Leave it out for the usual one."
        faults |= _address_faults(wanted["redirect_uris"], kind, profile)
        for name in wanted["switches"]:
            if not Switches(profile, {}).can_choose(Switch(name)):
                faults[f"switches.{name}"] = "This kind of application has no such choice."
        scopes = wanted["scopes"]
        if scopes is not None:
            if not Switches(profile, {}).has_scopes:
                faults["scopes"] = "Applications of the compatible profile have no scopes. Leave them out."
            elif not scopes or not frozenset(scopes) <= self.scopes:
                faults["scopes"] = "Name at least one scope, and only ones that this server has."
        if application is not None:
            faults = _new_faults(faults, wanted, document_of(application))
        if faults:
            raise BadApplication(faults)
        # A device has the out-of-band address by its kind (`_redirects`): to name it changes nothing.
        wanted["redirect_uris"] = [address for address in wanted["redirect_uris"] if address != OUT_OF_BAND]
        return wanted

    def _write(
        self, work: UnitOfWork, actor: Actor, application: Application, wanted: dict[str, Any]
    ) -> WrittenApplication:
        """Write the differences; everything was checked before."""
        before = document_of(application)
        wanted = {**wanted, **{name: before[name] for name in _OURS}}
        wanted["scopes"] = None if wanted["scopes"] is None else sorted(set(wanted["scopes"]))
        changes = {name: (before[name], wanted[name]) for name in before if before[name] != wanted[name]}
        if not changes:
            return WrittenApplication(application, {})
        if "scopes" in changes:
            self._refuse_wider(actor, *changes["scopes"])
        kind = ApplicationKind(wanted["kind"])
        acts, acted = (values["switches"].get(Switch.ACTS_AS_OWNER.value, False) for values in (wanted, before))
        if acts != acted or changes.keys() & {"kind", "profile"}:
            machines.require_person_to_change(work, actor, application)
        store.update(
            work, application.id,
            {
                **{name: wanted[name] for name in (*TEXTS, "profile", "switches", "list_shapes", "only_testers")},
                "kind": kind.value, "type": KINDS[kind].type, "scope_limit": wanted["scopes"],
            },
        )  # fmt: skip
        store.set_redirects(work, application.id, _redirects(wanted), provenance.maker_of(work, actor))
        if acts != acted and Switches(Profile(wanted["profile"]), {}).can_choose(Switch.ACTS_AS_OWNER):
            self.portal.applications.set_switch(work, actor, application.id, Switch.ACTS_AS_OWNER, on=acts)
        self.portal.applications.withdraw_acting_if_off(work, application.id)
        if "scopes" in changes:
            work.emit(ScopesLimited(application.id, wanted["scopes"]))
        details = {
            "changed": sorted(changes),
            "before": {name: before_and_after[0] for name, before_and_after in changes.items()},
        }
        audit.write(work, actor, "application.described", f"application {application.id}", details)
        return WrittenApplication(self.portal.applications.get(work, actor, application.id), changes)

    def _refuse_wider(self, actor: Actor, before: list[str] | None, after: list[str] | None) -> None:
        """A token may not give an application, which may be its own, a scope that it lacks itself."""
        if actor.scope is None:
            return
        had, has = (self.scopes if names is None else frozenset(names) for names in (before, after))
        if not has - had <= actor.scope:
            raise Forbidden("A token cannot give an application more than it may itself. Name fewer scopes.")


def _new_faults(faults: dict[str, str], wanted: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, str]:
    """*faults* without those of unchanged values: an imported application may keep unusual values until they are
    changed, except under another kind or profile."""
    if any(wanted[name] != before[name] for name in ("kind", "profile")):
        return faults

    def stays(name: str) -> bool:
        key, _, place = name.partition(".")
        if key == "redirect_uris" and place:
            address = wanted[key][int(place)]
            return address in before[key] and address not in wanted[key][: int(place)]
        return bool(wanted[key] == before[key])

    return {name: text for name, text in faults.items() if not stays(name)}


def _draft(wanted: Mapping[str, Any]) -> Draft:
    return Draft(wanted["name"], wanted["description"], wanted["website"], KINDS[ApplicationKind(wanted["kind"])].type)


def _redirects(wanted: Mapping[str, Any]) -> list[str]:
    own = [OUT_OF_BAND] if wanted["kind"] == ApplicationKind.DEVICE else []
    return [*own, *wanted["redirect_uris"]]


def _address_faults(addresses: list[str], kind: ApplicationKind, profile: Profile) -> dict[str, str]:
    """Faults by position in the list, such as `redirect_uris.2`."""
    faults: dict[str, str] = {}
    if KINDS[kind].returns and not addresses:
        faults["redirect_uris"] = "This kind of application needs an address to return to."
    if len(addresses) > MOST_REDIRECTS:
        faults["redirect_uris"] = "An application has at most 20 addresses. Remove one first."
    for place, address in enumerate(addresses):
        fault = fault_of(address, kind, profile)
        if fault is None and address in addresses[:place]:
            fault = "This address is in the list already."
        if fault:
            faults[f"redirect_uris.{place}"] = fault
    return faults


def _with_defaults(document: Any) -> dict[str, Any]:
    """The document with a value for every key. Raises Invalid, which names the first key that cannot be read."""
    if not isinstance(document, Mapping) or type(document.get("vitrine_application", FORMAT)) is not int:
        raise Invalid("This file does not describe an application: vitrine_application must be 1.", field="file")
    if document.get("vitrine_application", FORMAT) != FORMAT:
        raise Invalid("This file does not describe an application: vitrine_application must be 1.", field="file")
    unknown = sorted(set(map(str, document)) - set(_EMPTY))
    if unknown:
        name = unknown[0][:80]
        raise Invalid("The file has a key that is not known here: {name}.", field=name, values={"name": name})
    whole = {}
    for name, default in _EMPTY.items():
        value = document.get(name, default)
        if not _fits(name, value, default):
            raise Invalid("The value of {name} in the file cannot be used.", field=name, values={"name": name})
        whole[name] = value.strip() if isinstance(value, str) else value
    whole["redirect_uris"] = [address.strip() for address in whole["redirect_uris"]]
    return whole


def _fits(name: str, value: Any, default: Any) -> bool:
    match name:
        case "redirect_uris":
            return isinstance(value, list) and all(isinstance(address, str) for address in value)
        case "scopes":
            return value is None or (isinstance(value, list) and all(isinstance(scope, str) for scope in value))
        case "switches":
            return isinstance(value, dict) and all(
                name in _SWITCHES and isinstance(choice, bool) for name, choice in value.items()
            )
        case "kind":
            return value in KIND_NAMES if isinstance(value, str) else False
        case "profile":
            return isinstance(value, str) and (value == "" or value in _PROFILES)
        case "list_shapes":
            return isinstance(value, str) and value in LIST_SHAPES
    return type(value) is type(default)
