"""The one Settings object: read once from environment and an optional TOML file, checked whole at start."""

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from vitrine import identity_provider_settings
from vitrine.errors import Invalid
from vitrine.identity_provider_settings import Provider

PREFIX = "VITRINE_"
NO_SETTINGS = frozenset({"VITRINE_TOKEN", "VITRINE_NEW_PASSWORD"})  # read by snippets and commands


def _setting(default: Any, sentence: str, unit: str = "") -> Any:
    return field(default=default, metadata={"sentence": sentence, "unit": unit})


# Names that files and environments of earlier releases may use.
FORMER_NAMES = {"old_habits": "deprecated_features"}
SIGN_UP_FIELDS = (
    "login", "gender", "first_name", "last_name", "address", "zip_code", "city", "country", "job", "company",
    "activity", "phone", "fax",
)  # fmt: skip
_MAY_BE_ZERO = (  # 0: without
    "application_calls", "account_calls", "token_calls", "vote_reminder_percent", "upload_queue_collection",
    "account_inactive_days", "account_inactive_warning_days",
    "search_journal_days",
)  # fmt: skip
_AT_MOST = {"vote_days": 3_650, "vote_reminder_percent": 99, "account_inactive_days": 3_650, "download_link_hours": 168}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator can set. Each field has a default, one sentence, and a unit where it needs one."""

    data_dir: Path = _setting(
        Path("var/data"), "Folder of the database, the documents, the search index and the server key."
    )
    base_url: str = _setting(
        "http://127.0.0.1:8000", "Public address of the server; every absolute link begins with it."
    )
    trusted_proxies: tuple[str, ...] = _setting((), "Addresses of proxies whose forwarded headers are trusted.")
    forwarded_headers: str = _setting(
        "auto",
        "Headers that trusted proxies write: x-forwarded, forwarded, or auto (Forwarded where no X-Forwarded-For is).",
    )
    metrics_from: tuple[str, ...] = _setting((), "Addresses or networks that may read /metrics; empty: none.")
    timezone: str = _setting("UTC", "Time zone of the dates in API responses.")
    title: str = _setting("Vitrine", "Name of the instance, shown on pages and at GET /api/.")
    description: str = _setting("", "One sentence about the instance, shown at GET /api/.")
    default_language: str = _setting("en", "Language of pages and mails for people who state no preference.")
    database_url: str = _setting("", "SQLAlchemy URL of the database; empty: SQLite in the data folder.")
    blobs_url: str = _setting(
        "", "Object store of the documents, such as s3://bucket/prefix?endpoint=…; empty: the data folder."
    )
    accel_prefix: str = _setting(
        "", "Internal nginx path of the documents (X-Accel-Redirect); empty: the server sends them itself."
    )
    smtp_url: str = _setting(
        "", "Mail server, such as smtp://user:password@host:587?starttls; empty: mails are files in data_dir/outbox."
    )
    mail_from: str = _setting("", "Sender address of mails; empty: vitrine@ and the host of base_url.")
    log_json: bool = _setting(False, "Write logs as JSON lines.")
    log_level: str = _setting("info", "Lowest level that is logged.")
    api_enabled: bool = _setting(True, "Serve the public API and the OAuth endpoints.")
    api_require_https: bool | None = _setting(
        None, "Refuse calls of the token endpoint over http; unset: if base_url is https."
    )
    api_header_tokens_only: bool = _setting(False, "Ignore access tokens in query and body for every application.")
    deprecated_features: str = _setting(
        "flagged", "Server policy on deprecated OAuth features: refuse, flagged or allow."
    )
    application_approval: bool = _setting(
        False, "Restrict new applications to their owners and test users until an administrator approves them."
    )
    upload_max_bytes: int = _setting(10 * 2**30, "Largest file that can be added.", "bytes")
    fetch_max_bytes: int = _setting(2 * 2**30, "Largest file that is fetched from a URL.", "bytes")
    hot_folder_roots: tuple[str, ...] = _setting(
        (), "Folders of the machine inside of which administrators may name hot folders; empty: there are none."
    )
    hot_folder_seconds: int = _setting(
        10, "Time between two looks at a hot folder; a file that did not change meanwhile is taken.", "seconds"
    )
    record_history_days: int = _setting(
        730, "Time for which the history of a record keeps a change, which can be taken back as long.", "days"
    )
    use_journal_days: int = _setting(
        365, "Time for which it is kept who downloaded records together, sent or published them.", "days"
    )
    view_journal_days: int = _setting(
        365, "Time for which the views of files by their links are kept, by day and referring host.", "days"
    )
    view_journal_rows: int = _setting(2_000_000, "Most numbers of such views; older ones are deleted sooner.")
    search_journal_days: int = _setting(
        30, "Time for which words that were searched for are kept, without who searched; 0: not at all.", "days"
    )
    session_journal_days: int = _setting(
        365, "Time for which sign-ins and sign-outs are kept in the audit log.", "days"
    )
    original_versions_days: int = _setting(
        90, "Time for which an original that was replaced can be downloaded and restored.", "days"
    )
    upload_queue_hosts: tuple[str, ...] = _setting(
        (), "Hosts of uploaders whose documents POST /api/v1/upload/enqueue/ may have fetched; empty: the route is off."
    )
    upload_queue_collection: int = _setting(
        0, "Collection (base_id) of announced documents that name none; 0: they are refused."
    )
    media_max_pixels: int = _setting(200_000_000, "Largest picture that is decoded.", "pixels")
    media_memory_bytes: int = _setting(
        1_500 * 2**20, "Memory limit of a decoding process; it is ended when it exceeds this.", "bytes"
    )
    worker_media_children: int = _setting(2, "Decoding processes that the worker runs in parallel.")
    subdef_url_ttl: int = _setting(7200, "Lifetime of a signed media URL; 0: no expiry.", "seconds")
    vote_days: int = _setting(10, "Time for a vote on a basket, if its owner names no end.", "days")
    vote_reminder_percent: int = _setting(
        20, "Part of a vote's time that is left when voters are reminded; 0: no reminders.", "percent"
    )
    session_days: int = _setting(14, "Lifetime of a session, counted from its last use.", "days")
    fresh_sign_in_minutes: int = _setting(
        15, "Time after a password check during which secrets may be shown.", "minutes"
    )
    sign_in_failures: int = _setting(8, "Failed sign-ins after which an account is locked for a while.")
    sign_in_wait_minutes: int = _setting(15, "Duration of the lock after too many failed sign-ins.", "minutes")
    sign_in_providers: tuple[Provider, ...] = _setting(
        (), "OpenID providers through which people may sign in: tables in vitrine.toml, or a JSON list."
    )
    account_closing: bool = _setting(False, "Let people close their own account through the API (DELETE /api/v1/me/).")
    account_inactive_days: int = _setting(
        0, "Time without sign-in and use of tokens after which an account is suspended; 0: never.", "days"
    )
    account_inactive_warning_days: int = _setting(
        14, "How long before that its owner is told by mail; 0: not at all.", "days"
    )
    sign_up: bool = _setting(False, "Let people make an account themselves, at /login/register/.")
    sign_up_fields: tuple[str, ...] = _setting(
        ("first_name", "last_name"),
        "Fields of the sign-up form besides e-mail and password; an asterisk after a name makes it required: login, "
        "gender, first_name, last_name, address, zip_code, city, country, job, company, activity, phone, fax.",
    )
    terms_url: str = _setting("", "Address of the terms that people accept when they make an account; empty: none.")
    sign_in_failures_before_puzzle: int = _setting(
        5, "Failed sign-ins after which a form must solve a puzzle, or be sent after 30 seconds."
    )
    registration_automatic: bool = _setting(
        False,
        "Give new people with a confirmed e-mail address what the rules of open collections say, without a decision.",
    )
    token_idle_days: int = _setting(90, "Time without use after which a token without an expiry ends.", "days")
    token_requests: int = _setting(
        1200, "Calls of the token, revocation, introspection and device endpoints from one address.", "per minute"
    )
    authorize_requests: int = _setting(600, "Calls of the authorize endpoint from one address.", "per minute")
    application_calls: int = _setting(60_000, "Calls of the API by one application; 0: no limit.", "per minute")
    account_calls: int = _setting(60_000, "Calls of the API on behalf of one person; 0: no limit.", "per minute")
    token_calls: int = _setting(30_000, "Calls of the API with one token; 0: no limit.", "per minute")
    request_log_days: int = _setting(30, "Time for which the lines of the request log are kept.", "days")
    request_log_rows: int = _setting(
        2_000_000, "Most lines that the request log keeps; older ones are deleted sooner. Counts of usage stay exact."
    )
    user_code_attempts: int = _setting(10, "Device codes that one person may try.", "per minute")
    connections_max: int = _setting(1000, "Open connections in all; an idle one is closed in favour of a new one.")
    connections_per_address: int = _setting(
        100, "Open connections from one address (a /64 network of IPv6); trusted_proxies may have more."
    )
    request_target_max_bytes: int = _setting(32 * 2**10, "Longest address of a request, with its query.", "bytes")
    request_headers_max_bytes: int = _setting(64 * 2**10, "All headers of a request.", "bytes")
    request_headers_max: int = _setting(100, "Number of headers of a request.")
    request_head_seconds: int = _setting(15, "Time in which a client must send the headers of a request.", "seconds")
    keep_alive_seconds: int = _setting(75, "Time for which a connection is kept open between requests.", "seconds")
    request_stall_seconds: int = _setting(
        30, "Time after which a request body that arrives more slowly than transfer_min_rate is given up.", "seconds"
    )
    response_stall_seconds: int = _setting(
        60, "Time after which a client that reads more slowly than transfer_min_rate is given up.", "seconds"
    )
    transfer_min_rate: int = _setting(256, "Slowest body and slowest reader.", "bytes per second")
    links_shown_to: str = _setting(
        "publishers",
        "Who finds permalinks and embed codes on the page of a record: publishers (bas_chupub on its databox), all who "
        "may have the file, or none.",
    )
    terms_required_for_download: bool = _setting(
        False, "Whether people must accept the terms of use of a databox before they download from it."
    )
    download_max_mbytes: int = _setting(
        120, "Documents chosen together are sent at once up to this size; larger ones get a mailed link.", "megabytes"
    )
    download_link_hours: int = _setting(
        24, "Time for which a link to documents that somebody put together works, at most 168.", "hours"
    )
    feed_mails_max: int = _setting(5_000, "People whom one entry of a feed may be announced to by mail.")
    embed_frame_ancestors: str = _setting(
        "*", "Sites that may frame embedded documents, in the form of frame-ancestors (CSP)."
    )
    embed_start_field: str = _setting(
        "StartOfMessage", "Field with the second at which playback of a video or audio file starts."
    )
    embed_chapters_field: str = _setting("VideoTextTrackChapters", "Field with the chapters of a video as WebVTT.")
    redirect_to_base_url: bool = _setting(
        True,
        "Redirect pages that are read under another host name, over plain http and the same port, to base_url, where "
        "cookies and forms work.",
    )
    fast_paths: bool = _setting(
        True, "Use the optimized HTTP paths; without them the answers are the same, but cost more."
    )
    demo: bool = _setting(False, "Fill an empty instance with demonstration data.")

    def provider(self, provider_id: str) -> Provider | None:
        return next((provider for provider in self.sign_in_providers if provider.id == provider_id), None)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def origin(self) -> str:
        """Scheme, host and port of base_url, as browsers write an origin."""
        return origin_of(self.base_url)

    @property
    def has_host_name(self) -> bool:
        """False if base_url names its host by an IP address, where browsers refuse passkeys."""
        host = urlsplit(self.base_url).hostname or ""
        return not (host.replace(".", "").isdecimal() or ":" in host)

    @property
    def sender(self) -> str:
        """The sender of mails."""
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


@lru_cache
def origin_of(address: str) -> str:
    """The origin of an http address in the form of browsers: no default port, ASCII, the shortest IPv6 address (RFC
    6454 section 6.2)."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{ipaddress.IPv6Address(host).compressed}]"
    elif not host.isascii():
        host = host.encode("idna").decode()
    is_default = parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme))
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{parts.port}"


