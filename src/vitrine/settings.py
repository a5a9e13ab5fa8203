"""The one Settings object: read once from environment and an optional TOML file, checked whole at start."""

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from vitrine import identity_provider_settings
from vitrine.errors import Invalid
from vitrine.identity_provider_settings import Provider

PREFIX = "VITRINE_"
NO_SETTINGS = frozenset({"VITRINE_TOKEN", "VITRINE_NEW_PASSWORD"})  # what snippets and commands use beside


def _setting(default: Any, sentence: str, unit: str = "") -> Any:
    return field(default=default, metadata={"sentence": sentence, "unit": unit})


# Files and environments of earlier releases name these.
FORMER_NAMES = {"old_habits": "deprecated_features"}
_MAY_BE_NONE = ("application_calls", "account_calls", "token_calls")  # 0 is no limit


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator may decide. Each field has a unit where one is needed, a default and one sentence."""

    data_dir: Path = _setting(Path("var/data"), "Folder that holds the database, the documents, the index and the key.")
    base_url: str = _setting(
        "http://127.0.0.1:8000", "Address under which people reach the server; decides every link."
    )
    trusted_proxies: tuple[str, ...] = _setting((), "Addresses of proxies whose forwarded headers count.")
    metrics_from: tuple[str, ...] = _setting((), "Addresses or networks that may read /metrics; empty: nobody.")
    timezone: str = _setting("UTC", "Zone in which dates are written on the API.")
    title: str = _setting("Vitrine", "Name of the instance, shown on pages and at GET /api/.")
    description: str = _setting("", "One sentence about the instance, shown at GET /api/.")
    default_language: str = _setting("en", "Language of pages and texts when the visitor states none.")
    database_url: str = _setting("", "SQLAlchemy address of the database; empty means SQLite in the data folder.")
    blobs_url: str = _setting(
        "", "Object store for documents, as in s3://bucket/prefix?endpoint=…; empty means the data folder."
    )
    accel_prefix: str = _setting(
        "", "Path inside the proxy's nginx that leads to the documents (X-Accel-Redirect); empty: we send them."
    )
    smtp_url: str = _setting(
        "", "Mail server, as in smtp://user:password@host:587?starttls; empty: letters are files in data_dir/outbox."
    )
    mail_from: str = _setting("", "Address from which letters come; empty: vitrine@ and the host of base_url.")
    log_json: bool = _setting(False, "Write logs as JSON lines.")
    log_level: str = _setting("info", "Least severe level that is logged.")
    api_enabled: bool = _setting(True, "Serve the public API and the OAuth endpoints.")
    api_require_https: bool | None = _setting(
        None, "Refuse the token endpoint over http; unset: when base_url is https."
    )
    api_header_tokens_only: bool = _setting(False, "Ignore access tokens in query and body for every application.")
    deprecated_features: str = _setting(
        "flagged", "Server policy on discouraged OAuth features: refuse, flagged or allow."
    )
    application_approval: bool = _setting(
        False, "New applications are for their owners and test users until an administrator approves them."
    )
    upload_max_bytes: int = _setting(10 * 2**30, "Largest file that can be added.", "bytes")
    fetch_max_bytes: int = _setting(2 * 2**30, "Largest file that is fetched from an address.", "bytes")
    media_max_pixels: int = _setting(200_000_000, "Largest picture that is decoded.", "pixels")
    media_memory_bytes: int = _setting(1_500 * 2**20, "Memory after which a decoding process is ended.", "bytes")
    worker_media_children: int = _setting(2, "Decoding processes that the worker runs at once.")
    subdef_url_ttl: int = _setting(7200, "Life of a signed media address; 0 means endless.", "seconds")
    session_days: int = _setting(14, "Life of a sign-in that is used.", "days")
    fresh_sign_in_minutes: int = _setting(15, "How long after signing in secrets may be shown.", "minutes")
    sign_in_failures: int = _setting(8, "Failed sign-ins after which an account waits.")
    sign_in_wait_minutes: int = _setting(15, "How long an account waits after too many failures.", "minutes")
    sign_in_providers: tuple[Provider, ...] = _setting(
        (), "OpenID providers through which people may sign in: tables in vitrine.toml, or a JSON list."
    )
    token_idle_days: int = _setting(90, "A token without an end dies after so long without use.", "days")
    token_requests: int = _setting(1200, "Calls of the token endpoint and its sisters by one address.", "a minute")
    authorize_requests: int = _setting(600, "Calls of the authorize endpoint by one address.", "a minute")
    application_calls: int = _setting(60_000, "Calls of the API by one application; 0: no limit.", "a minute")
    account_calls: int = _setting(60_000, "Calls of the API in the name of one person; 0: no limit.", "a minute")
    token_calls: int = _setting(30_000, "Calls of the API with one token; 0: no limit.", "a minute")
    user_code_attempts: int = _setting(10, "Codes of devices that one person may try.", "a minute")
    embed_frame_ancestors: str = _setting("*", "Sites that may frame embedded documents, as in frame-ancestors.")
    embed_start_field: str = _setting("StartOfMessage", "Field that says at which second a film or sound begins.")
    embed_chapters_field: str = _setting("VideoTextTrackChapters", "Field that holds the chapters of a film as WebVTT.")
    fast_paths: bool = _setting(
        True, "Answer by the shorter ways of our own through HTTP; without them answers are the same and cost more."
    )
    demo: bool = _setting(False, "Fill an empty instance with the demonstration.")

    def provider(self, provider_id: str) -> Provider | None:
        return next((provider for provider in self.sign_in_providers if provider.id == provider_id), None)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def origin(self) -> str:
        """Scheme, host and port of base_url, as browsers write an origin."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def sender(self) -> str:
        """From whom letters come."""
        return self.mail_from or f"vitrine@{urlsplit(self.base_url).hostname or 'localhost'}"

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def https_required(self) -> bool:
        return self.is_https if self.api_require_https is None else self.api_require_https

    def absolute(self, path: str) -> str:
        """The absolute address of a path that begins with a slash."""
        return self.base_url.rstrip("/") + path


