"""Documents in other people's pages: embed page, oEmbed, the page of a permalink (contract 04 sections 2 and 6)."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vitrine.accounts import Actor
from vitrine.edge import cookie, nobody, read, services_of
from vitrine.edge.params import natural
from vitrine.embed import Target, Viewer
from vitrine.embed.service import AUDIO_FRAME_PX, shown_size
from vitrine.embed.targets import PermalinkTarget, url_parameter
from vitrine.errors import Invalid
from vitrine.library.model import DataboxId, RecordKey
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import xml_text
from vitrine.web.embed.social import data_block, discovery, social
from vitrine.web.shared.render import WEB, page

T = TypeVar("T")
PDF_VIEWER = "vendor/pdfjs"
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_OPEN = {"Access-Control-Allow-Origin": "*"}


async def _target(request: Request, url: str | None, call: Callable[[UnitOfWork, Target], T]) -> T:
    """Run *call* on what *url* points at. Only an address of files for signed-in people looks at who is signed in."""
    services = services_of(request)
    who = cookie if "/datafiles/" in (url or "") else nobody
    return await read(request, who, lambda work, actor: call(work, services.embeds.resolve(work, url, actor)))


async def embed(request: Request) -> Response:
    """GET /embed/?url=…: the document alone, for an iframe; no cookie, nothing of ours around it."""
    services = services_of(request)
    viewer = await _target(request, url_parameter(request.url.query), services.embeds.viewer)
    _count_view(request, viewer.target)
    shared = social(request, viewer)
    start = _start(request, viewer)
    return page(
        request,
        "embed/embed.html",
        headers=_OPEN
        | {
            "Cache-Control": "private, max-age=60",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "Link": discovery(shared["oembed"], viewer.title),
        },
        ancestors=services.settings.embed_frame_ancestors,
        viewer=viewer,
        autoplay=request.query_params.get("autoplay") == "1",
        start=f"{start:g}",
        tracks=[(track, services.embeds.track_address(viewer.target, track)) for track in viewer.tracks],
        configuration=data_block(_configuration(request, viewer, start)),
        **shared,
    )


def _count_view(request: Request, target: Target) -> None:
    """A view by its link: the file that the page then shows is asked for by the page, which is ours."""
    if request.method == "GET" and target.address.startswith("/permalink/"):
        referrer = request.headers.get("referer", "").encode("latin-1")
        counts = services_of(request).library.reports.view_counts
        counts.count(target.record.key, target.rendition.name, None, referrer)


def _start(request: Request, viewer: Viewer) -> float:
    """Where a film or sound begins: `t`, else what the record's own field says, else 0 (04 section 6)."""
    text = request.query_params.get("t", "")
    return float(text) if _SECONDS.fullmatch(text) else viewer.start


def _configuration(request: Request, viewer: Viewer, start: float) -> dict[str, Any]:
    """What the old page had as a global: read by the module from a data block (design 5.7)."""
    services = services_of(request)
    resource: dict[str, Any] = {"width": viewer.width, "height": viewer.height}
    if viewer.kind == "audio":
        resource |= {"width": AUDIO_FRAME_PX, "height": AUDIO_FRAME_PX}
    if viewer.kind in ("video", "audio"):
        tracks = [
            {
                "src": services.embeds.track_address(viewer.target, track),
                "kind": track.kind,
                "srclang": track.language,
                "label": track.label,
                "default": track.is_default,
            }
            for track in viewer.tracks
        ]
        resource |= {
            "sources": [{"url": viewer.source, "type": viewer.mime}],
            "tracks": tracks,
            "autoplay": request.query_params.get("autoplay") == "1",
            "currentTime": start,
            "coverUrl": viewer.cover,
            "playbackRates": [1, 1.5, 3],
            "aspectRatio": f"{resource['width']}:{resource['height']}",
        }
    else:
        resource |= {"url": viewer.source, "fitIn": True}
    return {"resource": resource, "viewer": pdf_viewer() if viewer.kind == "document" else None}


@lru_cache
def pdf_viewer() -> str | None:
    """Where the viewer of PDFs is served, None when set-up could not fetch it: then the page is picture and link."""
    there = (WEB / "static" / PDF_VIEWER / "build" / "pdf.min.mjs").exists()
    return f"/static/{PDF_VIEWER}/" if there else None


