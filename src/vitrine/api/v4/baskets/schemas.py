"""JSON schemas of baskets (components of the OpenAPI document)."""

from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_MOMENT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    object_of,
    page_of,
    sparse_object_of,
)
from vitrine.baskets.model import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    LONGEST_NOTE,
    MOST_ELEMENTS,
    MOST_PARTICIPANTS,
    MOST_RECIPIENTS,
)

_NOBODY: Schema = {"type": "null"}
BASKET: dict[str, Schema] = {
    "basket_id": NUMBER, "name": TEXT, "description": TEXT,
    "owner": named("BasketPerson"),
    "pusher": {"anyOf": [named("BasketPerson"), _NOBODY], "description": "who sent it to its owner"},
    "is_archived": FLAG,
    "is_unread": {"type": "boolean", "description": "until you mark it as read"},
    "can_modify": {"type": "boolean", "description": "you may add and remove elements"},
    "share_expires": {"type": ["string", "null"], "format": "date-time", "description": "when your share ends"},
    "has_vote": FLAG, "created": MOMENT, "updated": MOMENT,
    "elements": {"type": "integer", "description": "how many it has; not in lists"},
    "hidden": {"type": "integer", "description": "how many of them you may not see; not in lists"},
}  # fmt: skip
COUNTED = frozenset({"elements", "hidden"})
_AGREEMENT: Schema = {"type": ["boolean", "null"], "description": "yes or no; null while undecided"}
_CHOICE = {"person": named("BasketPerson"), "agreement": _AGREEMENT, "note": TEXT, "updated": MOMENT}
ELEMENT: dict[str, Schema] = {
    "element_id": NUMBER, "created": MOMENT, "record": named("Record"), "agreement": _AGREEMENT,
    "note": {"type": "string", "description": "your own, of the vote"},
    "choices": {"type": "array", "items": named("BasketChoice"), "description": "those that you may see"},
}  # fmt: skip
PARTICIPANT: dict[str, Schema] = {
    "user_id": NUMBER, "name": TEXT, "is_shared": FLAG, "can_modify": FLAG, "share_expires": PERHAPS_MOMENT,
    "with_originals": FLAG, "is_voter": FLAG,
}  # fmt: skip
_VOTER = {
    "user_id": NUMBER, "name": TEXT, "can_agree": FLAG, "can_see_others": FLAG,
    "confirmed": {"type": ["string", "null"], "format": "date-time", "description": "when they handed in"},
}  # fmt: skip
VOTE: dict[str, Schema] = {
    "initiator": named("BasketPerson"), "created": MOMENT, "expires": MOMENT,
    "closed": PERHAPS_MOMENT, "is_open": FLAG, "voters": list_of(named("BasketVoter")),
}  # fmt: skip
_KEY = full_object_of(databox_id=NUMBER, record_id=NUMBER)
COMPONENTS: dict[str, Schema] = {
    "BasketPerson": full_object_of(user_id=NUMBER, name=TEXT),
    "Basket": sparse_object_of("basket_id", **BASKET),
    "BasketPage": page_of(named("Basket")),
    "BasketMade": full_object_of(basket_id=NUMBER),
    "BasketElement": sparse_object_of("element_id", **ELEMENT),
    "BasketElementPage": page_of(named("BasketElement")),
    "BasketChoice": full_object_of(**_CHOICE),
    "BasketParticipantPage": page_of(full_object_of(**PARTICIPANT)),
    "BasketVote": full_object_of(**VOTE),
    "BasketVoter": full_object_of(**_VOTER),
    "OwnChoices": full_object_of(
        choices=list_of(full_object_of(element_id=NUMBER, agreement=_AGREEMENT, note=TEXT, updated=MOMENT))
    ),
}

# -- what is sent ------------------------------------------------------------------------------------------------------

_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}
_DESCRIPTION: Schema = {"type": "string", "maxLength": LONGEST_DESCRIPTION}
_NO_END: Schema = {"type": ["string", "null"], "format": "date-time", "description": "no end if it is missing"}
_ORIGINALS: Schema = {"type": "boolean", "description": "the original files, too, of which you may have them yourself"}
RECORDS: Schema = {"type": "array", "items": _KEY, "minItems": 1, "maxItems": MOST_ELEMENTS}
_WHO: dict[str, Schema] = {
    "login": {"type": "string", "description": "login or e-mail address; or user_id"},
    "user_id": NUMBER,
}
_VOTER_BODY = object_of(
    **_WHO,
    recipient_list_id={**NUMBER, "description": "everybody in this list of recipients"},
    can_agree=FLAG,
    can_see_others=FLAG,
    with_originals=_ORIGINALS,
)
VOTERS: Schema = {"type": "array", "items": _VOTER_BODY, "minItems": 1, "maxItems": MOST_PARTICIPANTS}
NEW_BASKET = {**object_of(name=_NAME, description=_DESCRIPTION), "required": ["name"]}
CHANGES = object_of(name=_NAME, description={**_DESCRIPTION, "type": ["string", "null"]}, is_archived=FLAG)
READ = object_of(is_read=FLAG)
NEW_ELEMENTS = {**object_of(records=RECORDS), "required": ["records"]}
ORDER = {
    **object_of(elements={"type": "array", "items": NUMBER, "minItems": 1, "maxItems": MOST_ELEMENTS}),
    "required": ["elements"],
}
_LIST_ID: Schema = {**NUMBER, "description": "a list of recipients: everybody in it"}
SHARE_WITH_LIST = {
    **object_of(recipient_list_id=_LIST_ID, can_modify=FLAG, expires=_NO_END, with_originals=_ORIGINALS),
    "required": ["recipient_list_id"],
}
SHARE = object_of(**_WHO, can_modify=FLAG, expires=_NO_END, with_originals=_ORIGINALS)
PUSH = {
    **object_of(
        records=RECORDS,
        people={"type": "array", "items": object_of(**_WHO), "maxItems": MOST_RECIPIENTS},
        recipient_lists={"type": "array", "items": NUMBER, "description": "lists of recipients: everybody in them too"},
        name=_NAME,
        description=_DESCRIPTION,
        message={"type": "string", "maxLength": LONGEST_NOTE},
        expires=_NO_END,
        with_originals=_ORIGINALS,
    ),
    "required": ["records", "name"],
}
PUSHED = full_object_of(
    people={"type": "array", "items": NUMBER, "description": "the ids of those whom you named and who got a basket"},
    through_lists={**NUMBER, "description": "how many others got one, through lists of recipients"},
    left_out={"type": "array", "items": _KEY, "description": "the records that you may not send"},
)
NEW_VOTE = {
    **object_of(
        voters=VOTERS,
        expires={
            "type": ["string", "null"],
            "format": "date-time",
            "description": "10 days if the server says no more",
        },
    ),
    "required": ["voters"],
}
MORE_VOTERS = {**object_of(voters=VOTERS), "required": ["voters"]}
VOTE_END = {**object_of(expires=MOMENT), "required": ["expires"]}
CHOICES = {
    **object_of(
        choices={
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_ELEMENTS,
            "items": {
                **object_of(
                    element_id=NUMBER,
                    agreement={"type": ["boolean", "null"], "description": "yes or no; missing: as it is"},
                    note={"type": "string", "maxLength": LONGEST_NOTE},
                ),
                "required": ["element_id"],
            },
        }
    ),
    "required": ["choices"],
}
