"""Write docs/wire/clauses.md, which lists the tests of each clause of the wire contract; run by `make docs`.

A test names its clause in its name (`test_12_3_…` in `test_01_….py` is 01 §12.3, `test_design_5_3_…` is design 5.3) or
in its docstring or its class's (`02 §6.6`). Clauses without a test are listed first. Contract 02 is listed statement by
statement: `clauses_02.toml` names the tests of each.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vitrine.api.v1 import PREFIX, ROUTES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "wire" / "clauses.md"
TESTS = ROOT / "tests" / "contract"
STATEMENTS = ROOT / "tools" / "clauses_02.toml"

CLAUSES: dict[str, str] = {
    "01 §1": "endpoints, methods, the switch of the API",
    "01 §2": "a suspended application gets nothing",
    "01 §2.1": "one account for a person and an application",
    "01 §3": "parameters of authorize",
    "01 §3.1": "order of checks; no redirect to an unregistered address",
    "01 §3.2": "sign-in, consent, denial",
    "01 §3.3": "the address that the browser is sent to",
    "01 §3.4": "codes work once",
    "01 §4": "the token endpoint and its bodies",
    "01 §4.1": "order of its errors",
    "01 §4.2": "its answer; a withdrawn permission",
    "01 §5.1": "where an access token is accepted",
    "01 §5.2": "form and life of tokens",
    "01 §5.3": "no refresh for old applications",
    "01 §5.4": "challenges, quotes, statuses",
    "01 §5.5": "tokens and cookies never meet",
    "01 §6": "out of band",
    "01 §7": "what the sign-in page shows",
    "01 §7.2": "the consent page and its form token",
    "01 §7.3": "unknown identity providers",
    "01 §8": "one counter for failed sign-ins",
    "01 §9": "the portal's XHR routes; revocation",
    "01 §10": "imported ids of any printable form",
    "01 §11": "where the documentation is wrong",
    "01 §12.1": "code flow with an empty scope and a state",
    "01 §12.2": "underscore form and scopes are refused",
    "01 §12.3": "implicit: state in the query, token in the fragment",
    "01 §12.4": "out-of-band code can be redeemed",
    "01 §12.5": "password grant off, on, wrong",
    "01 §12.6": "carriers of the token",
    "01 §12.7": "refusals before the envelope",
    "01 §12.8": "renewing the developer token kills the old one",
    "01 §12.9": "a foreign address never gets a redirect",
    "01 §12.10": "http where https is required",
    "02 §1": "the envelope",
    "02 §2": "forms of the answer",
    "02 §3": "errors",
    "02 §4.1": "slashes at the end",
    "02 §4.2": "parameters and arrays",
    "02 §4.3": "token in the query beside a JSON body",
    "02 §4.6": "language of texts",
    "02 §4.7": "names of rights",
    "02 §4.8": "access to a record",
    "02 §4.5": "pages of other sites",
    "02 §5.1": "record, plain and extended",
    "02 §5.2": "technical data",
    "02 §5.3": "subdef and its signed address",
    "02 §5.4": "permalink",
    "02 §5.5": "caption field",
    "02 §5.6": "metadata",
    "02 §5.7": "record status",
    "02 §5.8": "story",
    "02 §5.9": "databox",
    "02 §5.10": "collection",
    "02 §5.11": "status definition",
    "02 §5.12": "field definition",
    "02 §5.13": "user",
    "02 §5.14": "basket",
    "02 §5.15": "basket element",
    "02 §5.16": "feed",
    "02 §5.17": "feed entry",
    "02 §5.18": "quarantine item",
    "02 §5.19": "task",
    "02 §5.20": "the caller's grant on a collection",
    "02 §6.0": "description of the API",
    "02 §6.1": "monitor",
    "02 §6.2": "databoxes and collections",
    "02 §6.3": "quarantine",
    "02 §6.4": "adding and substituting",
    "02 §6.5": "search",
    "02 §6.6": "records and their changes",
    "02 §6.7": "baskets",
    "02 §6.8": "feeds",
    "02 §6.9": "stories",
    "02 §6.10": "the caller's own",
    "02 §6.11": "accounts",
    "02 §6.12": "upload queue",
    "02 §6.13": "twins of numeric paths",
    "02 §7": "lists or objects",
    "02 §9.1": "every answer has its envelope",
    "02 §9.2": "unknown routes and methods need no token",
    "02 §9.3": "JSONP",
    "02 §9.4": "ids that are not there or no digits",
    "02 §9.5": "monitor is for administrators",
    "02 §9.6": "fields and types of a record",
    "02 §9.7": "keys of labels",
    "02 §9.8": "upload",
    "02 §9.9": "filters and rights of embed",
    "02 §9.10": "status bits forth and back",
    "02 §9.11": "names of baskets",
    "02 §9.12": "extended records everywhere",
    "02 §9.13": "JSON bodies of stories",
    "04 §1": "labels and addresses of permalinks",
    "04 §2": "permalink routes",
    "04 §3": "the file as an answer",
    "04 §4": "signed addresses and data files",
    "04 §5": "rights, watermark, stamp",
    "04 §6": "embed and oEmbed",
    "04 §7": "substitution",
    "04 §8": "kinds of renditions",
    "04 §9": "feeds for third parties",
    "04 §10": "webhooks",
    "04 §11": "quotas",
    "08": "clients in the wild",
    "design 5.1": "shape of lists, chosen by the owner",
    "design 5.2": "consent",
    "design 5.3": "the table of switches, cell by cell",
    "design 5.4": "secrets, shown and rotated",
    "design 5.5": "ids, secrets and links from elsewhere",
    "design 5.6": "rights for the very object",
    "design 5.7": "names and addresses of renditions",
    "design 5.8": "origins; deletion and its seven days; bounds of lists",
    "design 5.9": "what is written later",
}
_NUMBERS = re.compile(r"(?:^|_and_)(\d+(?:_\d+)*)(?=_)")
_MENTIONED = re.compile(r"\b(\d\d) §(\d+(?:\.\d+)*)|\b(design) (\d+(?:\.\d+)+)|\b(08)\b|acceptance (\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class Proof:
    """One test function: its place, the clauses that it names, and the source of its file."""

    place: str
    clauses: frozenset[str]
    source: str


def tests() -> Iterator[Proof]:
    yield from tests_in(TESTS)


def tests_in(folder: Path, prefix: str = "") -> Iterator[Proof]:
    """The tests in *folder*, with *prefix* before the names of their files."""
    for path in sorted(folder.glob("test_*.py")):
        contract = path.name[5:7]
        text = path.read_text()
        for node in ast.parse(text).body:
            functions = node.body if isinstance(node, ast.ClassDef) else [node]
            class_clauses = (
                clauses_in_text(ast.get_docstring(node) or "", contract) if isinstance(node, ast.ClassDef) else set()
            )
            for function in functions:
                if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                    clauses = (
                        class_clauses
                        | clauses_in_text(ast.get_docstring(function) or "", contract)
                        | clauses_in_name(function.name, contract)
                    )
                    owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                    yield Proof(f"{prefix}{path.name}: {owner}{function.name}", frozenset(clauses), text)


def clauses_in_text(docstring: str, contract: str) -> set[str]:
    """The clauses named in a docstring."""
    clauses = set()
    for number, clause, _, design, client, acceptance in _MENTIONED.findall(docstring):
        if clause:
            clauses.add(f"{number} §{clause}")
        elif design:
            clauses.add(f"design {design}")
        elif client:
            clauses.add(client)
        elif acceptance:
            clauses.add(f"{contract} §9.{acceptance.removeprefix('9.')}")
    return clauses


def clauses_in_name(name: str, contract: str) -> set[str]:
    """The clauses in a test's name. The longest known number wins, so `4_1_row_5` is 4.1."""
    title = name.removeprefix("test_")
    prefix = "design " if title.startswith("design_") else f"{contract} §"
    clauses = set()
    for digits in _NUMBERS.findall(title.removeprefix("design_")):
        parts = digits.split("_")
        while parts and prefix + ".".join(parts) not in CLAUSES:
            parts.pop()
        if parts:
            clauses.add(prefix + ".".join(parts))
    return clauses


