"""The corpus: real files from Debian's packages, fetched by name at set-up, and exiftool, the oracle of our readers.

Both lie in var/corpus, which git ignores. Nothing needs root: packages are downloaded and unpacked, never installed.
"""

import hashlib
import json
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
MANIFEST = ROOT / "tests" / "corpus" / "manifest.toml"
FOLDER = ROOT / "var" / "corpus"
ORACLE = "libimage-exiftool-perl"
HINT = "type `make .venv/.test`, on Debian or a system with apt-get and dpkg-deb"


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file of the manifest: where it lies, and from which package it is."""

    path: Path
    package: str
    member: str
    sha256: str


def listed(folder: Path = FOLDER) -> list[CorpusFile]:
    """Every file of the manifest, there or not."""
    packages: list[dict[str, Any]] = tomllib.loads(MANIFEST.read_text())["package"]
    return [
        CorpusFile(folder / one["name"] / f"{digest[:8]}-{Path(member).name}", one["name"], member, digest)
        for one in packages
        for member, digest in one["files"]
    ]


def files() -> list[CorpusFile]:
    """The corpus. Raises FileNotFoundError that says how to get it."""
    found = listed()
    lost = [one for one in found if not one.path.exists()]
    if lost:
        raise FileNotFoundError(f"{len(lost)} files of the corpus are missing ({lost[0].member}, …): {HINT}.")
    return found


def fetch(folder: Path = FOLDER) -> int:
    """Download what is missing; returns how many files are there. Raises RuntimeError naming package and remedy."""
    wanted = listed(folder)
    for package in dict.fromkeys(one.package for one in wanted if not one.path.exists()):
        tree = _unpacked(package, folder)
        for one in (file for file in wanted if file.package == package):
            data = (tree / one.member).read_bytes() if (tree / one.member).is_file() else b""
            if hashlib.sha256(data).hexdigest() != one.sha256:
                raise RuntimeError(f"{one.member} of {package} is not the file that the corpus was made with.")
            one.path.parent.mkdir(parents=True, exist_ok=True)
            one.path.write_bytes(data)
        shutil.rmtree(tree)
    oracle = folder / ORACLE
    if not (oracle / "usr" / "bin" / "exiftool").exists():
        tree = _unpacked(ORACLE, folder)
        shutil.rmtree(oracle, ignore_errors=True)
        tree.rename(oracle)
    return len(wanted)


def _unpacked(package: str, folder: Path) -> Path:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise RuntimeError(f"The package {package} cannot be fetched here: {HINT}.")
    tree = folder / f".{package}"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    done = _run(["apt-get", "download", "-qq", package], tree)
    if done.returncode:  # no lists yet: they can be had by root only
        _run(["apt-get", "update", "-qq"], tree)
        done = _run(["apt-get", "download", "-qq", package], tree)
    archives = list(tree.glob("*.deb"))
    if done.returncode or not archives:
        raise RuntimeError(f"The package {package} could not be downloaded: {done.stderr.strip()[-300:]}")
    _run(["dpkg-deb", "-x", archives[0].name, "."], tree)
    archives[0].unlink()
    return tree


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def exiftool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the oracle."""
    tree = FOLDER / ORACLE / "usr"
    if not (tree / "bin" / "exiftool").exists():
        raise FileNotFoundError(f"exiftool is missing: {HINT}.")
    command = ["perl", "-I", str(tree / "share" / "perl5"), str(tree / "bin" / "exiftool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def told(paths: list[Path], *arguments: str) -> dict[str, dict[str, Any]]:
    """What the oracle reads of each file: path -> `Group:Tag` -> value (a list where there are several)."""
    names = [str(one) for one in paths]
    done = exiftool("-j", "-G1", "-struct", "-a", "-charset", "iptc=Latin", *arguments, *names)
    answers: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return {one.pop("SourceFile"): one for one in answers}