def load(
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
    *,
    otherwise: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> Settings:
    """Settings from, in rising order of precedence, defaults, *otherwise* (what a command assumes when nobody said
    anything), TOML *file*, environment (`VITRINE_*`) and *given*.

    Raises Invalid that lists every fault at once; an unknown key is a fault, since a typing error must not be silent.
    """
    environ = os.environ if environ is None else environ
    fields_by_name = {setting.name: setting for setting in fields(Settings)}
    faults: list[str] = []
    values: dict[str, Any] = dict(otherwise or {})
    if file is not None:
        given = _read(file, faults)
        faults.extend(_named_twice(given, file.name))
        for key, value in given.items():
            _take(values, fields_by_name, key, value, faults, f"{file.name}: {key}")
    variables = {
        name[len(PREFIX) :].lower(): name
        for name in environ
        if name.startswith(PREFIX)
        and not name.startswith(identity_provider_settings.ENV_PREFIX)
        and name not in NO_SETTINGS
    }
    faults.extend(_named_twice(variables, "the environment"))
    for key, name in variables.items():
        _take(values, fields_by_name, key, environ[name], faults, name)
    if "sign_in_providers" in values:
        values["sign_in_providers"], provider_faults = identity_provider_settings.read(
            values["sign_in_providers"], environ
        )
        faults.extend(provider_faults)
    values.update({key: value for key, value in overrides.items() if value is not None})
    if faults:
        raise Invalid("These settings cannot be used: " + "; ".join(faults) + ".", field="settings")
    settings = Settings(**values)
    faults = _check(settings)
    if faults:
        raise Invalid("These settings cannot be used: " + "; ".join(faults) + ".", field="settings")
    return settings


def _read(file: Path, faults: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        faults.append(f"{file.name} cannot be read ({failure})")
        return {}


def _named_twice(keys: Iterable[str], source: str) -> list[str]:
    """Settings that stand in one place under their former and their present name: which of the two counts?"""
    return [
        f"{source} has both {former} and {name}: keep {name}"
        for former, name in FORMER_NAMES.items()
        if {former, name} <= set(keys)
    ]


def _take(
    values: dict[str, Any],
    fields_by_name: Mapping[str, Field[Any]],
    key: str,
    value: Any,
    faults: list[str],
    label: str,
) -> None:
    key = FORMER_NAMES.get(key, key)
    if key not in fields_by_name:
        faults.append(f"{label} is not a setting")
        return
    try:
        values[key] = _parsed(get_type_hints(Settings)[key], value)
    except ValueError as failure:
        faults.append(f"{label} {failure}")


def _parsed(kind: Any, value: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        kind = next(member for member in get_args(kind) if member is not type(None))
    if get_origin(kind) is tuple and get_args(kind)[0] is Provider:
        return value  # read whole, with the secrets that it points at, by `load`
    if get_origin(kind) is tuple:
        return tuple(value) if isinstance(value, list) else tuple(part for part in str(value).split(",") if part)
    if kind is bool and not isinstance(value, bool):
        if str(value).lower() in ("1", "true", "yes", "on"):
            return True
        if str(value).lower() in ("0", "false", "no", "off"):
            return False
        raise ValueError("must be true or false")
    if kind is int:
        try:
            return int(value)
        except ValueError:
            raise ValueError("must be a whole number") from None
    return kind(value)


def _check(settings: Settings) -> list[str]:
    faults = []
    parts = urlsplit(settings.base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        faults.append("base_url must be http(s)://host[:port] without a path")
    if settings.timezone not in available_timezones():
        faults.append("timezone must be the name of a zone, such as Europe/Paris")
    if settings.deprecated_features not in ("refuse", "flagged", "allow"):
        faults.append("deprecated_features must be refuse, flagged or allow")
    faults.extend(
        f"{name} has {network}, which is neither an address nor a network"
        for name in ("trusted_proxies", "metrics_from")
        for network in getattr(settings, name)
        if not _is_network(network)
    )
    if settings.accel_prefix and not re.fullmatch(r"/[A-Za-z0-9_/-]+", settings.accel_prefix):
        faults.append("accel_prefix must be a path such as /_documents")
    if settings.accel_prefix and not settings.trusted_proxies:
        faults.append("accel_prefix needs trusted_proxies: only a request of theirs is answered so")
    if settings.accel_prefix and settings.blobs_url:
        faults.append("accel_prefix is for documents in the data folder, not for blobs_url")
    if settings.mail_from and "@" not in settings.mail_from.strip("@"):
        faults.append("mail_from must be an e-mail address")
    if settings.log_level not in ("debug", "info", "warning", "error"):
        faults.append("log_level must be debug, info, warning or error")
    faults.extend(
        f"{setting.name} must be positive"
        for setting in fields(settings)
        if setting.default is not MISSING
        and isinstance(setting.default, int)
        and not isinstance(setting.default, bool)
        and setting.name != "subdef_url_ttl"
        and getattr(settings, setting.name) < (0 if setting.name in _MAY_BE_NONE else 1)
    )
    return faults


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return True
