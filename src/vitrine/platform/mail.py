"""Outgoing mail: over SMTP, or as files in an outbox if no mail server is set.

Mail is always sent by a job, never by a request: a mail server may be slow or down.
"""

import os
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, make_msgid
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from vitrine.errors import Invalid, Unavailable

TIMEOUT_S = 20
_STOP = "List-Unsubscribe"  # RFC 2369 section 3.2
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _WholeAddresses(EmailPolicy):
    """Writes `List-Unsubscribe` in one line: folded, a long address would be encoded, and no longer be one."""

    def fold(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}" if name == _STOP else super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode() if name == _STOP else super().fold_binary(name, value)


_POLICY = _WholeAddresses(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class Email:
    """A plain-text mail to one person. *to* was checked on input; line breaks in it or in *subject* are refused. *stop*
    is the address that ends mails of its kind by one POST (RFC 8058)."""

    to: str
    subject: str
    text: str
    stop: str = ""

    def message(self, sender: str) -> EmailMessage:
        if any(character in self.to + self.subject for character in "\r\n"):
            raise Invalid("An address or a subject must be a single line.", field="email")
        message = EmailMessage(policy=_POLICY)
        message["From"], message["To"], message["Subject"] = sender, self.to, self.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">") or "localhost")
        message["Auto-Submitted"] = "auto-generated"  # so that vacation responders do not reply (RFC 3834)
        if self.stop:
            message[_STOP] = f"<{self.stop}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(self.text)
        return message


class Transport(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Raises Unavailable if sending should be retried, Invalid if it can never succeed."""
        ...


@dataclass(frozen=True, slots=True)
class Outbox:
    """Writes each mail to a file `*.eml` that other users cannot read: it may hold a link that opens an account."""

    folder: Path

    def send(self, message: EmailMessage) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{token_hex(4)}.eml"
        temporary = self.folder / f".{name}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(message.as_bytes())
            temporary.replace(self.folder / name)
        except OSError as failure:
            raise Unavailable("The mail could not be written.", why=f"{failure.errno}") from failure
        finally:
            temporary.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Smtp:
    host: str
    port: int
    user: str
    password: str
    security: str  # "tls" from the first byte, "starttls", or "" for a server on this machine

    def send(self, message: EmailMessage) -> None:
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as failure:
            raise _refusal(failure) from None
        except (OSError, smtplib.SMTPException) as failure:
            # The text may contain what was sent, so only the type is reported.
            raise Unavailable("The mail server does not accept mail now.", why=type(failure).__name__) from None

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        if self.security == "starttls":
            server.starttls(context=context)
        return server


def _refusal(failure: smtplib.SMTPRecipientsRefused | smtplib.SMTPSenderRefused) -> Exception:
    """A 5xx reply is permanent, a 4xx reply is transient (RFC 5321 section 4.2.1)."""
    codes = (
        [code for code, _ in failure.recipients.values()]
        if isinstance(failure, smtplib.SMTPRecipientsRefused)
        else [failure.smtp_code]
    )
    why = f"{type(failure).__name__} {codes}"
    if all(code >= 500 for code in codes):
        return Invalid("The mail server refuses this address.", why=why)
    return Unavailable("The mail server does not accept this mail now.", why=why)


def transport_of(url: str, outbox: Path) -> Transport:
    """`smtp://user:password@host:587?starttls`, `smtps://…`, or an outbox for "". Raises Invalid."""
    if not url:
        return Outbox(outbox)
    parts = urlsplit(url)
    try:
        port, is_number = parts.port, True
    except ValueError:
        port, is_number = None, False
    if (
        not is_number
        or parts.scheme not in ("smtp", "smtps")
        or not parts.hostname
        or parts.query not in ("", "starttls")
    ):
        raise Invalid("smtp_url must be smtp://user:password@host:587?starttls or smtps://…", field="smtp_url")
    security = "tls" if parts.scheme == "smtps" else parts.query
    if parts.username and not security and parts.hostname not in LOOPBACK:
        raise Invalid("smtp_url sends a password in clear: add ?starttls or use smtps://.", field="smtp_url")
    return Smtp(
        parts.hostname,
        port or (465 if security == "tls" else 587 if security else 25),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        security,
    )


Translate = Callable[[str, str], str]  # (language, message in English) -> the message in that language
