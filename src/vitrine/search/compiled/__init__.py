"""Conditions of the query language on the embedded engine: the layout of an index, and the compiler for it.

Nothing uses it yet: the index in use has the layout of `vitrine.search.tantivy_index`. It is compared with the
reference on random corpora, and comes into use with a rebuild under a new schema.
"""

from vitrine.search.compiled.compiler import Compiler
from vitrine.search.compiled.layout import WORDS_TOKENIZER, document_of, schema, tokenizer

__all__ = ["WORDS_TOKENIZER", "Compiler", "document_of", "schema", "tokenizer"]
