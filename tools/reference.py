"""Write the generated reference pages; with --check, fail if one is outdated."""

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
    for setting in fields(Settings):
        default = "" if setting.default in ("", ()) else f"`{setting.default}`"
        lines.append(f"| `{setting.name}` | {default} | {setting.metadata['unit']} | {setting.metadata['sentence']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    page = settings_page()
    if "--check" in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text() == page else 1
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
