"""The OpenID providers of other organisations through which people may sign in: how an operator describes them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DISCOVERY = "/.well-known/openid-configuration"
ENV_PREFIX = "VITRINE_SECRET_"  # names that are no settings: what `client_secret_env` may point at
LONGEST_SECRET_BYTES = 4096
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_TEXTS = ("id", "label", "issuer", "client_id")
_FLAGS = ("link_by_email", "create_accounts", "internal", "trust_second_step")
_OTHERS = ("client_secret_env", "client_secret_file", "domains", "ca_file")


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. Without a secret this server is a public client, which PKCE protects alone.

    *link_by_email* lets a verified e-mail address find the account of the first sign-in, *create_accounts* makes one
    where there is none, *domains* are the only ones from which addresses may come (empty: all). *internal* opens the
    address guard for the issuer's own host; *trust_second_step* spares people our second step after the provider's."""

    id: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    link_by_email: bool = False
    create_accounts: bool = False
    domains: tuple[str, ...] = ()
    internal: bool = False
    trust_second_step: bool = False
    ca_file: str = ""

    @property
    def discovery(self) -> str:
        return self.issuer.rstrip("/") + DISCOVERY

    @property
    def host(self) -> str:
        return urlsplit(self.issuer).hostname or ""

    def takes(self, email: str) -> bool:
        """True if an address of this domain may sign in."""
        return not self.domains or email.rpartition("@")[2].lower() in self.domains


def read(value: object, environ: Mapping[str, str]) -> tuple[tuple[Provider, ...], list[str]]:
    """The providers of a TOML array of tables, or of the same as JSON text, with every fault in words."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else []
        except ValueError:
            return (), ["sign_in_providers must be a JSON list of objects in the environment"]
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return (), ["sign_in_providers must be tables: [[sign_in_providers]]"]
    faults: list[str] = []
    made = tuple(_one(table, number, environ, faults) for number, table in enumerate(value, 1))
    for name in ("id", "issuer"):
        listed = [getattr(one, name) for one in made]
        faults.extend(f"two providers have the {name} {one}" for one in sorted(set(listed)) if listed.count(one) > 1)
    return made, faults


def _one(table: dict[str, Any], number: int, environ: Mapping[str, str], faults: list[str]) -> Provider:
    named = f"sign_in_providers {table.get('id') or number}:"
    faults.extend(f"{named} {key} is not known" for key in sorted(set(table) - {*_TEXTS, *_FLAGS, *_OTHERS}))
    texts = {name: str(table.get(name, "")).strip() for name in _TEXTS}
    texts["issuer"] = texts["issuer"].removesuffix(DISCOVERY)
    flags = {name: table.get(name, False) for name in _FLAGS}
    faults.extend(f"{named} {name} must be true or false" for name, on in flags.items() if not isinstance(on, bool))
    domains = table.get("domains", [])
    if not isinstance(domains, list) or not all(_DOMAIN.fullmatch(str(one).lower()) for one in domains):
        faults.append(f"{named} domains must be a list such as ['museum.example']")
        domains = []
    if not _ID.fullmatch(texts["id"]):
        faults.append(f"{named} id must be 1 to 32 small letters, digits and hyphens")
    faults.extend(f"{named} {name} is missing" for name in ("label", "client_id") if not texts[name])
    made = Provider(
        id=texts["id"],
        label=texts["label"],
        issuer=texts["issuer"],
        client_id=texts["client_id"],
        client_secret=_secret(table, named, environ, faults),
        link_by_email=flags["link_by_email"] is True,
        create_accounts=flags["create_accounts"] is True,
        domains=tuple(str(one).lower() for one in domains),
        internal=flags["internal"] is True,
        trust_second_step=flags["trust_second_step"] is True,
        ca_file=str(table.get("ca_file", "")),
    )
    faults.extend(f"{named} {one}" for one in _check(made))
    return made


def _secret(table: dict[str, Any], named: str, environ: Mapping[str, str], faults: list[str]) -> str:
    """From where the operator keeps it: never from the table itself, which ends up in a repository sooner or later."""
    variable, file = str(table.get("client_secret_env", "")), str(table.get("client_secret_file", ""))
    if variable and file:
        faults.append(f"{named} has client_secret_env and client_secret_file: keep one")
        return ""
    if variable:
        if variable.startswith("VITRINE_") and not variable.startswith(ENV_PREFIX):
            faults.append(f"{named} client_secret_env must begin with {ENV_PREFIX}, or not with VITRINE_")
        elif not environ.get(variable):
            faults.append(f"{named} the variable {variable} is empty")
        return environ.get(variable, "").strip()
    if not file:
        return ""
    try:
        found = Path(file).read_bytes()[: LONGEST_SECRET_BYTES + 1].decode().strip()
    except (OSError, UnicodeDecodeError) as failure:
        faults.append(f"{named} client_secret_file {file} cannot be read ({type(failure).__name__})")
        return ""
    if not found or len(found) > LONGEST_SECRET_BYTES:
        faults.append(f"{named} client_secret_file {file} holds no secret")
    return found


def _check(made: Provider) -> list[str]:
    faults = []
    try:
        parts = urlsplit(made.issuer)
        right = bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        return ["issuer is not a web address"]
    if not right or parts.query or parts.fragment or parts.scheme not in ("http", "https"):
        faults.append("issuer must be the provider's address, such as https://sso.museum.example")
    elif parts.scheme == "http" and not made.internal:
        faults.append("issuer must begin with https:// unless the provider is internal")
    if made.ca_file and not Path(made.ca_file).is_file():
        faults.append(f"ca_file {made.ca_file} is not there")
    return faults
