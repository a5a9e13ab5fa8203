"""The texts of account mail, and mails composed from them in the language of their reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from babel.dates import format_datetime

from vitrine.accounts.notices import NOTICES, STOP_PATH
from vitrine.accounts.revokers import CONFIRM, EMAIL, PASSWORD, RESET, TOKENS, UNLOCK
from vitrine.platform.mail import Email, Translate

LINK_LIFETIMES = {
    PASSWORD: timedelta(days=3), EMAIL: timedelta(days=1), TOKENS: timedelta(days=3), CONFIRM: timedelta(days=3),
    RESET: timedelta(days=3), UNLOCK: timedelta(days=3),
}  # fmt: skip
LINK_PATHS = {
    PASSWORD: "/login/renew-password/?token=",
    EMAIL: "/account/reset-email/?token=",
    TOKENS: "/login/developer-tokens/?token=",
    CONFIRM: "/login/confirm/?token=",
    "download": "/download/",
    "download-with-note": "/download/",
}

STOP = "This e-mail was sent to your account {login}. Stop e-mails of this kind here, without signing in:"

# Each paragraph is one message of the catalogue.
TEXTS: dict[str, tuple[str, tuple[str, ...]]] = {
    PASSWORD: (
        "Choose a new password for {site}",
        (
            "Somebody, probably you, asked for a new password for your account {login} at {site}.",
            "{link}",
            "The link works once, for three days. If you did not ask for it, do nothing: your password stays.",
        ),
    ),
    EMAIL: (
        "Confirm your e-mail address for {site}",
        (
            "The account {login} at {site} is to use this e-mail address from now on.",
            "{link}",
            "The link works once, for one day, while you are signed in. If this is not your account, do nothing.",
        ),
    ),
    "password-changed": (
        "Your password for {site} was changed",
        (
            "The password of your account {login} at {site} was changed just now. Every sign-in has ended.",
            "Passkeys, the authenticator app and connected sign-ins stay as they were, if you have any. Remove here what you do not recognise:",  # noqa: E501
            "{security}",
            "If it was not you, choose a new one at once:",
            "{forgotten}",
        ),
    ),
    TOKENS: (
        "Your password for {site} was changed",
        (
            "The password of your account {login} at {site} was changed just now. Every sign-in has ended.",
            "These developer tokens of yours still work:",
            "{lines}",
            "If you do not need them, or do not recognise one of them, end them all here. The link works once, for three days:",  # noqa: E501
            "{link}",
            "Passkeys, the authenticator app and connected sign-ins stay as they were, if you have any. Remove here what you do not recognise:",  # noqa: E501
            "{security}",
            "If it was not you, choose a new password at once:",
            "{forgotten}",
        ),
    ),
    "email-changed": (
        "Your e-mail address for {site} was changed",
        (
            "The account {login} at {site} now uses another e-mail address than this one.",
            "If it was not you, tell the people who run the library.",
        ),
    ),
    "identity-added": (
        "Another way to sign in to {site}",
        (
            "Signing in at {provider} now opens your account {login} at {site}.",
            "If it was not you, remove it on this page and choose a new password:",
            "{security}#connected",
        ),
    ),
    "passkey-added": (
        "Another way to sign in to {site}",
        (
            "A passkey was added to your account {login} at {site}. It opens the account without the password.",
            "If it was not you, remove it on this page and choose a new password:",
            "{security}#passkeys",
        ),
    ),
    "entry_published": (
        "New in {feed} at {site}: {title}",
        (
            "{author} has published something new in the feed {feed} at {site}:",
            "{title}",
            "Sign in to read it:",
            "{home}",
            STOP,
            "{stop}",
        ),
    ),
    **{
        kind: (
            f"{{site}}: {notice.sentence}",
            (notice.sentence, notice.advice, "Look at it here:", "{place}", STOP, "{stop}"),
        )
        for kind, notice in NOTICES.items()
    },
    CONFIRM: (
        "Confirm your account at {site}",
        (
            "The account {login} at {site} was made with this address, by you or by the people who run the library.",
            "{link}",
            "The link works once, for three days. If you do not want it, do nothing: the account is deleted then.",
        ),
    ),
    "account-exists": (
        "Your account at {site}",
        (
            "Somebody, probably you, asked for a new account at {site} with this e-mail address. There is one already: {login}.",  # noqa: E501
            "If you forgot the password, choose a new one here:",
            "{forgotten}",
        ),
    ),
    "account-closed": (
        "Your account at {site} was closed",
        (
            "The account {login} at {site} was closed. Nothing opens it any more.",
            "If it was not you, tell the people who run the library.",
        ),
    ),
    "account-unused": (
        "Your account at {site} will be suspended",
        (
            "Nobody has used your account {login} at {site} for a long time. It will be suspended on {when}.",
            "To keep it, sign in before:",
            "{home}",
        ),
    ),
    "registration-granted": (
        "You may now use {collection} at {site}",
        ("Your account {login} at {site} was given access to the collection {collection}.", "{home}"),
    ),
    "registration-rejected": (
        "Your request for {collection} at {site}",
        ("Your account {login} at {site} was not given access to the collection {collection}.",),
    ),
    "download": (
        "{sender} put documents together for you: {title}",
        (
            "{sender} put documents together for you at {site}: {title}",
            "{link}",
            "The link works until {when}.",
        ),
    ),
    "download-with-note": (
        "{sender} put documents together for you: {title}",
        (
            "{sender} put documents together for you at {site}: {title}",
            "{note}",
            "{link}",
            "The link works until {when}.",
        ),
    ),
    "grant": (
        "{application} may now use {site} in your name",
        (
            "The application {application} ({website}) was allowed to use {site} with your account {login}, on {when} from {address}.",  # noqa: E501
            "It may:",
            "{lines}",
            "If it was not you, or if you no longer want it, take the permission back here:",
            "{applications}#application-{application_id}",
            "You can stop these e-mails on the same page.",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class MailComposer:
    site: str
    base_url: str
    zone: tzinfo = UTC

    def compose(
        self,
        text_name: str,
        translate: Translate,
        language: str,
        to: str,
        login: str,
        secret: str = "",
        values: Mapping[str, Any] | None = None,
        stop_token: str = "",
    ) -> Email:
        """The mail in the language of its reader; *values* as in `AccountMail.send`. *stop_token* is that of the link
        which stops mails of its kind (`notices`)."""
        _, paragraphs = TEXTS[text_name]
        stop = f"{self.base_url}{STOP_PATH}{stop_token}" if stop_token else ""
        named_values = dict(values or {})
        if "at" in named_values:
            at = datetime.fromtimestamp(named_values.pop("at"), UTC).astimezone(self.zone)
            named_values["when"] = format_datetime(at, "long", locale=language or "en")
        if "lines" in named_values:
            named_values["lines"] = "\n".join(f"- {translate(language, line)}" for line in named_values["lines"])
        known = {
            **named_values,
            "site": self.site,
            "login": login,
            "link": f"{self.base_url}{LINK_PATHS.get(text_name, '')}{secret}",
            "home": f"{self.base_url}/",
            "place": f"{self.base_url}{NOTICES[text_name].place if text_name in NOTICES else '/'}",
            "stop": stop,
            "forgotten": f"{self.base_url}/login/forgot-password/",
            "security": f"{self.base_url}/account/security/",
            "applications": f"{self.base_url}/account/security/applications/",
        }
        text = "\n\n".join(translate(language, paragraph).format(**known) for paragraph in paragraphs)
        return Email(to, self._subject(text_name, translate, language).format(**known), text + "\n", stop)

    @staticmethod
    def _subject(text_name: str, translate: Translate, language: str) -> str:
        notice = NOTICES.get(text_name)
        if notice is None:
            return translate(language, TEXTS[text_name][0])
        return "{site}: " + translate(language, notice.sentence)
