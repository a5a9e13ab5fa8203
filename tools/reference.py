"""Write the generated reference pages; with --check, fail when one is not current."""

import sys
from dataclasses import fields
from pathlib import Path

from vitrine.settings import PREFIX, Settings

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "Made by `make docs` from `src/vitrine/settings.py`. In `vitrine.toml` by name, in the environment with the",
        f"prefix `{PREFIX}`, in capitals.",
        "",
        "| setting | default | unit | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for one in fields(Settings):
        default = "" if one.default in ("", ()) else f"`{one.default}`"
        lines.append(f"| `{one.name}` | {default} | {one.metadata['unit']} | {one.metadata['sentence']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    wanted = settings_page()
    if "--check" in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text() == wanted else 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
