"""Who asks, and what there is to ask for: people with sessions and tokens, applications, documents, links."""

import random
import re
from pathlib import Path
from urllib.parse import quote

from vitrine.accounts import User, Via
from vitrine.applications import Profile, Switch
from vitrine.library.model import RecordKey
from vitrine.testing import media_factory as make
from vitrine.testing.record_factory import StoredRecord, add_record
from vitrine.testing.server import CALLBACK, PASSWORD, Registered, Server

# Limits that a stream of requests from one address would reach; 0 and these numbers are "never".
UNLIMITED = {
    "token_requests": 10**9, "authorize_requests": 10**9, "user_code_attempts": 10**9, "sign_in_failures": 10**9,
    "application_calls": 0, "account_calls": 0, "token_calls": 0, "metrics_from": ("127.0.0.1",),
    "upload_max_bytes": 200_000,
}  # fmt: skip
WEBVTT = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nA\n"
TITLE = "Quay\x01\x0b\x1b\x7f\x85 ]]> \"<&' \ufffe \u202e \U0001f600"
_SIGNED = re.compile(r"/medias/([\w.-]+)")
_LINK = re.compile(r"https?://[^/]+(/permalink/[^\"'\s<>&]+)")


class World:
    """A furnished server. `heal` gives back what the requests may have ended: sessions, tokens, applications."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.people = [server.user("ada", is_admin=True), server.user("bob"), server.user("eve", None)]
        self.keys = self._records(folder)
        self.links = [link for key in self.keys for link in self._links(key)]
        self.signed_tokens = self._signed_tokens()
        self.cookies: list[bytes] = []
        self.csrf: dict[bytes, str] = {}
        self.tokens: list[str] = []
        self.applications: list[Registered] = []
        self.values: dict[str, list[str]] = {}
        self.heal()

    def heal(self) -> None:
        """New sessions and tokens, and applications that are still there."""
        ada, bob, eve = (self._user(user) for user in self.people)
        self.applications = [
            self.server.register(ada, on=(Switch.PASSWORD_GRANT, Switch.IMPLICIT), description="D",
            website="https://x.example"),
            self.server.register(ada, profile=Profile.STRICT, on=(Switch.ACTS_AS_OWNER,)),
            self.server.register(bob, kind="desktop"),
            self.server.register(bob, profile=Profile.PUBLIC),
            self.server.register(eve, profile=Profile.STRICT),
        ]  # fmt: skip
        self.tokens = [app.developer_token for app in self.applications] + [
            self._narrow_token(ada, self.applications[1])
        ]
        secrets = {b"vitrine=" + secret.encode(): secret for secret in map(self._session, (ada, bob, eve))}
        secrets[b"vitrine-visitor=fuzz-visitor"] = "fuzz-visitor"
        csrf_token = self.server.services.accounts.sessions.csrf_token
        self.csrf = {cookie: csrf_token(secret) for cookie, secret in secrets.items()}
        self.cookies = list(secrets)  # each in one step: other threads draw from them meanwhile
        self.values = self._values()

    def _user(self, user: User) -> User:
        accounts = self.server.services.accounts.users
        with self.server.services.database.read() as work:
            return accounts.get(work, user.id)

    def _session(self, user: User) -> str:
        sessions = self.server.services.accounts.sessions
        with self.server.services.database.write() as work:
            secret, _ = sessions.open(work, self._user_in(work, user), address="", agent="fuzz")
        return secret

    def _user_in(self, work: object, user: User) -> User:
        return self.server.services.accounts.users.get(work, user.id)  # type: ignore[arg-type]

    def _narrow_token(self, user: User, app: Registered) -> str:
        services = self.server.services
        with services.database.write() as work:
            actor = services.accounts.users.actor_of(work, user, Via.COMMAND)
            return services.oauth.personal_tokens.add(
                work, actor, app.application, "narrow", "7", frozenset({"library:read", "search"})
            )

    def _records(self, folder: Path) -> list[RecordKey]:
        picture = StoredRecord(make.jpeg(folder / 'q"uay\x01é.jpg', 64, 48), "image/jpeg", 64, 48)
        text = folder / "a.pdf"
        text.write_bytes(b"%PDF-1.4\n%%EOF\n")
        document = StoredRecord(text, "application/pdf", 100, 100)
        film = folder / "a.mp4"
        film.write_bytes(b"\0" * 4_000)
        video = StoredRecord(film, "video/mp4", 64, 48)
        files = {"document": picture, "preview": picture, "thumbnail": picture}
        add, base = self.server.services, self.server.photographs
        return [
            add_record(add, base, "image", files, title=TITLE, values={"Caption": TITLE}),
            add_record(add, base, "video", {"document": video, "preview": video, "thumbnail": picture},
                       values={"VideoTextTrackFr": WEBVTT, "VideoTextTrackChapters": WEBVTT, "StartOfMessage": "1.5"}),
            add_record(add, self.server.archive, "document", {"document": document, "preview": document,
            "thumbnail": picture}),
        ]  # fmt: skip

    def _links(self, key: RecordKey) -> list[str]:
        """The paths of the permalinks of a record, from its answer in API v1."""
        token = self.server.token(self._user(self.people[0]))
        text = self.server.call("GET", f"/api/v1/records/{key.databox}/{key.number}/embed/", token).text
        return sorted(set(_LINK.findall(text.replace("\\/", "/").replace("\\u0026", "&"))))

    def _signed_tokens(self) -> list[str]:
        key = self.keys[0]
        token = self.server.token(self._user(self.people[0]))
        text = self.server.call("GET", f"/api/v1/records/{key.databox}/{key.number}/embed/", token).text
        return sorted(set(_SIGNED.findall(text.replace("\\/", "/"))))

    def _values(self) -> dict[str, list[str]]:
        """Good values by the name of a parameter or of a part of a path."""
        app, strict = self.applications[0], self.applications[1]
        ids = [str(registered.application.id) for registered in self.applications]
        keys = self.keys
        tokens = [query.partition("token=")[2].partition("&")[0] for query in self.links]
        absolute = [self.server.settings.base_url + link for link in self.links]
        pages = ["/embed/?url=" + quote(link, safe="") for link in absolute[:3]]
        fields = [str(number) for number in range(1, 25)]
        return {
            "databox_id": [str(self.server.databox.id)], "record_id": [str(key.number) for key in keys],
            "base_id": [str(self.server.photographs.id), str(self.server.archive.id)],
            "base": [str(self.server.photographs.id)], "bases": [str(self.server.photographs.id)],
            "id": ids, "application": ids, "subdef": ["document", "preview", "thumbnail"], "label": ["a.jpg",
            "caption", "view"],
            "token": tokens, "url": [*absolute, *pages, *self.links], "choice": fields, "meta_struct_id": fields,
            "item": ["1", "2"],
            "secret": ["1", "2"], "person": ["1", "2", "3"], "provider": ["none", "x"], "base_of": ["1"],
            "client_id": [registered.client_id for registered in self.applications], "client_secret": [app.secret,
            strict.secret],
            "redirect_uri": [CALLBACK, "urn:ietf:wg:oauth:2.0:oob"], "callback": ["cb", "a.b"], "username": ["ada",
            "bob"],
            "login": ["ada", "bob"], "password": [PASSWORD, "wrong"], "response_type": ["code", "token",
            "code-and-token"],
            "grant_type": ["authorization_code", "password", "refresh_token", "client_credentials", "token",
                           "urn:ietf:params:oauth:grant-type:device_code", "assertion"],
            "scope": ["openid library:read", "library:read search", ""], "state": ["s"], "query": ["cat",
            "quay OR title:x", ""],
            "q": ["cat", "quay"], "format": ["json", "xml"], "oauth_token": self.tokens, "access_token": self.tokens,
            "sort": ["relevance", "created_on", "newest"], "ord": ["asc", "desc"], "csrf": list(self.csrf.values()),
            "link": ["off:preview", "on:preview"], "status": ["1", "0"], "name": ["document", "preview", "Name"],
            "uri": [CALLBACK, "urn:ietf:wg:oauth:2.0:oob"], "kind": ["server", "page", "device", "machine"],
            "type": ["web", "desktop"],
            "fields": ["Title"], "metadatas": ["x"], "code_challenge_method": ["S256", "plain"],
            "code_challenge": ["a" * 43],
            "prompt": ["none", "login"], "max_age": ["1"], "page": ["1", "2"], "per_page": ["10"],
            "offset_start": ["0"],
            "from": ["2026-01-01"], "to": ["2026-12-31"], "do": ["approve", "suspend", "resume", "owner", "tester"],
            "lst": [f"{key.databox}_{key.number}" for key in keys], "text": ['{"vitrine_application": 1}'],
            "start": ["0"], "one": ["delete:1", "add:1", "substitute:1:1"], "website": ["https://x.example"],
            "answer": ['{"id":"x","response":{"clientDataJSON":"e30"}}'], "redirect": ["/account/", "/"],
            "code": ["123456"],
        }  # fmt: skip

    def value(self, name: str, rng: random.Random) -> str:
        """A good value for *name*, or something plain where none is known."""
        return rng.choice(self.values.get(name, ["x", "1", "0", "2026-01-01"]))

    def headers_of(self, rng: random.Random) -> tuple[list[tuple[bytes, bytes]], str]:
        """Headers of a caller, and the form token that goes with them: a session, a token, a client, or nobody."""
        kind = rng.random()
        if kind < 0.45:
            cookie = rng.choice([*self.cookies, self.cookies[0]])
            return [(b"cookie", cookie)], self.csrf.get(cookie, "")
        if kind < 0.85:
            return [(b"authorization", b"Bearer " + rng.choice(self.tokens).encode())], ""
        return [], ""
