"""The collection of tags that every reader fills, with limits against hostile files."""

MOST_TAGS = 2_000
MOST_VALUES = 2_000
LONGEST = 65_536


class Tags:
    """`Group:Tag` -> values in order of arrival. The first reader of a tag wins; values of two readers are not
    mixed."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}

    def put(self, tag: str, values: list[str]) -> None:
        """Store *values* under *tag*, unless the tag exists already or there are too many tags."""
        clean = [
            cleaned
            for cleaned in (value.replace("\x00", "").strip()[:LONGEST] for value in values[:MOST_VALUES])
            if cleaned
        ]
        if clean and tag not in self.values and len(self.values) < MOST_TAGS:
            self.values[tag] = clean

    def add(self, tag: str, value: str) -> None:
        """Append one value of a repeatable tag."""
        clean = value.replace("\x00", "").strip()[:LONGEST]
        present = self.values.get(tag)
        if present is None:
            self.put(tag, [clean])
        elif clean and len(present) < MOST_VALUES:
            present.append(clean)
