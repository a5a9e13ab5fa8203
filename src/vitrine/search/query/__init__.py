"""The query language of contract 05: text to tree and back. It knows nothing of HTTP, records or engines.

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
from vitrine.search.query.parser import LIMITS, Limits, Notice, NoticeKind, ParsedQuery, parse, plain_words
from vitrine.search.query.printer import print_query, quoted

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
    "UnavailableField",
    "UnknownName",
    "parse",
    "plain_words",
    "print_query",
    "quoted",
]
