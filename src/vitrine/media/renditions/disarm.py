"""Remove active content from a PDF; imported only in the child.

The copy is shown inside other people's pages, and may be saved there and opened by programs that run scripts.
"""

from typing import Any

import pikepdf

# Actions of the document, a page, a form field, an annotation or a bookmark that run code or access other resources
# (ISO 32000-2 sections 12.6 and 12.7). Links within the document and to web addresses are kept.
_ACTIONS = frozenset(
    pikepdf.Name("/" + action)
    for action in (
        "JavaScript", "Launch", "SubmitForm", "ImportData", "GoToR", "GoToE", "Rendition", "RichMediaExecute", "Movie",
        "Sound",
    )
)  # fmt: skip
_OF_DOCUMENT = ("/OpenAction", "/JavaScript", "/EmbeddedFiles", "/Collection", "/XFA")
_ON_ANY_OBJECT = ("/AA", "/AF", "/EF")  # actions on events; associated files; their bytes
_ANNOTATIONS = frozenset(
    pikepdf.Name("/" + subtype) for subtype in ("FileAttachment", "Movie", "Sound", "Screen", "RichMedia", "3D")
)
_LINKS = ("http://", "https://", "mailto:")
DEEPEST = 20


def disarm(document: Any) -> None:
    """Change *document* in place. Every object is checked, since any may have an action."""
    for holder in (document.Root, document.Root.get("/Names"), document.Root.get("/AcroForm")):
        if isinstance(holder, pikepdf.Dictionary):
            for name in _OF_DOCUMENT:
                if name in holder:
                    del holder[name]
    for item in document.objects:
        _clean(item, 0)


def _clean(value: Any, depth: int) -> None:
    """Clean one object and the direct objects in it. Indirect objects are visited separately."""
    if depth > DEEPEST:
        return
    if isinstance(value, pikepdf.Array):
        for member in list(value):
            if isinstance(member, pikepdf.Dictionary | pikepdf.Array) and not member.is_indirect:
                _clean(member, depth + 1)
        return
    if not isinstance(value, pikepdf.Dictionary):
        return  # streams hold images and page contents, which are passive
    for name in _ON_ANY_OBJECT:
        if name in value:
            del value[name]
    if value.get("/Type") == pikepdf.Name.Page and isinstance(value.get("/Annots"), pikepdf.Array):
        passive = [annotation for annotation in value.Annots if not _is_active_annotation(annotation)]
        value.Annots = pikepdf.Array(passive)
    for name in ("/A", "/Next", "/PA"):
        if name in value and _is_active_action(value[name]):
            del value[name]
    for _, member in list(value.items()):
        if isinstance(member, pikepdf.Dictionary | pikepdf.Array) and not member.is_indirect:
            _clean(member, depth + 1)


def _is_active_annotation(annotation: Any) -> bool:
    return isinstance(annotation, pikepdf.Dictionary) and annotation.get("/Subtype") in _ANNOTATIONS


def _is_active_action(action: Any) -> bool:
    if isinstance(action, pikepdf.Array):
        return any(_is_active_action(item) for item in action)
    if not isinstance(action, pikepdf.Dictionary):
        return False
    if action.get("/S") == pikepdf.Name.URI:
        return not str(action.get("/URI", "")).strip().lower().startswith(_LINKS)
    return action.get("/S") in _ACTIONS
