"""Our readers against exiftool: at least 99 % of IPTC Core values are equal, over real files and written ones."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from vitrine.media.metadata import read_metadata
from vitrine.media.metadata.exif import camera_facts
from vitrine.media.probe.inspect import type_of
from vitrine.testing import corpus
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds

LEAST_EQUAL = 0.99
# IPTC Photo Metadata Standard, Core schema, in its IIM and its XMP form.
CORE = (
    "IPTC:ObjectName", "IPTC:Keywords", "IPTC:SpecialInstructions", "IPTC:DateCreated", "IPTC:By-line",
    "IPTC:By-lineTitle", "IPTC:City", "IPTC:Sub-location", "IPTC:Province-State", "IPTC:Country-PrimaryLocationCode",
    "IPTC:Country-PrimaryLocationName", "IPTC:OriginalTransmissionReference", "IPTC:Headline", "IPTC:Credit",
    "IPTC:Source", "IPTC:CopyrightNotice", "IPTC:Caption-Abstract", "IPTC:Writer-Editor", "IPTC:SubjectReference",
    "XMP-dc:Title", "XMP-dc:Description", "XMP-dc:Subject", "XMP-dc:Creator", "XMP-dc:Rights",
    "XMP-photoshop:Headline", "XMP-photoshop:DateCreated", "XMP-photoshop:City", "XMP-photoshop:State",
    "XMP-photoshop:Country", "XMP-photoshop:Credit", "XMP-photoshop:Source", "XMP-photoshop:Instructions",
    "XMP-photoshop:TransmissionReference", "XMP-photoshop:AuthorsPosition", "XMP-photoshop:CaptionWriter",
    "XMP-iptcCore:CountryCode", "XMP-iptcCore:Location", "XMP-iptcCore:Scene", "XMP-iptcCore:SubjectCode",
    "XMP-iptcCore:IntellectualGenre", "XMP-iptcCore:CreatorCity", "XMP-iptcCore:CreatorCountry",
    "XMP-iptcCore:CreatorAddress", "XMP-iptcCore:CreatorPostalCode", "XMP-iptcCore:CreatorRegion",
    "XMP-iptcCore:CreatorWorkEmail", "XMP-iptcCore:CreatorWorkTelephone", "XMP-iptcCore:CreatorWorkURL",
    "XMP-xmpRights:UsageTerms", "XMP-xmpRights:WebStatement",
)  # fmt: skip
_WORDS = (
    "Port au lever du jour",
    "Überseehafen, Straße",
    "桟橋の朝",
    "Гавань на рассвете",
    "مرسى",
    "a & <b> \"c\" 'd'",
)
_DATES = ("DateCreated",)
_CAMERA = ("ExifIFD:", "Composite:")


def _flat(value: Any) -> list[str]:
    """Values of the oracle in our form: texts, dates with colons."""
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def _ours(path: Path) -> dict[str, list[str]]:
    mime = type_of(path, path.name)
    if mime == "application/pdf":
        from vitrine.media.probe import pdf

        found: dict[str, list[str]] = pdf.facts_of(str(path))["metadata"]
        return found
    return read_metadata(path, mime)[0]


def _compared(paths: Iterable[Path]) -> tuple[int, list[str]]:
    """(values that the oracle sees, differences)."""
    paths = list(paths)
    total, wrong = 0, []
    for name, theirs in corpus.told(paths, "-api", "struct=0", *(f"-{tag}" for tag in CORE)).items():
        ours = _ours(Path(name))
        for tag, value in theirs.items():
            expected = [one.strip() for one in _flat(value) if one.strip()]
            got = ours.get(tag, [])
            if tag.endswith(_DATES):
                got = [one.replace("-", ":").replace("T", " ") for one in got]
                expected = [one.replace("-", ":") for one in expected]
            total += max(1, len(expected))
            if got != expected:
                wrong.append(f"{Path(name).name} {tag}: {got} for {expected}")
    return total, wrong


def test_iptc_core_of_the_corpus_is_read_as_exiftool_reads_it() -> None:
    total, wrong = _compared(one.path for one in corpus.files())
    assert total >= 40
    assert len(wrong) <= total * (1 - LEAST_EQUAL), wrong


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.heic", "a.avif", "a.gif", "a.pdf", "a.mp4"])
def test_iptc_core_written_by_exiftool_is_read_back(tmp_path: Path, name: str) -> None:
    paths = [tmp_path / f"{number}-{name}" for number in range(len(_WORDS))]
    for path in paths:
        makers = {".jpg": make.jpeg, ".png": make.png, ".mp4": make.mp4, ".pdf": kinds.pdf}
        maker = makers.get(path.suffix)
        maker(path) if maker else kinds.picture(path)  # type: ignore[operator]  # each takes a path
    _write(list(zip(paths, _WORDS, strict=True)))
    total, wrong = _compared(paths)
    assert total >= 25 * len(_WORDS)
    assert wrong == []


def _write(pairs: list[tuple[Path, str]]) -> None:
    """Let the oracle write into every file, in one run of it."""
    arguments: list[str] = []
    for path, word in pairs:
        arguments += ["-overwrite_original", "-q", *_assignments(path, word), str(path), "-execute"]
    done = corpus.exiftool(*arguments)
    assert done.returncode == 0, done.stderr


def _assignments(path: Path, word: str) -> list[str]:
    """Every tag of the standard with a value of its own, lists with three."""
    wanted = [tag for tag in CORE if path.suffix in (".jpg", ".tif") or not tag.startswith("IPTC:")]
    arguments: list[str] = []
    for tag in wanted:
        if tag.endswith("DateCreated"):
            arguments.append(f"-{tag}=2021:03:04")
        elif tag.endswith(("CountryCode", "LocationCode")):
            arguments.append(f"-{tag}=FRA")
        elif tag.endswith(("Keywords", "Subject", "Creator", "By-line", "Scene", "SubjectCode")):
            arguments += [f"-{tag}={word[:20]} {n}" for n in range(3)]
        elif tag == "IPTC:SubjectReference":
            arguments.append(f"-{tag}=IPTC:01000000:arts::")
        else:
            arguments.append(f"-{tag}={word[:24]}")
    coded = ["-codedcharacterset=utf8"] if path.suffix in (".jpg", ".tif") else []
    return coded + arguments


def test_what_the_camera_wrote_is_computed_as_exiftool_does() -> None:
    """Technical data of 04 section 8, over every JPEG of the corpus that a camera made."""
    names = ("HyperfocalDistance", "LightValue", "Aperture", "ShutterSpeed", "ISO", "FocalLength")
    paths = [one.path for one in corpus.files() if one.path.suffix.lower() in (".jpg", ".jpeg")]
    compared = 0
    for name, theirs in corpus.told(paths, "-n", *(f"-{one}" for one in names)).items():
        ours = dict(camera_facts(read_metadata(Path(name), "image/jpeg")[0]))
        expected = {tag.partition(":")[2]: value for tag, value in theirs.items() if tag.startswith(_CAMERA)}
        for fact in ours.keys() & expected.keys() & set(names):
            assert ours[fact] == pytest.approx(float(expected[fact]), rel=0.01), (name, fact)
            compared += 1
    assert compared >= 20
