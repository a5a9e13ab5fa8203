"""Technical data that a camera wrote into a picture, from its EXIF tags (04 section 8)."""

import math

from vitrine.media.probe.model import Technical


def camera_facts(metadata: dict[str, list[str]]) -> list[tuple[str, Technical]]:
    """The typed values of *metadata* (`Group:Tag` -> values); missing and unreadable ones are left out."""

    def number(tag: str) -> float | None:
        try:
            return float(metadata[tag][0])
        except (KeyError, IndexError, ValueError):
            return None

    facts: list[tuple[str, Technical]] = []
    for name, tag in (("ISO", "ExifIFD:ISO"), ("ColorSpace", "ExifIFD:ColorSpace")):
        value = number(tag)
        if value is not None:
            facts.append((name, int(value)))
    aperture, seconds = number("ExifIFD:FNumber"), number("ExifIFD:ExposureTime")
    focal, iso = number("ExifIFD:FocalLength"), number("ExifIFD:ISO")
    for name, value in (("FocalLength", focal), ("Aperture", aperture), ("ShutterSpeed", seconds)):
        if value is not None:
            facts.append((name, round(value, 6)))
    if aperture and seconds and iso and aperture > 0 and seconds > 0 and iso > 0:
        facts.append(("LightValue", round(math.log2(aperture**2 / seconds * 100 / iso), 2)))
    equivalent = number("ExifIFD:FocalLengthIn35mmFormat")
    if equivalent and focal and aperture and equivalent > 0 and focal > 0 and aperture > 0:
        # The circle of confusion is 1/1440 of the sensor's diagonal, which follows from the two focal lengths.
        circle_mm = math.hypot(36, 24) / (equivalent / focal) / 1440
        facts.append(("HyperfocalDistance", round(focal**2 / (aperture * circle_mm * 1000), 4)))
    flash = number("ExifIFD:Flash")
    if flash is not None:
        facts.append(("FlashFired", int(flash) & 1))
    if "IFD0:Model" in metadata:
        facts.append(("CameraModel", metadata["IFD0:Model"][0]))
    for name in ("Latitude", "Longitude"):
        value = number(f"GPS:GPS{name}")
        if value is not None:
            facts.append((name, value))
            facts += [(f"{name}Ref", reference) for reference in metadata.get(f"GPS:GPS{name}Ref", [])[:1]]
    return facts
