r"""From text to tree: the grammar of contract 05 section 2, by recursive descent without backtracking.

Every token is read a bounded number of times, so the work grows with the length of the text; parentheses nest to a
bounded depth, so no text exhausts the stack. A text that the grammar does not match, but that has only words, colons,
parentheses and brackets, is read as plain words, with a notice. Everything else is refused, with its place.

Quotes are read twice if need be: `"a\"` is a value that ends with a backslash, unless the whole query also makes sense
with `\"` as a quote inside a value, as facets write it (docs/decisions/0164).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import NamedTuple

from vitrine.search.query.errors import QuerySyntaxError, QueryTooLarge
from vitrine.search.query.tokens import OPERATORS, WORDS, Token, TokenKind, tokens_of
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
    Native,
    NativeKey,
    Node,
    Operator,
    Phrase,
    String,
    TechnicalKey,
    Term,
    Text,
    all_of,
    any_of,
)

_STRINGS = WORDS | {TokenKind.QUOTED, TokenKind.RAW}
_VALUES = WORDS | {TokenKind.QUOTED}
_STARTS = _STRINGS | {TokenKind.OPEN, TokenKind.OPEN_BRACKET}
_PUNCTUATION = frozenset({
    TokenKind.BLANK, TokenKind.OPEN, TokenKind.CLOSE, TokenKind.OPEN_BRACKET, TokenKind.CLOSE_BRACKET, TokenKind.COLON,
    TokenKind.END,
})  # fmt: skip
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # JSON can hold it, no engine can take it
_ONLY_COMPARED = frozenset({Native.GEOLOCATION, Native.CREATED_ON, Native.UPDATED_ON})


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a query may be: in characters, in words and conditions together, in nested parentheses."""

    characters: int = 10_000
    clauses: int = 500
    depth: int = 32


