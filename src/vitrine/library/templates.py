"""The fields of a new databox: those that photographers, agencies and museums fill in, with the tags they come from, and
those that the player reads (04 section 6): subtitles and chapters as WebVTT, and the start in seconds."""

from typing import Any

_ENGLISH = {
    "VideoTextTrackChapters": "Chapters",
    "VideoTextTrackFr": "French subtitles",
    "VideoTextTrackEn": "English subtitles",
    "VideoTextTrackDe": "German subtitles",
    "StartOfMessage": "Start",
}


def _field(name: str, french: str, source: str = "", *fallbacks: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "labels": {"fr": french, "en": _ENGLISH.get(name, name), "de": "", "nl": ""},
        "source": source,
        "fallbacks": list(fallbacks),
        **more,
    }


DEFAULT_FIELDS: tuple[dict[str, Any], ...] = (
    _field("Title", "Titre", "XMP-dc:Title", "IPTC:ObjectName", "QuickTime:Title", "PNG:Title", "PDF:Title", "Office:Title", "ID3:Title", "Vorbis:Title", "Matroska:Title", "RIFF:Title", "SVG:Title", thumbtitle=True, dces_element="Title", sort_slot=0),
    _field("Caption", "Légende", "XMP-dc:Description", "IPTC:Caption-Abstract", "IFD0:ImageDescription", "QuickTime:Description", "PNG:Description", "PDF:Subject", "Office:Description", "Office:Subject", "Vorbis:Description", "Matroska:Description", "RIFF:Comment", "ID3:Comment", "SVG:Desc", dces_element="Description"),
    _field("Keywords", "Mots-clés", "XMP-dc:Subject", "IPTC:Keywords", "QuickTime:Keyword", "PDF:Keywords", "Office:Keywords", "Matroska:Keyword", "RIFF:Keyword", multi=True, separator=";", aggregable=20, dces_element="Subject"),
    _field("Author", "Auteur", "XMP-dc:Creator", "IPTC:By-line", "IFD0:Artist", "QuickTime:Artist", "PNG:Author", "PDF:Author", "Office:Creator", "ID3:Artist", "Vorbis:Artist", "Matroska:Artist", "RIFF:Artist", multi=True, separator=";", aggregable=20, dces_element="Creator"),
    _field("Date", "Date", "XMP-photoshop:DateCreated", "IPTC:DateCreated", "ExifIFD:DateTimeOriginal", "QuickTime:ContentCreateDate", "QuickTime:CreateDate", "PDF:CreateDate", "Office:CreateDate", "ID3:Date", "Vorbis:Date", "Matroska:Date", "RIFF:Date", type="date", dces_element="Date", sort_slot=1),
    _field("City", "Ville", "XMP-photoshop:City", "IPTC:City", aggregable=20),
    _field("Country", "Pays", "XMP-photoshop:Country", "IPTC:Country-PrimaryLocationName", aggregable=20, dces_element="Coverage"),
    _field("Rights", "Droits", "XMP-dc:Rights", "IPTC:CopyrightNotice", "IFD0:Copyright", "QuickTime:Copyright", "PNG:Copyright", "ID3:Copyright", "Vorbis:Copyright", "Matroska:Copyright", "RIFF:Copyright", dces_element="Rights"),
    _field("Credit", "Crédit", "XMP-photoshop:Credit", "IPTC:Credit"),
    _field("Source", "Source", "XMP-photoshop:Source", "IPTC:Source", dces_element="Source"),
    _field("Comments", "Commentaires", business=True),
    _field("Latitude", "Latitude", "GPS:GPSLatitude", type="number", readonly=True, gui_visible=False),
    _field("Longitude", "Longitude", "GPS:GPSLongitude", type="number", readonly=True, gui_visible=False),
    _field("VideoTextTrackChapters", "Chapitres", indexable=False, printable=False),
    _field("VideoTextTrackFr", "Sous-titres français", printable=False),
    _field("VideoTextTrackEn", "Sous-titres anglais", printable=False),
    _field("VideoTextTrackDe", "Sous-titres allemands", printable=False),
    _field("StartOfMessage", "Début", indexable=False, printable=False),
    _field("FileName", "Nom du fichier", "Phraseanet:tf-filename", readonly=True, indexable=False, gui_visible=False),
)  # fmt: skip
