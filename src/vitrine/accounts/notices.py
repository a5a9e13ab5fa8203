"""Mails about notifications: their texts by kind, and the link by which a person stops those of a kind.

The link needs no sign-in, since it can do nothing else: it names person and kind, signed with a key of its own, and
works as long as the account exists.
"""

from typing import NamedTuple

from vitrine.accounts.model import UserId
from vitrine.platform.crypto import Vault, base64url, from_base64url, same, signature

STOP_PATH = "/mails/stop/?token="
_PURPOSE = "stopping mails"


class Notice(NamedTuple):
    """The mail of one kind. It names nothing that its reader may not see any more when they read it; *place* is the
    path of the page that it leads to."""

    sentence: str
    advice: str
    place: str = "/"


# Each sentence is a message of the catalogue.
NOTICES: dict[str, Notice] = {
    "registration_requested": Notice(
        "Somebody asks for access to a collection whose users you manage.", "Accept the request or refuse it."
    ),
    "user_registered": Notice(
        "Somebody was given access to a collection whose users you manage, by its rules.",
        "You need not do anything, unless it should not be so.",
    ),
    "push_received": Notice(
        "Somebody sent you documents.", "They are in a basket of your own, which you may change or delete."
    ),
    "basket_shared": Notice(
        "Somebody shares a basket with you.", "You find it among your baskets until its owner ends the share."
    ),
    "vote_requested": Notice(
        "Somebody asks for your vote.", "Say yes or no to the documents of the basket, then hand in your choices."
    ),
    "vote_reminder": Notice(
        "A vote that waits for you ends soon.", "Hand in your choices before: afterwards nobody can vote any more."
    ),
    "vote_done": Notice("Somebody has handed in their vote.", "You find the choices in your basket."),
    "order_received": Notice("An order waits for your decision.", "Accept or refuse what it asks for."),
    "order_delivered": Notice("Your order was delivered.", "You find the documents in a basket of your own."),
    "order_refused": Notice("Your order was refused.", "Ask the people who run the library if you need to know why."),
    "file_quarantined": Notice(
        "A file waits in quarantine.",
        "Decide whether it becomes a record, replaces the file of one, or is deleted. There may be more of them.",
        "/library/quarantine/",
    ),
    "export_failed": Notice("An export could not be sent.", "Prepare it again; if it fails again, choose fewer files."),
    "subtitles_done": Notice("Subtitles are ready.", "You find them in the record of the video."),
}
# Kinds of which the mail names more.
KINDS = frozenset({*NOTICES, "entry_published"})


def stop_token(vault: Vault, user_id: UserId, kind: str) -> str:
    named = f"{user_id}.{kind}".encode()
    return f"{base64url(named)}.{base64url(signature(vault.derive(_PURPOSE), named))}"


def stopped_by(vault: Vault, token: str) -> tuple[UserId, str] | None:
    """Whose mails of which kind the token stops; None for one that we did not make."""
    try:
        named, proof = (from_base64url(part) for part in token[:200].split("."))
        if not same(proof, signature(vault.derive(_PURPOSE), named)):
            return None
        number, _, kind = named.decode().partition(".")
    except ValueError:
        return None
    return UserId(int(number)), kind
