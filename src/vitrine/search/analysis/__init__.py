"""Text analysis of contract 05 section 5: folding, segments, languages; one analyser for index and queries.

The embedded index does not use it yet: it still indexes the words of `vitrine.search.words`.
"""

from vitrine.search.analysis.analyser import GAP, LIGHT, Term, can_begin, index_terms, indexed_part, phrase, required
from vitrine.search.analysis.folding import comparison_key, fold, slug, sort_key
from vitrine.search.analysis.languages import DEFAULT_LANGUAGES, LANGUAGES
from vitrine.search.analysis.segments import is_unspaced

__all__ = [
    "DEFAULT_LANGUAGES",
    "GAP",
    "LANGUAGES",
    "LIGHT",
    "Term",
    "can_begin",
    "comparison_key",
    "fold",
    "index_terms",
    "indexed_part",
    "is_unspaced",
    "phrase",
    "required",
    "slug",
    "sort_key",
]
