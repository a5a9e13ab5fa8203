"""The collection of tags that every reader fills, with bounds against hostile files."""

MOST_TAGS = 2_000
MOST_VALUES = 2_000
LONGEST = 65_536


class Tags:
    """`Group:Tag` -> values in order of arrival; the first reader of a tag wins, its values are never mixed."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}

    def put(self, tag: str, values: list[str]) -> None:
        """Keep *values* under *tag* unless the tag is there already or there are too many."""
        clean = [one for one in (value.replace("\x00", "").strip()[:LONGEST] for value in values[:MOST_VALUES]) if one]
        if clean and tag not in self.values and len(self.values) < MOST_TAGS:
            self.values[tag] = clean

    def add(self, tag: str, value: str) -> None:
        """Append one value of a repeatable tag."""
        clean = value.replace("\x00", "").strip()[:LONGEST]
        known = self.values.get(tag)
        if known is None:
            self.put(tag, [clean])
        elif clean and len(known) < MOST_VALUES:
            known.append(clean)
