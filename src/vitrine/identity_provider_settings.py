"""The configuration of OpenID providers through which people may sign in."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DISCOVERY = "/.well-known/openid-configuration"
ENV_PREFIX = "VITRINE_SECRET_"  # not settings: variables that `client_secret_env` may name
LONGEST_SECRET_BYTES = 4096
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_TEXTS = ("id", "label", "issuer", "client_id")
_FLAGS = ("link_by_email", "create_accounts", "internal", "trust_second_step")
_OTHERS = ("client_secret_env", "client_secret_file", "domains", "ca_file")


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. Without a secret this server is a public client, protected by PKCE alone.

    *link_by_email* links the first sign-in to the account with the same verified e-mail address; *create_accounts*
    creates an account if there is none; *domains* lists the allowed e-mail domains (empty: all). *internal* lets the
    address guard accept the issuer's own host; *trust_second_step* skips our second step after the provider's."""

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
        """True if the domain of this e-mail address may sign in."""
        return not self.domains or email.rpartition("@")[2].lower() in self.domains


def read(value: object, environ: Mapping[str, str]) -> tuple[tuple[Provider, ...], list[str]]:
    """The providers of a TOML array of tables, or of the same as JSON text, and a message for each fault."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else []
        except ValueError:
            return (), ["sign_in_providers must be a JSON list of objects in the environment"]
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        return (), ["sign_in_providers must be tables: [[sign_in_providers]]"]
    faults: list[str] = []
    provider_list = tuple(_provider(table, number, environ, faults) for number, table in enumerate(value, 1))
    for name in ("id", "issuer"):
        values = [getattr(provider, name) for provider in provider_list]
        faults.extend(
            f"two providers have the {name} {value}" for value in sorted(set(values)) if values.count(value) > 1
        )
    return provider_list, faults


def _provider(table: dict[str, Any], number: int, environ: Mapping[str, str], faults: list[str]) -> Provider:
    label = f"sign_in_providers {table.get('id') or number}:"
    faults.extend(f"{label} {key} is not known" for key in sorted(set(table) - {*_TEXTS, *_FLAGS, *_OTHERS}))
    texts = {name: str(table.get(name, "")).strip() for name in _TEXTS}
    texts["issuer"] = texts["issuer"].removesuffix(DISCOVERY)
    flags = {name: table.get(name, False) for name in _FLAGS}
    faults.extend(f"{label} {name} must be true or false" for name, on in flags.items() if not isinstance(on, bool))
    domains = table.get("domains", [])
    if not isinstance(domains, list) or not all(_DOMAIN.fullmatch(str(domain).lower()) for domain in domains):
        faults.append(f"{label} domains must be a list such as ['museum.example']")
        domains = []
    if not _ID.fullmatch(texts["id"]):
        faults.append(f"{label} id must be 1 to 32 lower-case letters, digits and hyphens")
    faults.extend(f"{label} {name} is missing" for name in ("label", "client_id") if not texts[name])
    provider = Provider(
        id=texts["id"],
        label=texts["label"],
        issuer=texts["issuer"],
        client_id=texts["client_id"],
        client_secret=_secret(table, label, environ, faults),
        link_by_email=flags["link_by_email"] is True,
        create_accounts=flags["create_accounts"] is True,
        domains=tuple(str(domain).lower() for domain in domains),
        internal=flags["internal"] is True,
        trust_second_step=flags["trust_second_step"] is True,
        ca_file=str(table.get("ca_file", "")),
    )
    faults.extend(f"{label} {fault}" for fault in _check(provider))
    return provider


def _secret(table: dict[str, Any], label: str, environ: Mapping[str, str], faults: list[str]) -> str:
    """Read the secret from a variable or a file, never from the table itself, which often ends up in a repository."""
    variable, file = str(table.get("client_secret_env", "")), str(table.get("client_secret_file", ""))
    if variable and file:
        faults.append(f"{label} has both client_secret_env and client_secret_file: keep one")
        return ""
    if variable:
        if variable.startswith("VITRINE_") and not variable.startswith(ENV_PREFIX):
            faults.append(f"{label} client_secret_env must begin with {ENV_PREFIX}, or not with VITRINE_")
        elif not environ.get(variable):
            faults.append(f"{label} the variable {variable} is empty")
        return environ.get(variable, "").strip()
    if not file:
        return ""
    try:
        secret = Path(file).read_bytes()[: LONGEST_SECRET_BYTES + 1].decode().strip()
    except (OSError, UnicodeDecodeError) as failure:
        faults.append(f"{label} client_secret_file {file} cannot be read ({type(failure).__name__})")
        return ""
    if not secret or len(secret) > LONGEST_SECRET_BYTES:
        faults.append(f"{label} client_secret_file {file} contains no valid secret")
    return secret


def _check(provider: Provider) -> list[str]:
    faults = []
    try:
        parts = urlsplit(provider.issuer)
        has_valid_host = bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        return ["issuer is not a web address"]
    if not has_valid_host or parts.query or parts.fragment or parts.scheme not in ("http", "https"):
        faults.append("issuer must be the provider's address, such as https://sso.museum.example")
    elif parts.scheme == "http" and not provider.internal:
        faults.append("issuer must begin with https:// unless the provider is internal")
    if provider.ca_file and not Path(provider.ca_file).is_file():
        faults.append(f"ca_file {provider.ca_file} does not exist")
    return faults
