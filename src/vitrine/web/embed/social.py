"""What other sites read of a page that shows one document: Open Graph, Twitter card, schema.org, oEmbed discovery."""

from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request

from vitrine.edge import services_of
from vitrine.embed import Viewer
from vitrine.embed.service import shown_size
from vitrine.settings import Settings

OG_TYPES = {"video": "video.other", "audio": "music.song", "document": "article", "link": "article"}
_SCHEMA_TYPES = {"image": "ImageObject", "video": "VideoObject", "audio": "AudioObject"}


def social(request: Request, viewer: Viewer) -> dict[str, Any]:
    """The parts of the template: `og` and `twitter` (name: value), `schema` (a JSON-LD block) and `oembed` (format:
    address). A value that is not known is left out, never empty (04 section 6)."""
    settings = services_of(request).settings
    embedded = settings.absolute("/embed/?url=" + quote(viewer.source, safe=""))
    oembed = settings.absolute("/embed/oembed/?url=" + quote(viewer.source, safe=""))
    return {
        "og": _open_graph(request, viewer, settings),
        "twitter": _twitter(viewer, embedded),
        "schema": data_block(_schema(viewer, embedded)),
        "oembed": {"json": oembed, "xml": oembed + "&format=xml"},
    }


def discovery(oembed: dict[str, str], title: str) -> str:
    """The `Link` header of discovery (oEmbed 1.0 section 4); *title* goes out in ASCII characters only."""
    plain = "".join(
        character for character in title if character.isascii() and character.isprintable() and character not in '"\\'
    )[:100]
    kinds = {"json": "application/json+oembed", "xml": "text/xml+oembed"}
    return ", ".join(
        f'<{oembed[form]}>; rel="alternate"; type="{mime}"; title="{plain}"' for form, mime in kinds.items()
    )


def data_block(value: object) -> str:
    """JSON for a `script` element that is only data: it ends at the next `<`, which no title may bring along."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c").replace("&", "\\u0026")


def _picture(viewer: Viewer) -> tuple[str | None, tuple[int, int]]:
    """The picture that stands for the document and its size: an image itself, of all else the thumbnail."""
    if viewer.kind == "image":
        return viewer.source, (viewer.width, viewer.height)
    return viewer.cover, viewer.cover_size


def _open_graph(request: Request, viewer: Viewer, settings: Settings) -> dict[str, Any]:
    picture, size = _picture(viewer)
    values: dict[str, Any] = {
        "og:title": viewer.title,
        "og:site_name": settings.title,
        "og:url": settings.absolute(request.url.path + (f"?{request.url.query}" if request.url.query else "")),
        "og:type": "image" if viewer.mime.startswith("image/") else OG_TYPES.get(viewer.kind, "image"),
        "og:description": viewer.caption[:300],
        "og:image": picture,
        "og:image:width": size[0] if picture else 0,
        "og:image:height": size[1] if picture else 0,
        "og:image:alt": viewer.title if picture else None,
    }
    if viewer.kind in ("video", "audio"):
        values |= {f"og:{viewer.kind}": viewer.source, f"og:{viewer.kind}:type": viewer.mime}
    if viewer.kind == "video":
        values |= {"og:video:width": viewer.width, "og:video:height": viewer.height}
    return {name: value for name, value in values.items() if value}


def _twitter(viewer: Viewer, embedded: str) -> dict[str, Any]:
    picture, _ = _picture(viewer)
    width, height = shown_size(viewer)
    values: dict[str, Any] = {
        "twitter:card": "summary_large_image" if viewer.kind in ("image", "link") else "player",
        "twitter:title": viewer.title,
        "twitter:description": viewer.caption[:200],
        "twitter:image": picture,
        "twitter:image:alt": viewer.title if picture else None,
    }
    if values["twitter:card"] == "player":
        values |= {"twitter:player": embedded, "twitter:player:width": width, "twitter:player:height": height}
    return {name: value for name, value in values.items() if value}


def _schema(viewer: Viewer, embedded: str) -> dict[str, Any]:
    record = viewer.target.record
    values: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": _SCHEMA_TYPES.get(viewer.kind, "DigitalDocument"),
        "name": viewer.title,
        "description": viewer.caption,
        "encodingFormat": viewer.mime,
        "contentUrl": viewer.source,
        "embedUrl": embedded,
        "thumbnailUrl": viewer.cover,
        "width": viewer.width if viewer.kind in ("image", "video") else None,
        "height": viewer.height if viewer.kind in ("image", "video") else None,
        "duration": f"PT{record.duration_ms / 1000:g}S" if record.duration_ms else None,
        "uploadDate": record.created.isoformat(timespec="seconds"),
    }
    return {name: value for name, value in values.items() if value}