def routes_page(proofs: list[Proof]) -> list[str]:
    """Every route of API v1 and the test files that call it."""
    lines = ["## Routes of API v1", "", "| route | methods | clause | called in |", "| --- | --- | --- | --- |"]
    files = {proof.place.partition(":")[0]: proof.source for proof in proofs}
    for route in ROUTES:
        tail = re.split(r"\{[^}]*\}/", route.path)[-1] or route.path.split("{")[0]
        last = re.findall(r"/([a-zA-Z-]+)", route.path)[-1]  # behind a helper that knows the rest
        called = re.compile(rf"{re.escape(tail)}|\"{last}/")
        callers = [name for name, source in files.items() if called.search(source)]
        cell = ", ".join(callers) if callers else "**nothing**"
        path = re.sub(r":int\}", "}", PREFIX + route.path)
        lines.append(f"| `{path}` | {', '.join(route.methods)} | {route.clause} | {cell} |")
    return lines


def statements() -> tuple[dict[str, dict[str, list[str]]], dict[str, str]]:
    """The statements of contract 02 by clause, each with the places of its tests, and the open ones with reasons."""
    listed = tomllib.loads(STATEMENTS.read_text())
    still_open: dict[str, str] = listed.pop("open")
    placed = {
        clause: {words: [_place(proof) for proof in proofs] for words, proofs in by_words.items()}
        for clause, by_words in listed.items()
    }
    return placed, still_open


