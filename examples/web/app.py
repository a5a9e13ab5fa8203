"""Field Notes: a small third-party site that shows documents of a Vitrine library beside its own text.

It is independent of the server: its own process, port and origin, and a standard OAuth 2 client library. Run it with
`make demo-app` while `make run` is running, or with the variables below set by hand.

    VITRINE_SERVER        http://127.0.0.1:8000
    FIELD_NOTES_CLIENT_ID, FIELD_NOTES_CLIENT_SECRET    from the settings page of the application
    FIELD_NOTES_ORIGIN    http://127.0.0.1:8001         whose /callback is the registered callback URL
"""

import os
import secrets
from html import escape
from typing import Any
from urllib.parse import quote

from authlib.integrations.httpx_client import AsyncOAuth2Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

SERVER = os.environ.get("VITRINE_SERVER", "http://127.0.0.1:8000")
ORIGIN = os.environ.get("FIELD_NOTES_ORIGIN", "http://127.0.0.1:8001")
CLIENT_ID = os.environ["FIELD_NOTES_CLIENT_ID"]
CLIENT_SECRET = os.environ["FIELD_NOTES_CLIENT_SECRET"]
COOKIE = "field-notes"
WELCOME = """<p>Reports from the field, with the museum's pictures.</p>
<a class="go" href="/sign-in">Sign in with Vitrine</a>"""

# One visitor's state; a real site would keep it in its database.
Visitor = dict[str, Any]
visitors: dict[str, Visitor] = {}


def client(visitor: Visitor) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        CLIENT_ID,
        CLIENT_SECRET,
        redirect_uri=f"{ORIGIN}/callback",
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
        token=visitor.get("token"),
    )


def visitor_of(request: Request) -> tuple[str, Visitor]:
    key = request.cookies.get(COOKIE, "")
    if key not in visitors:
        key = secrets.token_urlsafe(24)
        visitors[key] = {}
    return key, visitors[key]


def html(key: str, body: str) -> Response:
    page = f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Field Notes</title><style>
body {{ font: 1rem/1.6 Georgia, serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }}
iframe {{ width: 100%; border: 0; }} li {{ display: flex; gap: 1rem; align-items: center; margin: .5rem 0; }}
li img {{ width: 6rem; height: 4.5rem; object-fit: cover; }} ul {{ padding: 0; list-style: none; }}
input, button, .go {{ font: inherit; padding: .4rem .8rem; }}
</style><h1><a href="/">Field Notes</a></h1>{body}
<script src="/frames.js"></script></html>"""
    response = HTMLResponse(page)
    response.set_cookie(COOKIE, key, httponly=True, samesite="lax")
    return response


async def home(request: Request) -> Response:
    key, visitor = visitor_of(request)
    if "token" not in visitor:
        return html(key, WELCOME)
    words = request.query_params.get("q", "")
    async with client(visitor) as api:
        answer = await api.get(f"{SERVER}/api/v1/search/", params={"query": words, "per_page": 20})
    if answer.status_code == 401:
        visitor.clear()  # the person withdrew the permission
        return RedirectResponse("/", 303)
    answer.raise_for_status()
    page = answer.json()["response"]
    lines = "".join(_line(record) for record in page["results"]["records"])
    field = f'<input name="q" type="search" aria-label="Search the museum" value="{escape(words, quote=True)}">'
    form = f"<form>{field} <button>Search</button></form>"
    return html(key, f"{form}<p>{page['total_results']} documents</p><ul>{lines}</ul>")


def _line(record: dict[str, Any]) -> str:
    thumbnail = record["thumbnail"]
    picture = f'<img src="{escape(thumbnail["url"], quote=True)}" alt="">' if thumbnail else ""
    address = f"/note/{record['databox_id']}/{record['record_id']}"
    return f'<li>{picture}<a href="{address}">{escape(record["title"])}</a></li>'


async def sign_in(request: Request) -> Response:
    key, visitor = visitor_of(request)
    verifier = secrets.token_urlsafe(48)
    async with client(visitor) as api:
        address, state = api.create_authorization_url(f"{SERVER}/api/oauthv2/authorize", code_verifier=verifier)
    visitor.update(state=state, verifier=verifier)
    response = RedirectResponse(address, 302)
    response.set_cookie(COOKIE, key, httponly=True, samesite="lax")
    return response


async def callback(request: Request) -> Response:
    key, visitor = visitor_of(request)
    if request.query_params.get("error"):
        return html(key, f"<p>You did not allow it ({escape(request.query_params['error'])}).</p>")
    async with client(visitor) as api:
        visitor["token"] = await api.fetch_token(
            f"{SERVER}/api/oauthv2/token",
            authorization_response=str(request.url),
            state=visitor.pop("state", None),
            code_verifier=visitor.pop("verifier", None),
        )
    return RedirectResponse("/", 303)


async def note(request: Request) -> Response:
    """Show one document inside our own page, by the address of its preview."""
    key, visitor = visitor_of(request)
    path_params = request.path_params
    root = f"{SERVER}/api/v1/records/{path_params['databox']}/{path_params['record']}"
    async with client(visitor) as api:
        record = (await api.get(f"{root}/")).raise_for_status().json()["response"]["record"]
        files = (await api.get(f"{root}/embed/")).raise_for_status().json()["response"]["embed"]
    by_name = {file["name"]: file for file in files}
    rendition = by_name.get("preview") or by_name["document"]
    frame = f"{SERVER}/embed/?url=" + quote(rendition["permalink"]["url"], safe="")
    title = escape(record["title"], quote=True)
    source = f'src="{escape(frame, quote=True)}" title="{title}"'
    body = f'<h2>{title}</h2><iframe {source} data-optimize-area="height" allowfullscreen></iframe>'
    return html(key, body + "<p>What we saw that day goes here.</p>")


FRAMES = """
// Give each frame the height its document asks for.
addEventListener("message", (event) => {
  if (!event.data || event.data.id !== "Phraseanet") return;
  for (const frame of document.querySelectorAll('iframe[data-optimize-area="height"]')) {
    if (frame.src === event.data.url) frame.style.height = event.data.optimizedHeight + "px";
  }
});
"""


async def frames(_request: Request) -> Response:
    return Response(FRAMES, media_type="text/javascript")


app = Starlette(
    routes=[
        Route("/", home),
        Route("/sign-in", sign_in),
        Route("/callback", callback),
        Route("/note/{databox:int}/{record:int}", note),
        Route("/frames.js", frames),
    ]
)