def load(
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
    *,
    otherwise: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> Settings:
    """Read the settings. In rising order of precedence: defaults, *otherwise* (a command's own defaults), the TOML
    *file*, the environment (`VITRINE_*`), *overrides*.

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
    """A fault for each setting that one source has under both its former and its present name."""
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
        return value  # `load` reads it, with the secrets that it points at
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
    else:
        try:
            origin_of(settings.base_url)
        except ValueError:
            faults.append("base_url must name a host that browsers can reach, and a port below 65536")
    if settings.timezone not in available_timezones():
        faults.append("timezone must be the name of a zone, such as Europe/Paris")
    if settings.deprecated_features not in ("refuse", "flagged", "allow"):
        faults.append("deprecated_features must be refuse, flagged or allow")
    if settings.forwarded_headers not in ("auto", "x-forwarded", "forwarded"):
        faults.append("forwarded_headers must be auto, x-forwarded or forwarded")
    if settings.links_shown_to not in ("publishers", "all", "none"):
        faults.append("links_shown_to must be publishers, all or none")
    faults.extend(_check_sign_up(settings))
    faults.extend(_check_inactive(settings))
    faults.extend(
        f"hot_folder_roots has {root}, which is not the absolute path of a folder, without . and .."
        for root in settings.hot_folder_roots
        if not root.startswith("/") or os.path.normpath(root) != root or root == "/"
    )
    faults.extend(
        f"{name} has {network}, which is neither an address nor a network"
        for name in ("trusted_proxies", "metrics_from")
        for network in getattr(settings, name)
        if not _is_network(network)
    )
    if settings.accel_prefix and not re.fullmatch(r"/[A-Za-z0-9_/-]+", settings.accel_prefix):
        faults.append("accel_prefix must be a path such as /_documents")
    if settings.accel_prefix and not settings.trusted_proxies:
        faults.append("accel_prefix needs trusted_proxies: it is used for their requests only")
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
        and getattr(settings, setting.name) < (0 if setting.name in _MAY_BE_ZERO else 1)
    )
    faults.extend(f"{name} must be at most {most}" for name, most in _AT_MOST.items() if getattr(settings, name) > most)
    return faults


def _check_inactive(settings: Settings) -> list[str]:
    if settings.account_inactive_days and settings.account_inactive_warning_days >= settings.account_inactive_days:
        return ["account_inactive_warning_days must be less than account_inactive_days"]
    return []


def _check_sign_up(settings: Settings) -> list[str]:
    faults = [
        f"sign_up_fields has {name}, which is no field of the form"
        for name in settings.sign_up_fields
        if name.removesuffix("*") not in SIGN_UP_FIELDS
    ]
    if settings.terms_url and not settings.terms_url.startswith(("https://", "http://", "/")):
        faults.append("terms_url must be an http address, or a path of this server")
    return faults


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return True
