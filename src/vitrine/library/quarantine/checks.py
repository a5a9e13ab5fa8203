"""The checks that every import passes, and where they are switched on (contract 06 section 15).

A policy is a mapping {check: {"on": bool, …options}}. The collection's policy overrides the databox's, which overrides
the instance's, which overrides the defaults. This holds for each check and each option separately.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.errors import Invalid
from vitrine.library import store
from vitrine.library.model import Collection, DataboxId, Record
from vitrine.library.quarantine import store as quarantine_store
from vitrine.media.probe import Probe
from vitrine.platform.database import UnitOfWork

KINDS = {"Audio": "audio", "Document": "document", "Image": "image", "Video": "video"}
COLOURS = ("cmyk", "grayscale", "rgb", "rgba")
MOST_MATCHES = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file to be imported. *uuid* is set only when the file carries one."""

    databox: DataboxId
    name: str
    extension: str
    sha256: str
    uuid: str | None
    probe: Probe


Options = Mapping[str, Any]
# None when the check passes; when it fails, the numbers of the records the file clashes with (possibly none).
Verdict = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Check:
    """*defaults* names every option with its value. *reason* is a sentence for people about the file, *of_match* a
    phrase about a matching record."""

    defaults: Mapping[str, Any]
    run: Callable[[UnitOfWork, Candidate, Options], Verdict]
    reason: str
    of_match: str = ""


def _clash(records: list[Record], options: Options) -> Verdict:
    clashes = [record.number for record in records if record.collection_id not in options["ignored"]]
    return tuple(clashes[:MOST_MATCHES]) or None


def _same_bytes(work: UnitOfWork, file: Candidate, options: Options) -> Verdict:
    return _clash(store.same_file(work, file.databox, file.sha256), options)


def _same_uuid(work: UnitOfWork, file: Candidate, options: Options) -> Verdict:
    return _clash(store.same_uuid(work, file.databox, file.uuid), options) if file.uuid else None


def _same_name(work: UnitOfWork, file: Candidate, options: Options) -> Verdict:
    records = quarantine_store.same_name(work, file.databox, file.name, sensitive=options["sensitive"])
    return _clash(records, options)


def _too_small(_work: UnitOfWork, file: Candidate, options: Options) -> Verdict:
    width, height = file.probe.display_width, file.probe.display_height
    least = options["height"] if options["height"] is not None else options["width"]
    return None if width and height and width >= options["width"] and height >= least else ()


def _extension(_work: UnitOfWork, file: Candidate, options: Options) -> Verdict:
    allowed = {extension.lower().lstrip(".") for extension in options["extensions"]}
    return () if allowed and file.extension not in allowed else None


def _media_type(_work: UnitOfWork, file: Candidate, options: Options) -> Verdict:
    allowed = {KINDS[media_type] for media_type in options["media_types"]}
    return () if allowed and file.probe.kind not in allowed else None


def _colourspace(_work: UnitOfWork, file: Candidate, options: Options) -> Verdict:
    checked_kinds = {KINDS[media_type] for media_type in options["media_types"]}
    if file.probe.kind not in checked_kinds or not options["colorspaces"]:
        return None
    return None if colour_of(file.probe) in options["colorspaces"] else ()


def colour_of(probe: Probe) -> str | None:
    """The colour space of a picture in the policy's terms; None when unknown."""
    channels = dict(probe.technical).get("Channels")
    if channels in (1, 2):
        return "grayscale"
    if channels == 3:
        return "rgb"
    if channels == 4:
        return "cmyk" if probe.mime in ("image/jpeg", "image/tiff", "image/vnd.adobe.photoshop") else "rgba"
    return "cmyk" if channels == 5 else None


CHECKS: Mapping[str, Check] = {
    "Sha256": Check(
        {"on": True, "ignored": []}, _same_bytes, "The same file is in this databox already.", "the same file"
    ),
    "UUID": Check(
        {"on": True, "ignored": []}, _same_uuid, "A document with the same UUID is in this databox already.",
        "the same UUID",
    ),
    "Filename": Check(
        {"on": False, "sensitive": False, "ignored": []}, _same_name,
        "A document with the same file name is in this databox already.", "the same file name",
    ),
    "Dimension": Check(
        {"on": False, "width": 80, "height": None}, _too_small, "The picture is smaller than this collection accepts."
    ),
    "Extension": Check(
        {"on": False, "extensions": []}, _extension, "Files with this extension are not accepted here."
    ),
    "MediaType": Check({"on": False, "media_types": []}, _media_type, "Documents of this kind are not accepted here."),
    "Colorspace": Check(
        {"on": False, "colorspaces": [], "media_types": ["Image"]}, _colourspace,
        "The colour space of this picture is not accepted here, or unknown.",
    ),
}  # fmt: skip


Policy = dict[str, dict[str, Any]]


def policies_for(work: UnitOfWork, collections: Iterable[Collection]) -> dict[int, Policy]:
    """`policy_for` of several collections, by base_id."""
    stored = quarantine_store.policies(work, {(collection.databox_id, collection.id) for collection in collections})
    return {base_id: _effective(policies) for base_id, policies in stored.items()}


def policy_for(work: UnitOfWork, collection: Collection) -> Policy:
    """Every check with all its options, as they apply to a collection."""
    return policies_for(work, [collection])[collection.id]


def _effective(policies: list[dict[str, Any]]) -> Policy:
    effective: Policy = {}
    for name, check in CHECKS.items():
        effective[name] = dict(check.defaults)
        for policy in policies:
            effective[name].update(policy.get(name, {}))
    return effective


def failed(work: UnitOfWork, collection: Collection, file: Candidate) -> dict[str, tuple[int, ...]]:
    """The checks that *file* does not pass, with the numbers of the records it clashes with."""
    failures = {}
    for name, options in policy_for(work, collection).items():
        if options["on"]:
            verdict = CHECKS[name].run(work, file, options)
            if verdict is not None:
                failures[name] = verdict
    return failures


def parse(policy: object) -> dict[str, dict[str, Any]]:
    """Check a policy written by an administrator. Raises Invalid, naming the check, the option and its valid values."""
    if not isinstance(policy, dict):
        raise Invalid("A policy is a JSON object: check names with their options.", field="policy")
    for name, options in policy.items():
        check = CHECKS.get(name)
        if check is None:
            raise Invalid(f"There is no check called {name}; the checks are {', '.join(CHECKS)}.", field=str(name))
        if not isinstance(options, dict):
            raise Invalid(f"{name} takes an object of options.", field=name)
        for option, value in options.items():
            if option not in check.defaults:
                raise Invalid(f"{name} has no option {option}; it has {', '.join(check.defaults)}.", field=name)
            fault = _fault(option, value)
            if fault:
                raise Invalid(f"{name}: {option} {fault}.", field=name)
    return policy


def _fault(option: str, value: object) -> str:
    allowed_words = {"media_types": tuple(KINDS), "colorspaces": COLOURS}
    if option in ("on", "sensitive"):
        return "" if isinstance(value, bool) else "must be true or false"
    if option in ("width", "height"):
        is_size = type(value) is int and 1 <= value <= 1_000_000
        return "" if is_size or (option == "height" and value is None) else "must be a number of pixels"
    if not isinstance(value, list):
        return "must be a list"
    if option == "ignored":
        return "" if all(type(item) is int for item in value) else "must be a list of base_ids"
    allowed = allowed_words.get(option)
    if allowed is not None and not all(item in allowed for item in value):
        return f"must be a list of {', '.join(allowed)}"
    return "" if all(isinstance(item, str) and item for item in value) else "must be a list of words"
