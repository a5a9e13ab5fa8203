"""The corpus: real files from Debian packages, fetched by name at set-up, and exiftool, the oracle for our readers.

Both are in var/corpus, which git ignores. Root is not needed: packages are downloaded and unpacked, never installed.
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
HINT = "run `make .venv/.test` on Debian or a system with apt-get and dpkg-deb"


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file of the manifest: its path and the package that it comes from."""

    path: Path
    package: str
    member: str
    sha256: str


def manifest_files(folder: Path = FOLDER) -> list[CorpusFile]:
    """Every file of the manifest, whether it exists or not."""
    packages: list[dict[str, Any]] = tomllib.loads(MANIFEST.read_text())["package"]
    return [
        CorpusFile(folder / package["name"] / f"{digest[:8]}-{Path(member).name}", package["name"], member, digest)
        for package in packages
        for member, digest in package["files"]
    ]


def files() -> list[CorpusFile]:
    """The corpus. Raises FileNotFoundError with the command that fetches it."""
    corpus_files = manifest_files()
    missing = [file for file in corpus_files if not file.path.exists()]
    if missing:
        raise FileNotFoundError(f"{len(missing)} files of the corpus are missing ({missing[0].member}, …): {HINT}.")
    return corpus_files


def fetch(folder: Path = FOLDER) -> int:
    """Download missing files; return the number of files. Raises RuntimeError, naming the package and the remedy."""
    corpus_files = manifest_files(folder)
    for package in dict.fromkeys(file.package for file in corpus_files if not file.path.exists()):
        tree = _unpack(package, folder)
        for member_file in (file for file in corpus_files if file.package == package):
            data = (tree / member_file.member).read_bytes() if (tree / member_file.member).is_file() else b""
            if hashlib.sha256(data).hexdigest() != member_file.sha256:
                raise RuntimeError(f"{member_file.member} of {package} is not the file that the manifest expects.")
            member_file.path.parent.mkdir(parents=True, exist_ok=True)
            member_file.path.write_bytes(data)
        shutil.rmtree(tree)
    oracle = folder / ORACLE
    if not (oracle / "usr" / "bin" / "exiftool").exists():
        tree = _unpack(ORACLE, folder)
        shutil.rmtree(oracle, ignore_errors=True)
        tree.rename(oracle)
    return len(corpus_files)


def _unpack(package: str, folder: Path) -> Path:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise RuntimeError(f"The package {package} cannot be fetched here: {HINT}.")
    tree = folder / f".{package}"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    download = _run(["apt-get", "download", "-qq", package], tree)
    if download.returncode:  # no package lists yet; only root can fetch them
        _run(["apt-get", "update", "-qq"], tree)
        download = _run(["apt-get", "download", "-qq", package], tree)
    archives = list(tree.glob("*.deb"))
    if download.returncode or not archives:
        raise RuntimeError(f"The package {package} could not be downloaded: {download.stderr.strip()[-300:]}")
    _run(["dpkg-deb", "-x", archives[0].name, "."], tree)
    archives[0].unlink()
    return tree


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def exiftool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run exiftool, the oracle."""
    tree = FOLDER / ORACLE / "usr"
    if not (tree / "bin" / "exiftool").exists():
        raise FileNotFoundError(f"exiftool is missing: {HINT}.")
    command = ["perl", "-I", str(tree / "share" / "perl5"), str(tree / "bin" / "exiftool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read_with_exiftool(paths: list[Path], *arguments: str) -> dict[str, dict[str, Any]]:
    """What exiftool reads from each file: path -> `Group:Tag` -> value (a list if there are several)."""
    names = [str(path) for path in paths]
    result = exiftool("-j", "-G1", "-struct", "-a", "-charset", "iptc=Latin", *arguments, *names)
    answers: list[dict[str, Any]] = json.loads(result.stdout or "[]")
    return {answer.pop("SourceFile"): answer for answer in answers}
