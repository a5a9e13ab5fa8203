"""Bundles: several files of several records as one archive behind a link that ends (contract 04 section 4)."""

from vitrine.library.bundles.preparing import PREPARE
from vitrine.library.bundles.service import Bundles

__all__ = ["PREPARE", "Bundles"]
