"""The query language of contract 05: text to tree and back, tree to conditions. It knows nothing of HTTP or engines.

`parse` reads a text, `resolve` looks up its names among `names_of` the person and gives the conditions that an engine
compiles, `print_query` writes a tree as text.

The searches of the API and of the pages do not use it yet: they still read a query with `vitrine.search.words`.
"""

from vitrine.search.query.errors import (
    BadKeyValue,
    QueryRefused,
    QuerySyntaxError,
    QueryTooLarge,
    UnavailableField,
    UnknownName,
)
from vitrine.search.query.names import SearchedField, SearchNames, ValueType, names_of
from vitrine.search.query.parser import LIMITS, Limits, Notice, NoticeKind, ParsedQuery, parse, plain_words
from vitrine.search.query.printer import print_query, quoted
from vitrine.search.query.resolving import resolve

__all__ = [
    "LIMITS",
    "BadKeyValue",
    "Limits",
    "Notice",
    "NoticeKind",
    "ParsedQuery",
    "QueryRefused",
    "QuerySyntaxError",
    "QueryTooLarge",
    "SearchNames",
    "SearchedField",
    "UnavailableField",
    "UnknownName",
    "ValueType",
    "names_of",
    "parse",
    "plain_words",
    "print_query",
    "quoted",
    "resolve",
]
