"""Text analysis of contract 05 section 5: folding, segments, languages; one analyser for index and queries.

The embedded index does not use it yet: it still indexes the words of `vitrine.search.words`.
"""

from vitrine.search.analysis.analyser import LIGHT, Term, can_begin, index_terms, indexed_part, phrase, required
from vitrine.search.analysis.folding import fold, slug, sort_key
from vitrine.search.analysis.languages import DEFAULT_LANGUAGES, LANGUAGES

__all__ = [
    "DEFAULT_LANGUAGES",
    "LANGUAGES",
    "LIGHT",
    "Term",
    "can_begin",
    "fold",
    "index_terms",
    "indexed_part",
    "phrase",
    "required",
    "slug",
    "sort_key",
]
