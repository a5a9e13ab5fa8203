"""What we are measured against: Starlette doing one SHA-256 and one indexed look-up, and uvicorn sending one body."""

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

db = sqlite3.connect(os.environ["BARE_DB"], check_same_thread=False, isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
BODY = Path(os.environ["BARE_BODY"]).read_bytes()


async def me(request: Request) -> Response:
    token = request.headers.get("authorization", "")[7:]
    sql = "SELECT client_id, user_id FROM token WHERE digest = ?"
    row = db.execute(sql, (hashlib.sha256(token.encode()).digest(),)).fetchone()
    if row is None:
        return Response(b"", 401)
    return Response(msgspec.json.encode({"client": row[0], "ok": True}), media_type="application/json")


starlette = Starlette(routes=[Route("/me", me)])


async def body(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The body of BARE_BODY, by plain ASGI."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    headers = [(b"content-type", b"image/jpeg"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
