"""Documents in other people's pages: embed page, oEmbed, the page of a permalink (contract 04 sections 2 and 6)."""

import re
from typing import Any
from urllib.parse import quote

import msgspec
from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.edge import nobody, read, services
from vitrine.embed import Target, Viewer
from vitrine.embed.service import shown_size
from vitrine.embed.targets import PermalinkTarget, asked
from vitrine.errors import Invalid
from vitrine.library.model import DataboxId, RecordKey
from vitrine.platform.database import UnitOfWork
from vitrine.web.render import page

_OPEN = {"Access-Control-Allow-Origin": "*"}
OG_TYPES = {"video": "video.other", "audio": "music.song", "document": "article"}


async def _viewer(request: Request, url: str | None) -> tuple[Viewer, Target]:
    here = services(request)

    def call(work: UnitOfWork, _actor: Actor) -> tuple[Viewer, Target]:
        target = here.embeds.resolve(work, url)
        return here.embeds.viewer(work, target), target

    return await read(request, nobody, call)


async def embed(request: Request) -> Response:
    """GET /embed/?url=…: the document alone, for an iframe; no cookie, nothing of ours around it."""
    viewer, target = await _viewer(request, asked(request.url.query))
    here = services(request)
    start = request.query_params.get("t", "")
    return page(
        request,
        "embed.html",
        headers=_OPEN | {"Cache-Control": "private, max-age=60", "Referrer-Policy": "strict-origin-when-cross-origin"},
        ancestors=here.settings.embed_frame_ancestors,
        viewer=viewer,
        autoplay=request.query_params.get("autoplay") == "1",
        start=start if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", start) else "0",
        configuration=_configuration(request, viewer, start),
        **_social(request, viewer, target),
    )


def _configuration(request: Request, viewer: Viewer, start: str) -> str:
    """What the old page had as a global: read by the module from a data block (design 5.7)."""
    resource: dict[str, Any] = {"width": viewer.width, "height": viewer.height}
    if viewer.kind in ("video", "audio"):
        resource |= {
            "sources": [{"url": viewer.source, "type": viewer.mime}],
            "tracks": [],
            "autoplay": request.query_params.get("autoplay") == "1",
            "currentTime": float(start) if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", start) else 0,
            "coverUrl": viewer.cover,
            "playbackRates": [1, 1.5, 3],
            "aspectRatio": f"{viewer.width}:{viewer.height}",
        }
    else:
        resource |= {"url": viewer.source, "fitIn": True}
    # A data block ends at the next "<": no title of a document may end it early.
    return msgspec.json.encode({"resource": resource}).decode().replace("<", "\\u003c").replace("&", "\\u0026")


def _social(request: Request, viewer: Viewer, target: Target) -> dict[str, Any]:
    here = services(request)
    width, height = shown_size(viewer)
    image = viewer.source if viewer.kind == "image" else viewer.cover
    address = here.settings.absolute("/embed/oembed/?url=" + quote(viewer.source, safe=""))
    return {
        "og": {
            "og:title": viewer.title,
            "og:site_name": here.settings.title,
            "og:url": here.settings.absolute(request.url.path + (f"?{request.url.query}" if request.url.query else "")),
            "og:type": OG_TYPES.get(viewer.kind, "image"),
            **({"og:image": image} if image else {}),
            **({"og:description": viewer.caption[:300]} if viewer.caption else {}),
            **({"og:video": viewer.source, "og:video:type": viewer.mime} if viewer.kind == "video" else {}),
            "og:image:width": width,
            "og:image:height": height,
        },
        "oembed": address,
    }


async def oembed(request: Request) -> Response:
    """GET /embed/oembed/ and /oembed: takes a permalink, its page, or an embed page (design 5.7)."""
    form = request.query_params.get("format", "json")
    if form not in ("json", "xml"):
        return Response("This format is not offered.", 501, _OPEN, media_type="text/plain")
    width, height = (_pixels(request, name) for name in ("maxwidth", "maxheight"))
    here = services(request)
    url = asked(request.url.query)
    page_of_ours = re.match(rf"(?:{re.escape(here.settings.origin)})?/embed/?\?(.*)", url or "", re.DOTALL)
    if page_of_ours:
        url = asked(page_of_ours[1])

    def call(work: UnitOfWork, _actor: Actor) -> dict[str, Any]:
        target = here.embeds.resolve(work, url)
        return here.embeds.oembed(work, target, max_width=width, max_height=height)

    made = await read(request, nobody, call)
    headers = _OPEN | {"Cache-Control": "private, max-age=300"}
    if form == "xml":
        root = etree.Element("oembed")
        for name, value in made.items():
            etree.SubElement(root, name).text = str(value)
        body = etree.tostring(root, xml_declaration=True, encoding="utf-8", standalone=True)
        return Response(body, 200, headers, media_type="text/xml")
    return Response(msgspec.json.encode(made), 200, headers, media_type="application/json")


def _pixels(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None or text == "":
        return None
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 100_000:
        raise Invalid(f"{name} must be a number of pixels.", field=name)
    return int(text)


async def permaview(request: Request) -> Response:
    """GET …/{subdef}/?token=…: the page of a permalink: title, document, caption, Open Graph (04 section 2)."""
    return await _permaview(request, request.query_params.get("token"))


async def old_permaview(request: Request) -> Response:
    return await _permaview(request, request.path_params["token"])


async def _permaview(request: Request, token: str | None) -> Response:
    here = services(request)
    at = request.path_params
    wanted = PermalinkTarget(RecordKey(DataboxId(at["databox_id"]), at["record_id"]), at["subdef"].lower(), token)

    def call(work: UnitOfWork, _actor: Actor) -> tuple[Viewer, Target]:
        target = here.embeds.by_permalink(work, wanted)
        return here.embeds.viewer(work, target), target

    viewer, target = await read(request, nobody, call)
    wishes = {name: request.query_params.get(name, "") for name in ("autoplay", "t")}
    extra = "".join(f"&{name}={value}" for name, value in wishes.items() if value.isdecimal())
    return page(
        request,
        "permaview.html",
        headers={"Cache-Control": "private, max-age=60", "Referrer-Policy": "strict-origin-when-cross-origin"},
        ancestors="'self'",
        frames=f"'self' {here.settings.origin}",  # the embed page's address begins with base_url
        viewer=viewer,
        frame=here.embeds.embed_address(target) + extra,
        size=shown_size(viewer),
        **_social(request, viewer, target),
    )


ROUTES = [
    Route("/embed/", embed, methods=["GET"]),
    Route("/embed", embed, methods=["GET"]),
    Route("/embed/oembed/", oembed, methods=["GET"]),
    Route("/oembed", oembed, methods=["GET"]),
    Route("/permalink/v1/{databox_id:int}/{record_id:int}/{subdef}/", permaview, methods=["GET"]),
    Route(
        "/permalink/v1/{label}/{databox_id:int}/{record_id:int}/{token}/{subdef}/view/", old_permaview, methods=["GET"]
    ),
]
