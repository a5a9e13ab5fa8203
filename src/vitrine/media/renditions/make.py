"""The operation `make_many`, run in the child: every rendition of one document in one call."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from vitrine.media.errors import MediaError, NoMaker, Undecodable
from vitrine.media.renditions import MAKERS

Result = dict[str, Any]


class Source(NamedTuple):
    """The original: its path and type."""

    path: str
    mime: str


Maker = Callable[[Source, list[dict[str, Any]], str], list[Result]]


def make_many(source: str, mime: str, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """One result per spec: the members of `MadeRendition`, or {name, code, detail, why} for a failure."""
    results: list[Result] = []
    for mediatype in dict.fromkeys(spec["mediatype"] for spec in specs):
        matching = [spec for spec in specs if spec["mediatype"] == mediatype]
        try:
            results += _maker(mime, mediatype)(Source(source, mime), matching, into)
        except MediaError as failure:
            results += [failed(spec["name"], failure) for spec in matching]
    return results


def write_each(
    specs: list[dict[str, Any]],
    write: Callable[[dict[str, Any]], Result],
    faults: tuple[type[Exception], ...],
    damaged: str,
) -> list[Result]:
    """Call *write* for each spec. A failure does not affect the others. *faults* are the exceptions by which a decoder
    reports a bad file; their message to people is *damaged*."""
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
    location = MAKERS.get((mime, mediatype))
    if location is None:
        raise NoMaker(f"No {mediatype} can be made of {mime}.")
    maker: Maker = getattr(import_module(f"vitrine.media.renditions.{location[0]}"), location[1])
    return maker


def target_of(into: str, name: str, extension: str) -> Path:
    return Path(into) / f"{name}.{extension}"


def succeeded(name: str, path: Path, mime: str, width: int, height: int) -> Result:
    extension = path.suffix.lstrip(".")
    return {"name": name, "path": str(path), "mime": mime, "extension": extension, "width": width, "height": height}
