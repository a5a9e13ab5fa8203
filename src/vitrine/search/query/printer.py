"""From tree to text: `parse(print_query(tree)).tree == tree` for every tree that `parse` gives."""

from vitrine.search.query.errors import QuerySyntaxError
from vitrine.search.query.tokens import OPERATORS, WORDS, TokenKind, tokens_of
from vitrine.search.query.tree import (
    And,
    Comparison,
    Concept,
    Everything,
    Exact,
    Except,
    FieldKey,
    Flag,
    InField,
    Key,
    NativeKey,
    Node,
    Or,
    Phrase,
    TechnicalKey,
    Text,
)


def print_query(tree: Node) -> str:
    """The query language for *tree*."""
    if isinstance(tree, Everything):
        return ""
    if isinstance(tree, Text) and any(_is_operator(word) for word in tree.words.split(" ")[1:-1]):
        return f"{tree.words} )"  # an operator that is a mere word: only a text that is no query says so
    plain = _Printer(escapes=False)
    printed = plain.node(tree)
    return _Printer(escapes=True).node(tree) if plain.needs_escapes else printed


class _Printer:
    def __init__(self, *, escapes: bool) -> None:
        self.escapes = escapes
        self.needs_escapes = False

    def node(self, node: Node) -> str:
        match node:
            case Except(kept, removed):
                return " EXCEPT ".join(self._part(part, Except) for part in (kept, *removed))
            case Or(parts):
                return " OR ".join(self._part(part, Except, Or) for part in parts)
            case And(parts):
                return self._all_of(parts)
            case _:
                return self._leaf(node)

    def _part(self, node: Node, *grouped: type[Node]) -> str:
        """One side of an operator, in parentheses if it is of a kind that binds weaker, or if its last word would be
        read as an operator."""
        printed = self.node(node)
        *before, last = printed.split()
        return f"({printed})" if isinstance(node, grouped) or (before and _is_operator(last)) else printed

    def _all_of(self, parts: tuple[Node, ...]) -> str:
        printed = ""
        for part in parts:
            if not printed:
                printed = self._part(part, Except, Or, And)
            elif isinstance(part, InField) and not _is_short(part.term):
                # Only directly after words does a field take more than one string.
                printed += f" {self.node(part)}"
            else:
                printed += f" AND {self._part(part, Except, Or, And)}"
        return printed

    def _leaf(self, node: Node) -> str:
        match node:
            case Text(words, context):
                return words + _context(context)
            case Phrase(words):
                return self.quote(words)
            case Exact(value):
                return f'r"{_escape(value)}"'
            case Concept(text, context):
                return f"[{self._concept_text(text)}{_context(context)}]"
            case InField(key, And(parts)):
                return f"{self._key(key)}:{self._strings(parts)}"
            case InField(key, term):
                return f"{self._key(key)}:{self._leaf(term)}"
            case Comparison(key, operator, value):
                return f"{self._key(key)}{operator}{self._value(value)}"
            case Flag(name, is_on):
                return f"flag.{name}:{'true' if is_on else 'false'}"
            case _:
                return '" "'  # everything, as one side of an operator: a blank text is ignored

    def _strings(self, parts: tuple[Node, ...]) -> str:
        """Strings side by side. Without a blank, an operator beside quotes is a mere word."""
        printed = ""
        for part in parts:
            leaf = self._leaf(part)
            is_word = _is_operator(printed.rpartition(" ")[2]) or (
                isinstance(part, Text) and _is_operator(part.words.partition(" ")[0])
            )
            printed += leaf if not printed or is_word else f" {leaf}"
        return printed

    def _key(self, key: Key) -> str:
        match key:
            case NativeKey(name):
                return name.value
            case TechnicalKey(name):
                return f"meta.{name}"
            case FieldKey(name):
                return self._field(name)

    def _field(self, name: str) -> str:
        kinds = _kinds(name)
        if kinds == [TokenKind.KEY]:
            return f"field.{name}"
        return name if _is_word(name) and kinds[0] is not TokenKind.PREFIX else self.quote(name)

    def _value(self, value: str) -> str:
        return value if _is_word(value) else self.quote(value)

    def _concept_text(self, text: str) -> str:
        return text if all(_is_word(word) for word in text.split(" ")) else self.quote(text)

    def quote(self, text: str) -> str:
        self.needs_escapes = self.needs_escapes or '"' in text or text.endswith("\\")
        return f'"{_escape(text) if self.escapes else text}"'


def quoted(value: str) -> str:
    r"""*value* in quotes, as the clause of a facet has it: `"` and `\` escaped only where the plain reading fails."""
    printer = _Printer(escapes=False)
    printed = printer.quote(value)
    return f'"{_escape(value)}"' if printer.needs_escapes else printed


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _context(context: str | None) -> str:
    return "" if context is None else f"({context})"


def _is_short(term: Node) -> bool:
    return not isinstance(term, And) and not (
        isinstance(term, Text) and (" " in term.words or term.context is not None)
    )


def _kinds(text: str) -> list[TokenKind]:
    """The kinds of the tokens of *text*; none if it has a quote that does not end."""
    try:
        return [token.kind for token in tokens_of(text)[:-1]]
    except QuerySyntaxError:
        return []


def _is_word(text: str) -> bool:
    kinds = _kinds(text)
    return bool(kinds) and all(kind in WORDS for kind in kinds)


def _is_operator(word: str) -> bool:
    kinds = _kinds(word)
    return len(kinds) == 1 and kinds[0] in OPERATORS
