"""Run many files, whole and damaged, through probe and renditions, and report the results."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from vitrine.media.errors import Crashed, MediaError, OutOfMemory, TooSlow
from vitrine.media.renditions import MadeRendition, spec_of
from vitrine.media.renditions.recipes import DEFAULT_RECIPES
from vitrine.media.service import Media
from vitrine.testing import corpus, office_files
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds

SOON = timedelta(seconds=30)
LARGEST = 4 * 2**20
CUTS = (0.02, 0.2, 0.5, 0.8, 0.97)
FLIPS = (1, 8, 64)


def generated_files(folder: Path) -> list[Path]:
    """One small file of every kind."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [make.jpeg(folder / "a.jpg", 640, 480), make.png(folder / "a.png", alpha=True), make.mp4(folder / "a.mp4")]
    paths += [kinds.picture(folder / f"a.{extension}") for extension in ("webp", "tif", "heic", "avif", "bmp")]
    paths += [kinds.animation(folder / f"moving.{extension}") for extension in ("gif", "webp")]
    paths += [kinds.film(folder / f"a.{extension}") for extension in ("mov", "webm", "mkv", "avi")]
    paths += [kinds.sound(folder / f"a.{extension}") for extension in ("mp3", "wav", "flac", "ogg", "opus", "m4a")]
    paths += [kinds.office(folder / f"a.{extension}") for extension in ("docx", "pptx", "xlsx", "odt")]
    paths += [office_files.package(folder / f"report.{extension}") for extension in ("docx", "pptx", "xlsx")]
    return [
        *paths,
        kinds.pdf(folder / "a.pdf", 12),
        kinds.locked_pdf(folder / "locked.pdf"),
        kinds.svg(folder / "a.svg"),
    ]


def cases(folder: Path, flipped: int, seed: int = 7) -> Iterator[tuple[str, Path]]:
    """(treatment, file): every file whole, then truncated at one of CUTS (at each of them, if there are more flipped
    copies than files), then *flipped* copies with flipped bits."""
    rng = random.Random(seed)
    real_files = [file.path for file in corpus.files() if file.path.stat().st_size <= LARGEST]
    rng.shuffle(real_files)
    sources = generated_files(folder / "made") + real_files[: max(20, flipped // 5)]
    yield from (("whole", path) for path in sources)
    for source in sources:
        data = source.read_bytes()
        for share in CUTS if flipped > len(sources) else (rng.choice(CUTS),):
            yield "cut", _damaged(folder, source, data[: max(1, int(len(data) * share))])
    for number in range(flipped):
        source = sources[number % len(sources)]
        bits = bytearray(source.read_bytes())
        for _ in range(rng.choice(FLIPS)):
            bits[rng.randrange(len(bits))] ^= 1 << rng.randrange(8)
        yield "flipped", _damaged(folder, source, bytes(bits))


def _damaged(folder: Path, source: Path, data: bytes) -> Path:
    copy = folder / f"damaged{source.suffix}"
    copy.write_bytes(data)
    return copy


@dataclass(slots=True)
class Line:
    """The results for the files of one kind."""

    files: int = 0
    refused: int = 0
    fields: int = 0
    renditions: int = 0
    failed: int = 0
    make_cpu_s: float = 0.0
    peak_bytes: int = 0


@dataclass(slots=True)
class Report:
    lines: dict[tuple[str, str], Line] = field(default_factory=lambda: defaultdict(Line))
    reasons: Counter[str] = field(default_factory=Counter)
    ended: list[str] = field(default_factory=list)

    def text(self) -> str:
        titles = ("files", "refused", "tags", "made", "failed", "per CPU s", "peak MB")
        head = f"{'kind':10}{'state':9}" + "".join(f"{title:>10}" for title in titles)
        rows = [head]
        for (kind, state), line in sorted(self.lines.items()):
            rate = line.renditions / line.make_cpu_s if line.make_cpu_s else 0.0
            rows.append(
                f"{kind:10}{state:9}{line.files:10}{line.refused:10}{line.fields:10}{line.renditions:10}{line.failed:10}"
                f"{rate:10.1f}{line.peak_bytes / 2**20:10.0f}"
            )
        return "\n".join([*rows, f"reasons: {dict(self.reasons)}", *self.ended]) + "\n"


def run(media: Media, folder: Path, flipped: int) -> Report:
    """Run every case in the child. Any exception but a MediaError is a bug and propagates."""
    report = Report()
    for treatment, path in cases(folder, flipped):
        _run_case(media, report, treatment, path)
    return report


def _run_case(media: Media, report: Report, treatment: str, path: Path) -> None:
    kind = _kind(path)
    line = report.lines[(kind, treatment)]
    line.files += 1
    try:
        probe = media.probe(path, path.name)
    except MediaError as refusal:
        line.refused += 1
        _record_failure(report, refusal, treatment, path)
        return
    line.fields += len(probe.metadata)
    recipes = [recipe for recipe in DEFAULT_RECIPES if recipe.group == probe.kind and recipe.mediatype in probe.makes]
    specs = [spec_of(recipe.name, recipe.mediatype, recipe.options) for recipe in recipes]
    before = usage(media)
    with media.scratch() as scratch:
        results = media.make_renditions(media.store_file(path).sha256, probe.kind, probe.mime, specs, scratch)
        for result in results:
            if isinstance(result, MadeRendition):
                line.renditions += 1
                assert result.path.stat().st_size > 0
            else:
                line.failed += 1
                _record_failure(report, result[1], treatment, path)
    after = usage(media)
    if after["pid"] == before["pid"]:
        line.make_cpu_s += after["cpu_s"] - before["cpu_s"]
    line.peak_bytes = max(line.peak_bytes, int(after["peak_bytes"]))


def check(media: Media, folder: Path, flipped: int, artefacts: Path) -> None:
    """Run all cases, write the report, and assert what must hold for any files."""
    report = run(media, folder, flipped)
    artefacts.mkdir(exist_ok=True)
    (artefacts / f"corpus-{flipped}.txt").write_text(report.text())
    undamaged = {kind: line for (kind, state), line in report.lines.items() if state == "whole"}
    assert set(undamaged) == {"image", "video", "audio", "document"}
    assert all(line.refused == 0 and line.failed == 0 for line in undamaged.values()), report.text()
    count = Counter({state: 0 for _, state in report.lines})
    for (_, state), line in report.lines.items():
        count[state] += line.files
    assert count["flipped"] == flipped
    assert count["cut"] >= count["whole"] > 40
    assert max(line.peak_bytes for line in report.lines.values()) <= media.sandbox.memory_bytes, report.text()
    assert media.sandbox.call("ping", {}, timeout=SOON) == "pong"
    assert list(media.scratch_root.iterdir()) == [], "nothing is left behind"


def usage(media: Media) -> dict[str, Any]:
    """The usage of the single child: pid, cpu_s, peak_bytes."""
    numbers: dict[str, Any] = media.sandbox.call("usage", {}, timeout=SOON)
    return numbers


def _kind(path: Path) -> str:
    ending = path.suffix[1:].lower()
    for kind, endings in {
        "video": "mp4 mov webm mkv avi",
        "audio": "mp3 wav flac ogg oga opus m4a",
        "document": "pdf docx pptx xlsx odt",
    }.items():
        if ending in endings.split():
            return kind
    return "image"


def _record_failure(report: Report, failure: MediaError, treatment: str, path: Path) -> None:
    report.reasons[failure.code] += 1
    if isinstance(failure, Crashed | OutOfMemory | TooSlow):
        report.ended.append(f"{failure.code}: {treatment} {path.name}: {failure.why}")
