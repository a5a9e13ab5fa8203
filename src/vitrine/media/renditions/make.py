"""The operation `make_many`, run in the child: every rendition of one document in one call."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from vitrine.media.errors import MediaError, NoMaker, Undecodable
from vitrine.media.renditions import MAKERS

Result = dict[str, Any]


class Source(NamedTuple):
    """The original: where it lies and what it is."""

    path: str
    mime: str


Maker = Callable[[Source, list[dict[str, Any]], str], list[Result]]


def make_many(source: str, mime: str, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """One result a spec: the members of `Made`, or {name, code, detail, why} for the ones that failed."""
    results: list[Result] = []
    for mediatype in dict.fromkeys(one["mediatype"] for one in specs):
        wanted = [one for one in specs if one["mediatype"] == mediatype]
        try:
            results += _maker(mime, mediatype)(Source(source, mime), wanted, into)
        except MediaError as failure:
            results += [failed(one["name"], failure) for one in wanted]
    return results


def one_by_one(
    specs: list[dict[str, Any]],
    write: Callable[[dict[str, Any]], Result],
    faults: tuple[type[Exception], ...],
    damaged: str,
) -> list[Result]:
    """What *write* makes of each spec. A spec that fails spoils none of the others; *faults* are the exceptions by
    which a decoder says that the file is bad, told as *damaged*."""
    results: list[Result] = []
    for spec in specs:
        try:
            results.append(write(spec))
        except MediaError as failure:
            results.append(failed(spec["name"], failure))
        except faults as failure:
            results.append(failed(spec["name"], Undecodable(damaged, why=str(failure)[:300])))
    return results


def failed(name: str, failure: MediaError) -> Result:
    return {"name": name, "code": failure.code, "detail": failure.detail, "why": failure.why}


def _maker(mime: str, mediatype: str) -> Maker:
    named = MAKERS.get((mime, mediatype))
    if named is None:
        raise NoMaker(f"No {mediatype} can be made of {mime}.")
    maker: Maker = getattr(import_module(f"vitrine.media.renditions.{named[0]}"), named[1])
    return maker


def target_of(into: str, name: str, extension: str) -> Path:
    return Path(into) / f"{name}.{extension}"


def made(name: str, path: Path, mime: str, width: int, height: int) -> Result:
    extension = path.suffix.lstrip(".")
    return {"name": name, "path": str(path), "mime": mime, "extension": extension, "width": width, "height": height}
