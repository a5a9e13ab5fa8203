"""Vitrine: a digital asset management server whose documents can be embedded anywhere."""

__version__ = "0.1.0"
