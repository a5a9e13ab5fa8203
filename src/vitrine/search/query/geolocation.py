"""`geolocation="48.85 2.35 10km"` (contract 05 section 3): a circle on the Earth."""

import re
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from vitrine.search.query.errors import BadKeyValue

EARTH_RADIUS_M = 6_371_008.8
_NUMBER = r"[+-]?\d{1,18}(?:\.\d{1,18})?"
_CIRCLE = re.compile(
    rf"\s*({_NUMBER})[\s,;]+({_NUMBER})[\s,;]+(\d{{1,18}}(?:\.\d{{1,18}})?)\s*([A-Za-z]*)\s*", re.ASCII
)
_METRES_OF = {
    **dict.fromkeys(("mi", "miles"), 1609.344),
    **dict.fromkeys(("yd", "yards"), 0.9144),
    **dict.fromkeys(("ft", "feet"), 0.3048),
    **dict.fromkeys(("in", "inch"), 0.0254),
    **dict.fromkeys(("km", "kilometers"), 1000.0),
    **dict.fromkeys(("m", "meters"), 1.0),
    **dict.fromkeys(("cm", "centimeters"), 0.01),
    **dict.fromkeys(("mm", "millimeters"), 0.001),
    **dict.fromkeys(("NM", "nmi", "nauticalmiles"), 1852.0),
}


@dataclass(frozen=True, slots=True)
class Circle:
    latitude: float
    longitude: float
    radius_m: float

    def contains(self, latitude: float, longitude: float) -> bool:
        return self._distance_m(latitude, longitude) <= self.radius_m

    def _distance_m(self, latitude: float, longitude: float) -> float:
        """Along a great circle, by the haversine formula."""
        first, second = radians(self.latitude), radians(latitude)
        half_turn = sin(radians(longitude - self.longitude) / 2) ** 2
        chord = sin((second - first) / 2) ** 2 + cos(first) * cos(second) * half_turn
        return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))


def circle(value: str, at: int) -> Circle:
    """The circle that *value* describes. Raises BadKeyValue, also for a unit that nobody knows."""
    match = _CIRCLE.fullmatch(value)
    if match is None:
        raise BadKeyValue(
            "geolocation", at, value, 'Write latitude, longitude and distance with its unit: "48.85 2.35 10km".'
        )
    latitude, longitude, distance = (float(match.group(group)) for group in (1, 2, 3))
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadKeyValue("geolocation", at, value, "Latitudes go from -90 to 90, longitudes from -180 to 180.")
    metres = _METRES_OF.get(match.group(4))
    if metres is None:
        raise BadKeyValue("geolocation", at, value, f"The units of distance are {', '.join(_METRES_OF)}.")
    return Circle(latitude, longitude, distance * metres)