class NoticeKind(StrEnum):
    READ_AS_WORDS = "read_as_words"
    CONTEXT_IGNORED = "context_ignored"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the person should know of how the query was read. *at* is the place, in characters."""

    kind: NoticeKind
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    tree: Node
    notices: tuple[Notice, ...] = ()


LIMITS = Limits()


def parse(text: str, limits: Limits = LIMITS) -> ParsedQuery:
    """Read *text*. Raises QuerySyntaxError or QueryTooLarge."""
    if len(text) > limits.characters:
        raise QueryTooLarge(
            limits.characters, f"A query has at most {limits.characters} characters.", "Please shorten it."
        )
    half = _HALF_CHARACTER.search(text)
    if half is not None:
        raise QuerySyntaxError(half.start(), "This is half a character.", "Remove it.")
    failure: QuerySyntaxError | None = None
    plain: ParsedQuery | None = None
    tokens: list[Token] = []
    try:
        tokens = tokens_of(text)
        plain = Parser(tokens, limits).query()
    except QuerySyntaxError as error:
        failure = error
    if "\\" in text and (plain is None or _has_doubtful_quote(tokens)):
        try:
            return Parser(tokens_of(text, escapes=True), limits).query()
        except QuerySyntaxError:
            pass  # then the plain reading stands, or its refusal: that is the language as documented
    if plain is not None:
        return plain
    assert failure is not None
    return _as_words(tokens, limits, failure)


def plain_words(text: str, limits: Limits = LIMITS) -> Text | None:
    """*text* as plain words, whatever it is: what a page searches for when `parse` refuses. None if nothing is left.
    Quotes and comparison signs are dropped too."""
    dropped = str.maketrans(dict.fromkeys('()[]:<>≤≥="', " "))
    words = _HALF_CHARACTER.sub(" ", text)[: limits.characters].translate(dropped).split()
    return Text(" ".join(words[: limits.clauses])) if words else None


def _has_doubtful_quote(tokens: list[Token]) -> bool:
    return any(token.kind is TokenKind.QUOTED and token.text.endswith('\\"') for token in tokens)


def _as_words(tokens: list[Token], limits: Limits, failure: QuerySyntaxError) -> ParsedQuery:
    if not tokens or any(token.kind not in WORDS and token.kind not in _PUNCTUATION for token in tokens):
        raise failure
    words = "".join(token.text if token.kind in WORDS else " " for token in tokens).split()
    if not words:
        raise failure
    if len(words) > limits.clauses:
        raise _too_many(limits, 0)
    notice = Notice(
        NoticeKind.READ_AS_WORDS, failure.at, f"The query was read as plain words. {failure.problem} {failure.remedy}"
    )
    return ParsedQuery(Text(" ".join(words)), (notice,))


def _too_many(limits: Limits, at: int) -> QueryTooLarge:
    return QueryTooLarge(
        at, f"A query has at most {limits.clauses} words and conditions.", "Please search for fewer at once."
    )


class _UnitKind(Enum):
    PAIR = auto()
    TEXT = auto()
    CONCEPT = auto()
    GROUP = auto()


class _Unit(NamedTuple):
    kind: _UnitKind
    nodes: tuple[Node, ...]  # none if all of it is blank


class Parser:
    """Reads one list of tokens. `steps` counts the tokens looked at, for the proof that the work is linear."""

    def __init__(self, tokens: list[Token], limits: Limits = LIMITS) -> None:
        self._tokens = tokens
        self._limits = limits
        self._position = 0
        self._depth = 0
        self._clauses = 0
        self._notices: list[Notice] = []
        self.steps = 0

    def query(self) -> ParsedQuery:
        self._skip_blank()
        if self._kind() is TokenKind.END:
            return ParsedQuery(Everything())
        tree = self._difference()
        self._skip_blank()
        if self._kind() is not TokenKind.END:
            raise self._unexpected()
        return ParsedQuery(tree or Everything(), tuple(self._notices))

    # -- operators, the weakest first ----------------------------------------------------------------------------

    def _difference(self) -> Node | None:
        kept = self._union()
        removed: list[Node] = []
        while self._operator(TokenKind.EXCEPT):
            node = self._union()
            if node is not None:
                removed.append(node)
        return Except(kept or Everything(), tuple(removed)) if removed else kept

    def _union(self) -> Node | None:
        nodes = [self._intersection()]
        while self._operator(TokenKind.OR):
            nodes.append(self._intersection())
        return any_of(tuple(node for node in nodes if node is not None))

    def _intersection(self) -> Node | None:
        unit = self._unit(after_words=False)
        nodes = list(unit.nodes)
        while True:
            if self._operator(TokenKind.AND):
                unit = self._unit(after_words=False)
            elif self._kind() is TokenKind.BLANK and self._kind(1) in _STARTS and not self._is_operator():
                unit = self._beside(unit.kind)
            else:
                return all_of(tuple(nodes))
            nodes += unit.nodes

    def _beside(self, before: _UnitKind) -> _Unit:
        """The unit that follows a blank, without an operator: allowed only beside a pair."""
        is_pair = self._key_end(self._position + 1) is not None
        if before is _UnitKind.GROUP or (before is not _UnitKind.PAIR and not is_pair):
            raise QuerySyntaxError(
                self._token(1).at, "An operator is missing here.", "Write AND, OR or EXCEPT between the two parts."
            )
        self._position += 1
        return self._unit(after_words=before is _UnitKind.TEXT)

    def _operator(self, kind: TokenKind) -> bool:
        """Step over the operator *kind* if it comes next: with a blank on both sides and something after it."""
        if self._kind(1) is not kind or not self._is_operator():
            return False
        self._position += 3
        return True

    def _is_operator(self) -> bool:
        return (
            self._kind() is TokenKind.BLANK
            and self._kind(1) in OPERATORS
            and self._kind(2) is TokenKind.BLANK
            and self._kind(3) in _STARTS
        )

    # -- units ---------------------------------------------------------------------------------------------------

    def _unit(self, *, after_words: bool) -> _Unit:
        """*after_words*: plain words stand directly before, so a pair takes all words that follow it."""
        kind = self._kind()
        if kind is TokenKind.OPEN:
            node = self._group()
            return _Unit(_UnitKind.GROUP, () if node is None else (node,))
        key_end = self._key_end(self._position)
        if key_end is not None:
            self._count_clause()
            return _Unit(_UnitKind.PAIR, (self._pair(key_end, after_words=after_words),))
        if kind is TokenKind.OPEN_BRACKET:
            return _Unit(_UnitKind.CONCEPT, (self._concept(),))
        if kind in _STRINGS:
            return _Unit(_UnitKind.TEXT, self._text())
        raise self._unexpected()

    def _group(self) -> Node | None:
        if self._depth >= self._limits.depth:
            raise QueryTooLarge(
                self._token().at,
                f"Parentheses nest at most {self._limits.depth} deep.",
                "Please write the query with fewer.",
            )
        self._depth += 1
        opened = self._token()
        self._position += 1
        self._skip_blank()
        node = self._difference()
        self._skip_blank()
        if self._kind() is not TokenKind.CLOSE:
            if self._kind() is TokenKind.END:
                raise QuerySyntaxError(
                    opened.at, "The parenthesis that opens here does not end.", "Add a ) at its end."
                )
            raise self._unexpected()
        self._position += 1
        self._depth -= 1
        return node

    def _key_end(self, start: int) -> int | None:
        """The token after the key, if a pair begins at *start*: its colon, or its comparison or the blank before."""
        end = start
        if self._at(end).kind is TokenKind.QUOTED:
            end += 1
        else:
            end = self._run_end(start)
            if end == start + 1 and self._at(start).value == "field." and self._at(end).kind is TokenKind.QUOTED:
                end += 1
        if end == start:
            return None
        following = self._at(end).kind
        if following is TokenKind.COLON:
            value = self._at(end + 2 if self._at(end + 1).kind is TokenKind.BLANK else end + 1).kind
            return end if value in _STRINGS or value is TokenKind.OPEN_BRACKET else None
        if following is TokenKind.BLANK:
            following = self._at(end + 1).kind
        return end if following is TokenKind.COMPARISON else None

    def _pair(self, key_end: int, *, after_words: bool) -> Node:
        key_tokens = self._tokens[self._position : key_end]
        at = key_tokens[0].at
        self._position = key_end
        self._skip_blank()
        sign = self._token()
        self._position += 1
        self._skip_blank()
        if sign.kind is TokenKind.COMPARISON:
            return Comparison(_key(key_tokens), Operator(sign.value), self._value(sign), at=at)
        flag = self._flag(key_tokens)
        if flag is not None:
            return flag
        key = _key(key_tokens)
        is_match = not isinstance(key, FieldKey) and not (isinstance(key, NativeKey) and key.name in _ONLY_COMPARED)
        if is_match and self._kind() in _VALUES:
            return Comparison(key, Operator.EQUAL, self._value(sign), at=at)
        return InField(_field(key_tokens), self._term(after_words=after_words), at=at)

    def _flag(self, key_tokens: list[Token]) -> Flag | None:
        is_flag = key_tokens[0].value == "flag." and len(key_tokens) > 1
        if not is_flag or self._kind() is not TokenKind.BOOLEAN or self._kind(1) in WORDS:
            return None
        value = self._token().value
        self._position += 1
        return Flag(_written(key_tokens[1:]), value == "true", at=key_tokens[0].at)

    def _value(self, sign: Token) -> str:
        token = self._token()
        if token.kind is TokenKind.QUOTED:
            self._position += 1
            return token.value
        if token.kind in WORDS:
            return self._run()
        if token.kind is TokenKind.RAW:
            raise QuerySyntaxError(
                token.at, "A raw string cannot be compared.", f'Write "..." after {sign.text} instead of r"...".'
            )
        raise QuerySyntaxError(
            token.at, f"A value is missing after {sign.text}.", "Write it there, in quotes if it has blanks."
        )

    def _term(self, *, after_words: bool) -> Term:
        start = self._token()
        if start.kind is TokenKind.OPEN_BRACKET:
            return self._concept()
        strings = self._text() if after_words else self._string()
        if not strings:
            raise QuerySyntaxError(
                start.at, "The field has nothing to search for.", "Write words there, or field=_set_ for any value."
            )
        return strings[0] if len(strings) == 1 else And(strings)

    # -- texts ---------------------------------------------------------------------------------------------------

    def _string(self) -> tuple[String, ...]:
        """One string, as short as possible; none if it is blank."""
        token = self._token()
        if token.kind in WORDS:
            return (Text(self._run(), at=token.at),)
        self._position += 1
        return _quoted(token)

    def _text(self, *, in_brackets: bool = False) -> tuple[String, ...]:
        strings = list[String]()
        words = list[str]()
        at = self._token().at

        def end_words() -> None:
            if words:
                strings.append(Text(" ".join(words), at=at))
                words.clear()

        while True:
            self._count_clause()
            token = self._token()
            if token.kind in WORDS:
                at = at if words else token.at
                words.append(self._run())
            else:
                end_words()
                strings += _quoted(token)
                self._position += 1
            if self._kind() in _STRINGS:
                continue
            if self._kind() is not TokenKind.BLANK or self._kind(1) not in _STRINGS:
                break
            if not in_brackets and (self._is_operator() or self._key_end(self._position + 1) is not None):
                break
            self._position += 1
        end_words()
        return self._with_context(tuple(strings))

    def _with_context(self, strings: tuple[String, ...]) -> tuple[String, ...]:
        opening = 1 if self._kind() is TokenKind.BLANK else 0
        if self._kind(opening) is not TokenKind.OPEN:
            return strings
        self._position += opening
        opened = self._token()
        context = self._context()
        last = strings[-1] if strings else None
        if isinstance(last, Text):
            return (*strings[:-1], Text(last.words, context, at=last.at))
        self._notices.append(
            Notice(
                NoticeKind.CONTEXT_IGNORED,
                opened.at,
                "Quoted text has no thesaurus concepts, so the parenthesis after it is ignored. Write AND before it.",
            )
        )
        return strings

    def _context(self) -> str:
        opened = self._token()
        self._position += 1
        words = []
        while self._kind() in WORDS or self._kind() is TokenKind.BLANK:
            self._count_clause()
            if self._kind() is TokenKind.BLANK:
                self._position += 1
            else:
                words.append(self._run())
        if self._kind() is not TokenKind.CLOSE or not words:
            raise QuerySyntaxError(
                opened.at,
                "A parenthesis directly after words holds the context of a thesaurus term: words only.",
                "Write AND, OR or EXCEPT before it for a group.",
            )
        self._position += 1
        return " ".join(words)

    def _concept(self) -> Concept:
        opened = self._token()
        self._position += 1
        self._skip_blank()
        if self._kind() not in _STRINGS:
            raise QuerySyntaxError(
                opened.at, "The brackets hold no thesaurus term.", "Write its words between [ and ]."
            )
        strings = self._text(in_brackets=True)
        self._skip_blank()
        if self._kind() is not TokenKind.CLOSE_BRACKET:
            raise QuerySyntaxError(
                opened.at, "The bracket that opens here holds more than one term, or does not end.", "Add a ] after it."
            )
        self._position += 1
        text = " ".join(string.value if isinstance(string, Exact) else string.words for string in strings)
        if not text.strip():
            raise QuerySyntaxError(
                opened.at, "The brackets hold no thesaurus term.", "Write its words between [ and ]."
            )
        last = strings[-1]
        return Concept(text, last.context if isinstance(last, Text) else None, at=opened.at)

    # -- tokens --------------------------------------------------------------------------------------------------

    def _at(self, position: int) -> Token:
        self.steps += 1
        return self._tokens[min(position, len(self._tokens) - 1)]

    def _token(self, ahead: int = 0) -> Token:
        return self._at(self._position + ahead)

    def _kind(self, ahead: int = 0) -> TokenKind:
        return self._token(ahead).kind

    def _skip_blank(self) -> None:
        if self._kind() is TokenKind.BLANK:
            self._position += 1

    def _run_end(self, start: int) -> int:
        end = start
        while self._at(end).kind in WORDS:
            end += 1
        return end

    def _run(self) -> str:
        """Step over a run of word tokens without a blank between them: one word."""
        start, self._position = self._position, self._run_end(self._position)
        return _written(self._tokens[start : self._position])

    def _count_clause(self) -> None:
        self._clauses += 1
        if self._clauses > self._limits.clauses:
            raise _too_many(self._limits, self._token().at)

    def _unexpected(self) -> QuerySyntaxError:
        token = self._token()
        if token.kind is TokenKind.END:
            return QuerySyntaxError(token.at, "The query ends too early.", "Complete it, or remove its last sign.")
        remedy = "Remove it, or put the text around it in quotes."
        if token.kind is TokenKind.COMPARISON:
            remedy = "Write one field name before it, in quotes if it has blanks, and one value after it."
        return QuerySyntaxError(token.at, f'"{token.text.strip() or token.text}" is not expected here.', remedy)


def _written(tokens: Iterable[Token]) -> str:
    return "".join(token.text for token in tokens)


def _quoted(token: Token) -> tuple[String, ...]:
    if token.kind is TokenKind.RAW:
        return (Exact(token.value, at=token.at),)
    return (Phrase(token.value, at=token.at),) if token.value.strip() else ()


def _key(tokens: list[Token]) -> Key:
    first = tokens[0]
    if len(tokens) == 1 and first.kind is TokenKind.KEY:
        return NativeKey(Native(first.value), at=first.at)
    if len(tokens) > 1 and first.value == "meta." and first.kind is TokenKind.PREFIX:
        return TechnicalKey(_written(tokens[1:]), at=first.at)
    return _field(tokens)


def _field(tokens: list[Token]) -> FieldKey:
    at = tokens[0].at
    if len(tokens) > 1 and tokens[0].kind is TokenKind.PREFIX and tokens[0].value == "field.":
        tokens = tokens[1:]
    if tokens[0].kind is TokenKind.QUOTED:
        return FieldKey(tokens[0].value, at=at)
    return FieldKey(_written(tokens), at=at)
