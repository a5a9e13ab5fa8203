"""Taking out of a PDF what acts by itself or on a click; imported in the child only.

The copy is shown inside other people's pages and saved from there, and then opened by programs that do run scripts.
"""

from typing import Any

import pikepdf

# What runs or reaches out: as an action of the document, a page, a form field, an annotation or a bookmark
# (ISO 32000-2 sections 12.6 and 12.7). Links to places in the document and to web addresses stay.
_ACTIONS = frozenset(
    pikepdf.Name("/" + one)
    for one in (
        "JavaScript", "Launch", "SubmitForm", "ImportData", "GoToR", "GoToE", "Rendition", "RichMediaExecute", "Movie",
        "Sound",
    )
)  # fmt: skip
_OF_DOCUMENT = ("/OpenAction", "/JavaScript", "/EmbeddedFiles", "/Collection", "/XFA")
_ANYWHERE = ("/AA", "/AF", "/EF")  # actions at events; files that go with a part; their bytes
_ANNOTATIONS = frozenset(
    pikepdf.Name("/" + one) for one in ("FileAttachment", "Movie", "Sound", "Screen", "RichMedia", "3D")
)
_LINKS = ("http://", "https://", "mailto:")
DEEPEST = 20


def disarm(document: Any) -> None:
    """Change *document* in place. Every object is looked at, since an action may hang on any."""
    for holder in (document.Root, document.Root.get("/Names"), document.Root.get("/AcroForm")):
        if isinstance(holder, pikepdf.Dictionary):
            for name in _OF_DOCUMENT:
                if name in holder:
                    del holder[name]
    for one in document.objects:
        _clean(one, 0)


def _clean(value: Any, depth: int) -> None:
    """One object and what stands directly in it; what it refers to is met by itself."""
    if depth > DEEPEST:
        return
    if isinstance(value, pikepdf.Array):
        for one in list(value):
            if isinstance(one, pikepdf.Dictionary | pikepdf.Array) and not one.is_indirect:
                _clean(one, depth + 1)
        return
    if not isinstance(value, pikepdf.Dictionary):
        return  # streams hold pictures and drawing, which do nothing
    for name in _ANYWHERE:
        if name in value:
            del value[name]
    if value.get("/Type") == pikepdf.Name.Page and isinstance(value.get("/Annots"), pikepdf.Array):
        kept = [one for one in value.Annots if not _is_active(one)]
        value.Annots = pikepdf.Array(kept)
    for name in ("/A", "/Next", "/PA"):
        if name in value and _acts(value[name]):
            del value[name]
    for _, one in list(value.items()):
        if isinstance(one, pikepdf.Dictionary | pikepdf.Array) and not one.is_indirect:
            _clean(one, depth + 1)


def _is_active(annotation: Any) -> bool:
    return isinstance(annotation, pikepdf.Dictionary) and annotation.get("/Subtype") in _ANNOTATIONS


def _acts(action: Any) -> bool:
    if isinstance(action, pikepdf.Array):
        return any(_acts(one) for one in action)
    if not isinstance(action, pikepdf.Dictionary):
        return False
    if action.get("/S") == pikepdf.Name.URI:
        return not str(action.get("/URI", "")).strip().lower().startswith(_LINKS)
    return action.get("/S") in _ACTIONS
