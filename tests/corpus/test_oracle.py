"""Compare our readers with exiftool: at least 99 % of IPTC Core values are equal, in real and in written files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from vitrine.media.metadata.read import read_metadata
from vitrine.media.probe.camera import camera_facts
from vitrine.media.probe.inspect import type_of
from vitrine.testing import corpus
from vitrine.testing import media_factory as make
from vitrine.testing import media_kinds as kinds

LEAST_EQUAL = 0.99
# IPTC Photo Metadata Standard, Core schema, as IIM and as XMP.
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


def _as_texts(value: Any) -> list[str]:
    """The oracle's values as texts."""
    return [str(item) for item in (value if isinstance(value, list) else [value])]


def _our_tags(path: Path) -> dict[str, list[str]]:
    mime = type_of(path, path.name)
    if mime == "application/pdf":
        from vitrine.media.probe import pdf

        metadata: dict[str, list[str]] = pdf.facts_of(str(path))["metadata"]
        return metadata
    return read_metadata(path, mime)[0]


def _compare(paths: Iterable[Path]) -> tuple[int, list[str]]:
    """(number of values that the oracle reads, differences)."""
    paths = list(paths)
    total, differences = 0, []
    for name, oracle_tags in corpus.read_with_exiftool(paths, "-api", "struct=0", *(f"-{tag}" for tag in CORE)).items():
        our_tags = _our_tags(Path(name))
        for tag, value in oracle_tags.items():
            expected = [text.strip() for text in _as_texts(value) if text.strip()]
            actual = our_tags.get(tag, [])
            if tag.endswith(_DATES):
                actual = [text.replace("-", ":").replace("T", " ") for text in actual]
                expected = [text.replace("-", ":") for text in expected]
            total += max(1, len(expected))
            if actual != expected:
                differences.append(f"{Path(name).name} {tag}: {actual} for {expected}")
    return total, differences


def test_iptc_core_of_the_corpus_is_read_as_exiftool_reads_it() -> None:
    total, differences = _compare(file.path for file in corpus.files())
    assert total >= 40
    assert len(differences) <= total * (1 - LEAST_EQUAL), differences


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.heic", "a.avif", "a.gif", "a.pdf", "a.mp4"])
def test_iptc_core_written_by_exiftool_is_read_back(tmp_path: Path, name: str) -> None:
    paths = [tmp_path / f"{number}-{name}" for number in range(len(_WORDS))]
    for path in paths:
        makers = {".jpg": make.jpeg, ".png": make.png, ".mp4": make.mp4, ".pdf": kinds.pdf}
        maker = makers.get(path.suffix)
        maker(path) if maker else kinds.picture(path)  # type: ignore[operator]  # each takes a path
    _write(list(zip(paths, _WORDS, strict=True)))
    total, differences = _compare(paths)
    assert total >= 25 * len(_WORDS)
    assert differences == []


def _write(pairs: list[tuple[Path, str]]) -> None:
    """Write tags into every file, in one run of exiftool."""
    arguments: list[str] = []
    for path, word in pairs:
        arguments += ["-overwrite_original", "-q", *_assignments(path, word), str(path), "-execute"]
    result = corpus.exiftool(*arguments)
    assert result.returncode == 0, result.stderr


def _assignments(path: Path, word: str) -> list[str]:
    """Assign a value to every tag of the standard, and three values to list tags."""
    tags = [tag for tag in CORE if path.suffix in (".jpg", ".tif") or not tag.startswith("IPTC:")]
    arguments: list[str] = []
    for tag in tags:
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
    charset = ["-codedcharacterset=utf8"] if path.suffix in (".jpg", ".tif") else []
    return charset + arguments


def test_what_the_camera_wrote_is_computed_as_exiftool_does() -> None:
    """Technical data of 04 section 8, for every JPEG in the corpus that a camera wrote."""
    names = ("HyperfocalDistance", "LightValue", "Aperture", "ShutterSpeed", "ISO", "FocalLength")
    paths = [file.path for file in corpus.files() if file.path.suffix.lower() in (".jpg", ".jpeg")]
    compared = 0
    for name, oracle_tags in corpus.read_with_exiftool(paths, "-n", *(f"-{name}" for name in names)).items():
        our_facts = dict(camera_facts(read_metadata(Path(name), "image/jpeg")[0]))
        expected = {tag.partition(":")[2]: value for tag, value in oracle_tags.items() if tag.startswith(_CAMERA)}
        for fact in our_facts.keys() & expected.keys() & set(names):
            assert our_facts[fact] == pytest.approx(float(expected[fact]), rel=0.01), (name, fact)
            compared += 1
    assert compared >= 20
