"""The operation `make_many`, run in the child: every rendition of one document in one call."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vitrine.media.errors import MediaError, NoMaker

Result = dict[str, Any]
Maker = Callable[[str, list[dict[str, Any]], str], list[Result]]


def make_many(source: str, kind: str, mime: str, specs: list[dict[str, Any]], into: str) -> list[Result]:
    """One result a spec: the members of `Made`, or {name, code, detail, why} for the ones that failed."""
    results: list[Result] = []
    for mediatype in dict.fromkeys(one["mediatype"] for one in specs):
        wanted = [one for one in specs if one["mediatype"] == mediatype]
        maker = _maker(kind, mime, mediatype)
        try:
            if maker is None:
                raise NoMaker(f"No {mediatype} can be made of {mime} yet.")
            results += maker(source, wanted, into)
        except MediaError as failure:
            results += [_failed(one["name"], failure) for one in wanted]
    return results


def _failed(name: str, failure: MediaError) -> Result:
    return {"name": name, "code": failure.code, "detail": failure.detail, "why": failure.why}


def _maker(kind: str, mime: str, mediatype: str) -> Maker | None:
    from vitrine.media.renditions import image, video

    makers: dict[tuple[str, str], Maker] = {
        ("image/jpeg", "image"): image.from_picture,
        ("image/png", "image"): image.from_picture,
        ("video/mp4", "image"): video.posters,
        ("video/mp4", "video"): video.films,
    }
    return makers.get((mime, mediatype))


def target_of(into: str, name: str, extension: str) -> Path:
    return Path(into) / f"{name}.{extension}"


def made(name: str, path: Path, mime: str, width: int, height: int) -> Result:
    extension = path.suffix.lstrip(".")
    return {"name": name, "path": str(path), "mime": mime, "extension": extension, "width": width, "height": height}