def _place(proof: str) -> str:
    """`02_edges: TestErrors.name` as `test_02_edges.py: TestErrors.test_name`."""
    file, _, name = proof.partition(": ")
    owner, _, function = name.rpartition(".")
    file = file if "/" in file else f"test_{file}"
    return f"{file}.py: {owner + '.' if owner else ''}test_{function}"


def unproved_statements() -> list[str]:
    """What is wrong with the statements: no test, a test that is not there, a clause that is not known or has none."""
    placed, still_open = statements()
    named = {f"{clause} {words}": places for clause, by_words in placed.items() for words, places in by_words.items()}
    there = {proof.place for proof in tests()} | {
        proof.place for proof in tests_in(ROOT / "tests" / "operations", "../operations/")
    }
    faults = [f"{statement}: no test" for statement, places in named.items() if not places]
    faults += [
        f"{statement}: {place} is not there"
        for statement, places in named.items()
        for place in places
        if place not in there
    ]
    faults += [f"{clause} is not in CLAUSES" for clause in placed if clause not in CLAUSES]
    faults += [f"{clause}: no statement" for clause in CLAUSES if clause.startswith("02 §") and clause not in placed]
    faults += [f"{statement}: no reason" for statement, reason in still_open.items() if not reason]
    return faults


def statements_page() -> list[str]:
    placed, still_open = statements()
    lines = ["## Statements of contract 02", "", "| clause | statement | tests |", "| --- | --- | --- |"]
    for clause, by_words in placed.items():
        for words, places in by_words.items():
            lines.append(f"| {clause} | {words} | {'<br>'.join(f'`{place}`' for place in places)} |")
    lines += ["", "Not built yet:", ""]
    return [*lines, *(f"- {statement}: {reason}" for statement, reason in still_open.items())]


def clauses_page() -> str:
    proofs = list(tests())
    by_clause: dict[str, list[str]] = {clause: [] for clause in CLAUSES}
    for proof in proofs:
        for clause in proof.clauses:
            by_clause.setdefault(clause, []).append(proof.place)
    for clause, by_words in statements()[0].items():
        by_clause[clause] += [place for places in by_words.values() for place in places]
    unproved = [clause for clause, places in by_clause.items() if not places]
    lines = [
        "# Clauses and their proofs",
        "",
        "Made by `make docs` from `tools/clauses.py` and the names of the tests under `tests/contract/`.",
        "",
        "## Clauses without proof",
        "",
        *([f"- {clause}: {CLAUSES[clause]}" for clause in unproved] or ["None."]),
        "",
        *routes_page(proofs),
        "",
        *statements_page(),
        "",
        "## Clauses with proof",
        "",
        "| clause | about | tests |",
        "| --- | --- | --- |",
    ]
    for clause, places in sorted(by_clause.items(), key=lambda pair: _order(pair[0])):
        if places:
            cell = "<br>".join(f"`{place}`" for place in sorted(set(places)))
            lines.append(f"| {clause} | {CLAUSES.get(clause, '')} | {cell} |")
    return "\n".join(lines) + "\n"


def _order(clause: str) -> tuple[str, list[int]]:
    head, _, number = clause.replace("design ", "design §").partition("§")
    return head, [int(part) for part in number.split(".") if part]


def main() -> int:
    page = clauses_page()
    if "--check" in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text() == page else 1
    PAGE.write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