async def vtt(request: Request) -> Response:
    """GET /embed/vtt/?url=…&choice=…: one text track as WebVTT (04 section 6)."""
    services = services_of(request)
    choice = natural(request.query_params.get("choice", ""))
    if choice is None:
        raise Invalid("Say with choice= which text track: the number of its field.", field="choice")
    text = await _target(
        request, url_parameter(request.url.query), lambda work, target: services.embeds.track(work, target, choice)
    )
    return Response(text, 200, _OPEN | {"Cache-Control": "private, max-age=60"}, media_type="text/vtt")


async def oembed(request: Request) -> Response:
    """GET /embed/oembed/ and /oembed: takes a permalink, its page, or an embed page (design 5.7)."""
    form = request.query_params.get("format", "json")
    if form not in ("json", "xml"):
        return Response("This format is not offered.", 501, _OPEN, media_type="text/plain")
    width, height = (_pixels(request, name) for name in ("maxwidth", "maxheight"))
    services = services_of(request)
    url = url_parameter(request.url.query)
    page_of_ours = re.match(rf"(?:{re.escape(services.settings.origin)})?/embed/?\?(.*)", url or "", re.DOTALL)
    if page_of_ours:
        url = url_parameter(page_of_ours[1])

    answer = await _target(
        request, url, lambda work, target: services.embeds.oembed(work, target, max_width=width, max_height=height)
    )
    headers = _OPEN | {"Cache-Control": "private, max-age=300"}
    if form == "xml":
        from lxml import etree  # three megabytes that few servers ever need

        root = etree.Element("oembed")
        for name, value in answer.items():
            etree.SubElement(root, name).text = xml_text(str(value))
        body = etree.tostring(root, xml_declaration=True, encoding="utf-8", standalone=True)
        return Response(body, 200, headers, media_type="text/xml")
    return Response(msgspec.json.encode(answer), 200, headers, media_type="application/json")


def _pixels(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None or text == "":
        return None
    pixels = natural(text)
    if pixels is None or not 1 <= pixels <= 100_000:
        raise Invalid(f"{name} must be a number of pixels.", field=name)
    return pixels


async def permaview(request: Request) -> Response:
    """GET …/{subdef}/?token=…: the page of a permalink: title, document, caption, Open Graph (04 section 2)."""
    return await _permaview(request, request.query_params.get("token"))


async def old_permaview(request: Request) -> Response:
    return await _permaview(request, request.path_params["token"])


async def _permaview(request: Request, token: str | None) -> Response:
    services = services_of(request)
    at = request.path_params
    target = PermalinkTarget(RecordKey(DataboxId(at["databox_id"]), at["record_id"]), at["subdef"].lower(), token)

    def call(work: UnitOfWork, _actor: Actor) -> Viewer:
        return services.embeds.viewer(work, services.embeds.by_permalink(work, target))

    viewer = await read(request, nobody, call)
    shared = social(request, viewer)
    _count_view(request, viewer.target)
    wishes = {name: request.query_params.get(name, "") for name in ("autoplay", "t")}
    extra = "".join(f"&{name}={value}" for name, value in wishes.items() if _SECONDS.fullmatch(value))
    return page(
        request,
        "embed/permaview.html",
        headers={
            "Cache-Control": "private, max-age=60",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "Link": discovery(shared["oembed"], viewer.title),
        },
        ancestors="'self'",
        frames=f"'self' {services.settings.origin}",  # the embed page's address begins with base_url
        viewer=viewer,
        frame=services.embeds.embed_address(viewer.target) + extra,
        size=shown_size(viewer),
        **shared,
    )


ROUTES = [
    Route("/embed/", embed, methods=["GET"]),
    Route("/embed", embed, methods=["GET"]),
    Route("/embed/vtt/", vtt, methods=["GET"]),
    Route("/embed/oembed/", oembed, methods=["GET"]),
    Route("/oembed", oembed, methods=["GET"]),
    Route("/oembed/", oembed, methods=["GET"]),
    Route("/permalink/v1/{databox_id:int}/{record_id:int}/{subdef}/", permaview, methods=["GET"]),
    Route(
        "/permalink/v1/{label}/{databox_id:int}/{record_id:int}/{token}/{subdef}/view/", old_permaview, methods=["GET"]
    ),
]
