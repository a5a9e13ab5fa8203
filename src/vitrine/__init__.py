"""Vitrine: a digital asset management server whose documents can be embedded anywhere."""

__version__ = "0.2.0"
