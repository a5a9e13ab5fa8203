"""The field's words: names of ours that a reader would have to look up stay out (docs/glossary.md)."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from vitrine.schema import metadata
from vitrine.settings import Settings

ROOT = Path(__file__).parents[1]
# Parts of a name between underscores, or of a class between capitals.
PRIVATE_WORDS = frozenset({
    "asked", "belongings", "desk", "freshly", "glance", "habit", "habits", "helping", "hurried", "ledger",
    "letters", "onward", "postman", "proving", "recall", "shelf", "shelve", "upkeep",
})  # fmt: skip
# Whole names: each of these says nothing of what it holds, or is a word of its own elsewhere.
PRIVATE_NAMES = frozenset({
    "found", "here", "made", "off", "one",
})  # fmt: skip
PRIVATE_MODULES = frozenset({
    "completing", "external", "helping", "letters", "marks", "onward", "opening", "proving", "providers", "second",
    "shelf", "upkeep",
})  # fmt: skip
PRIVATE_CLASSES = frozenset({
    "Asked", "Desk", "Kind", "Marks", "Sealed", "Wanted", "Waiting", "Whole",
})  # fmt: skip
# One word, one thing: classes of these names are defined once in the whole tree.
DEFINED_ONCE = frozenset({
    "Scope", "Identity", "Document", "Actor", "Application", "Record", "Rendition", "Collection", "Databox",
    "Permalink", "Job",
})  # fmt: skip
LEFT_ALONE = ("src/vitrine/migrations/versions/",)  # what was written into other people's databases keeps its words


def sources() -> list[Path]:
    every = (
        path for folder in ("src", "tests", "benchmarks", "tools", "examples") for path in (ROOT / folder).rglob("*.py")
    )
    return sorted(path for path in every if not path.relative_to(ROOT).as_posix().startswith(LEFT_ALONE))


def words_of(name: str) -> set[str]:
    return {word.lower() for part in name.split("_") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", part)}


def bound_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that the file binds: definitions, parameters, variables, fields, aliases of imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno or 0, node.asname


def is_test(name: str) -> bool:
    return name.startswith("test_")  # sentences about behaviour, in the words of people


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_names_are_the_fields_own(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    private = [
        f"line {line}: {name}"
        for line, name in bound_names(tree)
        if not is_test(name) and (name in PRIVATE_NAMES or name in PRIVATE_CLASSES or words_of(name) & PRIVATE_WORDS)
    ]
    assert private == []
    assert path.stem not in PRIVATE_MODULES


def test_log_events_settings_and_tables_use_the_fields_words() -> None:
    names = {field.name for field in fields(Settings)}
    for table in metadata.tables.values():
        names |= {table.name, *(column.name for column in table.columns)}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                is_log = isinstance(node.func.value, ast.Name) and node.func.value.id == "log"
                event = node.args[0]
                if is_log and isinstance(event, ast.Constant) and isinstance(event.value, str):
                    names.add(event.value.replace(".", "_"))
    assert {name for name in names if words_of(name) & PRIVATE_WORDS} == set()


def test_one_word_is_one_class() -> None:
    defined: dict[str, list[str]] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name in DEFINED_ONCE:
                defined.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in defined.items() if len(paths) > 1} == {}
