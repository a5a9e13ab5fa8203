"""A person with a credential of every kind on a server of two processes, and whether each works, over HTTP."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from tests.oauth.flows import DEVICE, DEVICE_GRANT, ask, code_of, exchange, post, status_of
from tests.oauth.provider import FakeProvider, go
from tests.oauth.test_device import decide
from tests.oauth.test_external import link as link_provider
from tests.oauth.test_second_step import switch_on
from tests.operations.test_account_mail import EMAIL, FORGOT, RENEW, link, sent_mails
from tests.revocation.authenticator import Authenticator
from vitrine import app, composition
from vitrine.accounts import COMMAND, Via, links
from vitrine.accounts.credential_revocation import Credential
from vitrine.accounts.errors import LinkUsed
from vitrine.accounts.passwords import Passwords
from vitrine.accounts.revokers import CONFIRM, UNLOCK
from vitrine.applications import Profile, secret_views, store
from vitrine.applications.tables import accounts, application_secrets
from vitrine.edge.services import Services
from vitrine.oauth.delegation import AuthorityEnded
from vitrine.oauth.tables import authorization_codes, device_codes
from vitrine.platform.crypto import digest
from vitrine.testing import media_factory
from vitrine.testing.server import CALLBACK, PASSWORD, Server, Visitor, hidden

SECURITY, SETTINGS = "/account/security/", "/developers/application/{}/"
TOKENS = "/login/developer-tokens/?token="
OLD, NEW = PASSWORD, "quite another password"
Probe = Callable[[], bool]


class World:
    """*role* is ada's role in the application: owner, co-owner or tester. Otherwise bob owns it."""

    def __init__(self, folder: Path, provider: FakeProvider, role: str, database_url: str = "") -> None:
        offered = (provider.described(trust_second_step=True),)
        self.server = Server(folder, sign_in_providers=offered, database_url=database_url)
        services = composition.make_services(
            self.server.settings, decoders=1, passwords=Passwords(memory_kib=64, passes=1)
        )
        self.other = app.AsgiApplication(services)  # another process: caches of its own
        self._other_services = services
        self.provider, self.role, self.password = provider, role, OLD
        self.keeper = self.server.user("keeper", is_admin=True)
        self.ada = self.server.user("ada", email="ada@museum.example")
        self.bob = self.server.user("bob", email="bob@museum.example")
        self.app = self.server.register(self.ada if role == "owner" else self.bob, profile=Profile.STRICT)
        self.settings = SETTINGS.format(self.app.application.id)
        self.probes: dict[Credential, list[Probe]] = {}
        self._developer_tokens()
        self._links_of_tokens()
        self._sign_ins()
        self._links()
        self._handed_tokens()
        self._signed_address()
        self._feed_address()
        self._delegation()
        self._client()
        self._grants()

    def close(self) -> None:
        services = self._other_services
        self.server.close()
        services.media.close()
        services.search.index.close()
        services.database.close()

    # -- looking -------------------------------------------------------------------------------------------------

    def works(self, credential: Credential) -> bool:
        """True if the credential works; both processes must agree."""
        said = {probe() for probe in self.probes[credential]}
        assert len(said) == 1, f"two processes differ about the {credential}"
        return said.pop()

    def elsewhere(self, visitor: Visitor) -> Visitor:
        """The same browser, connected to the other process."""
        client = self.server.client(self.other)
        client.cookies = visitor.client.cookies
        return Visitor(client)

    def signed_in(self) -> Visitor:
        """A new sign-in with the present password, through the second step if there is one."""
        visitor = self.server.browser()
        page = visitor.submit("/login/", "/login/", {"login": "ada", "password": self.password})
        if 'name="pending"' in page.text:
            visitor.client.post("/login/second/", data={**hidden(page.text), "code": self.recovery.pop()})
        return visitor

    # -- making --------------------------------------------------------------------------------------------------

    def _developer_tokens(self) -> None:
        services = self.server.services
        with services.database.write() as work:
            actor = services.accounts.users.actor_of(work, self.ada, Via.COMMAND)
            if self.role != "owner":
                owner = services.accounts.users.actor_of(work, self.bob, Via.COMMAND)
                role = "tester" if self.role == "tester" else "owner"
                services.applications.people.add(work, owner, self.app.application.id, "ada", role)
            seed = services.oauth.developer_tokens.renew(work, actor, self.app.application)
            named = services.oauth.personal_tokens.add(work, actor, self.app.application, "laptop", "90")
        for credential, token in ((Credential.DEVELOPER_TOKEN, seed), (Credential.NAMED_TOKEN, named)):
            self.probes[credential] = self._token_probes(token)

    def _token_probes(self, token: str) -> list[Probe]:
        other = self.elsewhere(self.server.browser()).client
        header = {"Authorization": f"Bearer {token}"}
        return [
            lambda: status_of(self.server, token) == 200,
            lambda: other.get("/api/v1/me/", headers=header).status_code == 200,
        ]

    def forgotten(self) -> str:
        """The address of a new link to choose a password."""
        self.server.browser().submit(FORGOT, FORGOT, {"login": "ada"})
        return link(sent_mails(self.server)[-1])

    def renew(self, address: str, password: str) -> str:
        """Choose *password* through a link. Returns the page that is shown."""
        page = self.server.browser().submit(address, RENEW, {"new": password, "again": password})
        self.password = password
        return page.text

    def _links_of_tokens(self) -> None:
        """The mail after a renewed password lists the developer tokens and has a link that ends them."""
        self.page_of_tokens = self.renew(self.forgotten(), PASSWORD)
        with self.server.services.database.read() as work:  # as she is since then
            self.ada = self.server.services.accounts.users.get(work, self.ada.id)
        self.letter_of_tokens = sent_mails(self.server)[-1]
        self.tokens_link = link(self.letter_of_tokens)
        visitors = [self.server.browser(), self.elsewhere(self.server.browser())]
        self.probes[Credential.TOKENS_LINK] = [lambda v=visitor: _is_found(v, self.tokens_link) for visitor in visitors]  # type: ignore[misc]

    def _session(self, credential: Credential, visitor: Visitor) -> None:
        both = (visitor, self.elsewhere(visitor))
        self.probes[credential] = [lambda v=client: _is_found(v, "/account/") for client in both]  # type: ignore[misc]

    def _sign_ins(self) -> None:
        server = self.server
        self.current = server.browser(self.ada)
        self._session(Credential.CURRENT_SESSION, self.current)
        self._session(Credential.PASSWORD_SESSION, server.browser(self.ada))
        link_provider(server, self.ada, self.provider)
        self.by_provider, _ = go(server, self.provider)
        self._session(Credential.PROVIDER_SESSION, self.by_provider)
        self.key = Authenticator(server.settings.origin)
        self._add_passkey()
        self.by_passkey = server.browser()
        options = self.by_passkey.xhr("POST", "/login/passkey/options/").json()["options"]
        answer = self.by_passkey.xhr("POST", "/login/passkey/", {"answer": self.key.sign_in(options)})
        assert answer.json()["success"], answer.text
        self._session(Credential.PASSKEY_SESSION, self.by_passkey)
        self.recovery = switch_on(server, self.ada)[1]
        self.by_code = self.signed_in()
        self._session(Credential.SECOND_FACTOR_SESSION, self.by_code)
        self._halves()

    def _add_passkey(self) -> None:
        options = self.current.xhr("POST", f"{SECURITY}passkeys/options/").json()["options"]
        form = {"answer": self.key.register(options), "name": "key"}
        answer = self.current.submit(SECURITY, f"{SECURITY}passkeys/", form)
        assert answer.status_code in (200, 303), answer.text

    def _halves(self) -> None:
        probes: list[Probe] = []
        for place in (self.server.application, self.other):
            client = self.server.client(place)
            page = Visitor(client).submit("/login/", "/login/", {"login": "ada", "password": self.password})
            form = {**hidden(page.text), "code": self.recovery.pop()}
            probes.append(lambda c=client, f=form: c.post("/login/second/", data=f).status_code == 303)  # type: ignore[misc]
        self.probes[Credential.PENDING_SIGN_IN] = probes

    def ask_for_address(self, address: str) -> str:
        """The link that confirms a new e-mail address."""
        self.current.submit(EMAIL, EMAIL, {"email": address, "password": self.password})
        return link(sent_mails(self.server)[-1])

    def _links(self) -> None:
        stranger = self.server.browser()
        both = (stranger, self.elsewhere(stranger))
        self.password_link = self.forgotten()
        self.probes[Credential.PASSWORD_LINK] = [lambda v=client: _is_found(v, self.password_link) for client in both]  # type: ignore[misc]
        self.email_link = self.ask_for_address("third@museum.example")

        def confirms() -> bool:
            visitor = self.signed_in()
            said = {_is_found(client, self.email_link) for client in (visitor, self.elsewhere(visitor))}
            assert len(said) == 1
            return said.pop()

        self.probes[Credential.EMAIL_LINK] = [confirms]

    def _handed_tokens(self) -> None:
        """ada was confirmed long ago: a token that unlocks opens nothing more, but must not lie about."""
        services, others = self.server.services, self._other_services
        with services.database.write() as work:
            keeper = services.accounts.users.actor_of(work, self.keeper, Via.COMMAND)
            reset = services.accounts.management.reset_token(work, keeper, "ada")
            for purpose in (CONFIRM, UNLOCK):
                links.add(work, digest(purpose), self.ada.id, purpose, self.ada.email or "", work.now + timedelta(1))

        def sets_password(place: Services) -> bool:
            with place.database.read() as work:
                try:
                    place.accounts.management.token_owner(work, COMMAND, reset)
                except LinkUsed:
                    return False
            return True

        def is_kept(place: Services, purpose: str) -> bool:
            with place.database.read() as work:
                return links.by_digest(work, digest(purpose), purpose) is not None

        both = (services, others)
        self.probes[Credential.RESET_TOKEN] = [partial(sets_password, place) for place in both]
        for credential, purpose in ((Credential.CONFIRMATION_LINK, CONFIRM), (Credential.UNLOCK_TOKEN, UNLOCK)):
            self.probes[credential] = [partial(is_kept, place, purpose) for place in both]

    def _signed_address(self) -> None:
        key = self.server.add(media_factory.jpeg(self.server.settings.data_dir / "p.jpg"), self.ada)
        path = f"/records/{key.databox}/{key.number}/"
        token = self.server.token(self.ada)
        signed = re.search(r"/medias/[\w.~-]+", str(self.server.get(path, token)))
        assert signed
        address = signed[0]
        other = self.elsewhere(self.server.browser()).client
        self.probes[Credential.SIGNED_ADDRESS] = [
            lambda c=client: c.get(address).status_code == 200 for client in (self.server.http, other)  # type: ignore[misc]
        ]  # fmt: skip

    def _feed_address(self) -> None:
        services = self.server.services
        with services.database.write() as work:
            actor = services.accounts.users.actor_of(work, self.ada, Via.SESSION)
            token = services.feeds.addresses.renew(work, actor, None)
        address = f"/feeds/userfeed/aggregated/{token}/rss/"
        visitors = [self.server.browser(), self.elsewhere(self.server.browser())]
        self.probes[Credential.FEED_ADDRESS] = [lambda v=visitor: _is_found(v, address) for visitor in visitors]  # type: ignore[misc]

    def _delegation(self) -> None:
        """Work that ada began on a page, and that a worker goes on with."""
        services = self.server.services
        with services.database.write() as work:
            actor = services.accounts.users.actor_of(work, self.ada, Via.SESSION)
            number = services.library.bulk.delegations.add(work, actor)

        def goes_on(place: Services) -> bool:
            with place.database.read() as work:
                try:
                    return place.library.bulk.delegations.actor(work, number).user_id == self.ada.id
                except AuthorityEnded:
                    return False

        both = (services, self._other_services)
        self.probes[Credential.DELEGATION] = [partial(goes_on, place) for place in both]

    def _client(self) -> None:
        """ada saw the client secret; the owner lets the application act in their name."""
        services = self.server.services
        with services.database.write() as work:
            number = work.db.scalar(sa.select(sa.func.max(application_secrets.c.id)))
            secret_views.note(work, int(number or 0), self.ada.id)
            acting = sa.and_(accounts.c.user_id == self.ada.id)
            work.db.execute(accounts.update().where(acting).values(acts_alone_since=work.now))
        unknown = {"grant_type": "authorization_code", "code": "unknown", "redirect_uri": CALLBACK}
        self.probes[Credential.CLIENT_SECRET] = self._pairs(
            [unknown, unknown], lambda answer: answer.get("error") == "invalid_grant"
        )
        self.probes[Credential.ACTS_AS_OWNER] = [self._acts]

    def _acts(self) -> bool:
        """True if the secret alone acts as ada. If the application is not hers, it is transferred to her first."""
        services = self.server.services
        with services.database.write() as work:
            application = services.applications.registry.for_protocol(work, self.app.application.id)
            actor = services.accounts.users.actor_of(
                work, services.accounts.users.get(work, self.keeper.id), Via.COMMAND
            )
            known = services.accounts.users.known(work, self.ada.id)
            if application is not None and known is not None:
                if application.creator_id != self.ada.id:
                    services.applications.people.transfer(work, actor, application.id, "ada")
                switches = {"switches": {**application.switches.chosen, "acts_as_owner": True}}
                store.update(work, application.id, switches)
        granted = post(self.server, self.app, grant_type="client_credentials", scope="account:read").json()
        return "access_token" in granted and status_of(self.server, granted["access_token"]) == 200

    def _pairs(self, forms: list[dict[str, str]], is_right: Callable[[dict[str, str]], bool]) -> list[Probe]:
        """A call of the token endpoint for each process, with one form each, since a form may work only once."""
        own = {"client_id": self.app.client_id, "client_secret": self.app.secret}
        clients = (self.server.http, self.elsewhere(self.server.browser()).client)
        return [
            lambda c=client, f=form: is_right(c.post("/api/oauthv2/token", data={**own, **f}).json())  # type: ignore[misc]
            for client, form in zip(clients, forms, strict=True)
        ]

    def _grants(self) -> None:
        granted = [self._tokens(), self._tokens(), self._tokens(scope="account:read applications")]
        self.probes[Credential.ACCESS_TOKEN] = self._token_probes(granted[2]["access_token"])
        self.probes[Credential.MADE_WITH_TOKEN] = self._token_probes(self._made_with(granted[2]["access_token"]))
        forms = [{"grant_type": "refresh_token", "refresh_token": grant["refresh_token"]} for grant in granted[:2]]
        self.probes[Credential.REFRESH_TOKEN] = self._pairs(forms, _gives_token)
        allowed, waiting = ([self._device() for _ in range(2)] for _ in range(2))
        for device in allowed:
            assert decide(self.current, device["user_code"], "allow") == 200
        for credential, devices, right in (
            (Credential.DEVICE_CODE, allowed, _gives_token),
            (Credential.PENDING_DEVICE_CODE, waiting, lambda answer: answer.get("error") == "authorization_pending"),
        ):
            forms = [{"grant_type": DEVICE_GRANT, "device_code": device["device_code"]} for device in devices]
            self.probes[credential] = self._pairs(forms, right)
        codes = [code_of(self.current, self.app) for _ in range(2)]
        with self.server.services.database.write() as work:  # a slow machine is no reason to fail
            later = {"expires": work.now.replace(year=work.now.year + 1)}
            for table in (authorization_codes, device_codes):
                work.db.execute(table.update().values(**later))
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": "v" * 64}
        self.probes[Credential.AUTHORIZATION_CODE] = self._pairs(
            [{**form, "code": code} for code in codes], _gives_token
        )
        self.probes[Credential.CONSENT] = [
            lambda: "code=" in ask(self.signed_in(), self.app).headers.get("location", "")
        ]

    def _tokens(self, **parameters: str) -> dict[str, str]:
        answer = exchange(self.server, self.app, code_of(self.current, self.app, **parameters))
        assert answer.status_code == 200, answer.text
        granted: dict[str, str] = answer.json()
        return granted

    def _made_with(self, token: str) -> str:
        """A developer token of ada's other application, made by the application with its access token."""
        other = self.server.register(self.ada, profile=Profile.STRICT)
        body = {"name": "made", "days": 90, "scopes": ["account:read"]}
        answer = self.server.call("POST", f"/api/applications/{other.application.id}/tokens/", token, json=body)
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["token"])

    def _device(self) -> dict[str, str]:
        offered: dict[str, str] = post(self.server, self.app, DEVICE).json()
        return offered


def _is_found(visitor: Visitor, address: str) -> bool:
    return visitor.get(address).status_code == 200


def _gives_token(answer: dict[str, str]) -> bool:
    return "access_token" in answer
