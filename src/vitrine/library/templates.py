"""The fields of a new databox: what photographers, agencies and museums fill in, with the tags they come from."""

from typing import Any


def _field(name: str, french: str, source: str = "", *fallbacks: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "labels": {"fr": french, "en": name, "de": "", "nl": ""},
        "source": source,
        "fallbacks": list(fallbacks),
        **more,
    }


PHOTOGRAPHS: tuple[dict[str, Any], ...] = (
    _field("Title", "Titre", "XMP-dc:Title", "IPTC:ObjectName", "QuickTime:Title", "PNG:Title", thumbtitle=True, dces_element="Title", sort_slot=0),
    _field("Caption", "Légende", "XMP-dc:Description", "IPTC:Caption-Abstract", "IFD0:ImageDescription", "QuickTime:Description", "PNG:Description", dces_element="Description"),
    _field("Keywords", "Mots-clés", "XMP-dc:Subject", "IPTC:Keywords", "QuickTime:Keyword", multi=True, separator=";", aggregable=20, dces_element="Subject"),
    _field("Author", "Auteur", "XMP-dc:Creator", "IPTC:By-line", "IFD0:Artist", "QuickTime:Artist", "PNG:Author", multi=True, separator=";", aggregable=20, dces_element="Creator"),
    _field("Date", "Date", "XMP-photoshop:DateCreated", "IPTC:DateCreated", "ExifIFD:DateTimeOriginal", "QuickTime:ContentCreateDate", type="date", dces_element="Date", sort_slot=1),
    _field("City", "Ville", "XMP-photoshop:City", "IPTC:City", aggregable=20),
    _field("Country", "Pays", "XMP-photoshop:Country", "IPTC:Country-PrimaryLocationName", aggregable=20, dces_element="Coverage"),
    _field("Rights", "Droits", "XMP-dc:Rights", "IPTC:CopyrightNotice", "IFD0:Copyright", "QuickTime:Copyright", "PNG:Copyright", dces_element="Rights"),
    _field("Credit", "Crédit", "XMP-photoshop:Credit", "IPTC:Credit"),
    _field("Source", "Source", "XMP-photoshop:Source", "IPTC:Source", dces_element="Source"),
    _field("Comments", "Commentaires", business=True),
    _field("FileName", "Nom du fichier", "Phraseanet:tf-filename", readonly=True, indexable=False, gui_visible=False),
)  # fmt: skip
