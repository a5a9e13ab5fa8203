"""Watermarks and stamps on pictures (contract 04 section 5).

`policy` decides which overlay a viewer gets, `copies` makes and finds the pictures that carry it, `stamps` checks the
definition of a collection's stamp and fills in its texts. The drawing itself is in `vitrine.media.renditions.overlays`.
"""
