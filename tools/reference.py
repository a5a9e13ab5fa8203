"""Write the generated reference pages; with --check, fail if one is outdated."""

import sys
from dataclasses import fields
from pathlib import Path

from vitrine.accounts.credential_revocation import TABLE, Credential, Effect
from vitrine.operations.export.kinds import KINDS, LEFT_OUT
from vitrine.operations.export.layout import FORMAT
from vitrine.operations.export.lines import member_of, words_of
from vitrine.settings import FORMER_NAMES, PREFIX, Settings

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
PAGE = FOLDER / "settings.md"
CREDENTIALS = FOLDER / "credentials.md"
EXPORT = FOLDER / "export.md"


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
    lines += ["", "Names of earlier releases, which still work:", ""]
    lines += [f"- `{former}` is `{name}`." for former, name in FORMER_NAMES.items()]
    return "\n".join(lines) + "\n"


MEANINGS = {
    Effect.ENDS: "never works again.",
    Effect.ENDS_IF_TICKED: "the same, where the person ticks it on the page.",
    Effect.REFUSED: "refused at each use; works again if the person or application comes back before its time is over.",
    Effect.ROTATION_OFFERED: "goes on working; the settings page offers a new one if this person saw it.",
}


def credentials_page() -> str:
    lines = [
        "# When credentials end",
        "",
        "Made by `make docs` from the table in `src/vitrine/accounts/credential_revocation.py`, by which the server",
        "acts. All that an event names ends in the transaction of the event, in every process; what it does not name",
        "stays.",
        "`tests/revocation` proves each cell over HTTP. Why so: [decision 0083](../decisions/0083-what-ends-when.md).",
        "",
        *(f"- **{effect.value}**: {words}" for effect, words in MEANINGS.items()),
    ]
    for event, row in TABLE.items():
        lines += ["", f"## {event.value[0].upper()}{event.value[1:]}", ""]
        for effect in MEANINGS:
            named = [credential.value for credential in Credential if row[credential] is effect]
            if named:
                lines.append(f"- **{effect.value}**: {'; '.join(named)}.")
    return "\n".join(lines) + "\n"


def export_page() -> str:
    lines = [
        "# Kinds of lines in an export",
        "",
        "Made by `make docs` from the tables, by `src/vitrine/operations/export/kinds.py`. How the files are laid out,",
        f"and what the types mean: [export](../wire/export.md). This is format {FORMAT}: whoever changes what is below",
        "gives the format a new number and keeps reading the old one.",
    ]
    for kind in KINDS:
        lines += ["", f"## {kind.name}", "", f"`{kind.path}`: {kind.what}. Key: {', '.join(kind.key)}.", ""]
        lines += ["| member | type | refers to | meaning |", "| --- | --- | --- | --- |"]
        for column in kind.columns:
            target = ", ".join(key.column.table.name for key in column.foreign_keys)
            comment = (column.comment or "").replace("|", "\\|") if member_of(column) == column.name else "decrypted"
            lines.append(f"| `{member_of(column)}` | {words_of(column)} | {target} | {comment} |")
    lines += ["", "## Tables that have no lines", "", "| table | why |", "| --- | --- |"]
    lines += [f"| `{table}` | {why} |" for table, why in sorted(LEFT_OUT.items())]
    return "\n".join(lines) + "\n"


PAGES = {PAGE: settings_page, CREDENTIALS: credentials_page, EXPORT: export_page}


def main() -> int:
    pages = {page: make() for page, make in PAGES.items()}
    if "--check" in sys.argv:
        return 0 if all(page.exists() and page.read_text() == text for page, text in pages.items()) else 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page, text in pages.items():
        page.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
