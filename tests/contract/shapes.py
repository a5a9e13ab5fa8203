"""The objects of contract 02 section 5 as types: exact keys, and for each value what a client may find there.

A shape is a type, a compiled pattern, a set of values, None, a mapping (an object with exactly these keys), a list of
one shape (a list of such values), or a tuple (one of several).
"""

import re
from typing import Any

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ADDRESS = re.compile(r"http://dam\.test/\S+")
TEXT, NUMBER, FLAG = str, int, bool
TEXT_OR_NULL = (str, None)
LABEL4 = {"fr": str, "en": str, "de": str, "nl": str}
FACTS = frozenset(
    [
        "Width",
        "Height",
        "ColorSpace",
        "Channels",
        "Orientation",
        "ThumbnailOrientation",
        "ColorDepth",
        "Duration",
        "AudioCodec",
        "AudioSamplerate",
        "VideoCodec",
        "FrameRate",
        "MimeType",
        "FileSize",
        "Longitude",
        "LongitudeRef",
        "Latitude",
        "LatitudeRef",
        "FocalLength",
        "CameraModel",
        "FlashFired",
        "Aperture",
        "ShutterSpeed",
        "HyperfocalDistance",
        "ISO",
        "LightValue",
    ]
)

META = {
    "api_version": {"2.0.0"}, "request": re.compile(r"[A-Z]+ /\S*"), "response_time": DATE, "http_code": int,
    "error_type": TEXT_OR_NULL, "error_message": TEXT_OR_NULL, "error_details": TEXT_OR_NULL, "charset": {"UTF-8"},
}  # fmt: skip
ENVELOPE = {"meta": META, "response": dict}
PERMALINK = {
    "created_on": DATE, "updated_on": DATE, "id": int, "is_activated": bool, "label": str,
    "page_url": re.compile(r"http://dam\.test/permalink/v1/\d+/\d+/\w+/\?token=[0-9a-zA-Z]+"),
    "url": re.compile(r"http://dam\.test/permalink/v1/\d+/\d+/\w+/[^/?]+\?token=[0-9a-zA-Z]+"),
    "download_url": re.compile(r"http://dam\.test/permalink/v1/\d+/\d+/\w+/[^/?]+\?token=[0-9a-zA-Z]+&download=1"),
}  # fmt: skip
SUBDEF = {
    "name": str, "permalink": (PERMALINK, None), "height": int, "width": int, "filesize": int, "devices": [str],
    "player_type": {"IMAGE", "VIDEO_MP4", "VIDEO_FLV", "AUDIO_MP3", "PDF", "FLEXPAPER", "UNKNOWN"},
    "mime_type": str, "substituted": bool, "created_on": DATE, "updated_on": DATE,
    "url": re.compile(r"http://dam\.test/medias/[\w-]+\.[\w-]+\.[\w-]+"), "url_ttl": int,
}  # fmt: skip
TECHNICAL = {"name": FACTS, "value": (int, float, str)}
CAPTION = {"meta_structure_id": int, "name": str, "value": str}
METADATA = {"meta_structure_id": int, "name": str, "labels": LABEL4, "meta_id": int, "value": str}
STATUS = {"bit": int, "state": bool}
RECORD = {
    "databox_id": int, "record_id": int, "resource_id": re.compile(r"\w+_\d+_\d+"), "mime_type": TEXT_OR_NULL,
    "title": str, "original_name": TEXT_OR_NULL, "updated_on": DATE, "created_on": DATE, "collection_id": int,
    "base_id": int, "sha256": (re.compile(r"[0-9a-f]{64}"), None), "thumbnail": (SUBDEF, None),
    "technical_informations": [TECHNICAL],
    "phrasea_type": {"image", "video", "audio", "document", "flash", "unknown"}, "uuid": UUID,
}  # fmt: skip
EXTENDED = {**RECORD, "subdefs": [SUBDEF], "metadata": [METADATA], "status": [STATUS], "caption": [CAPTION]}
DUBLIN_CORE = (
    "contributor", "coverage", "creator", "date", "description", "format", "identifier", "language", "publisher",
    "relation", "rights", "source", "subject", "title", "type",
)  # fmt: skip
STORY = {
    "@entity@": {"http://api.phraseanet.com/api/objects/story"}, "databox_id": int, "story_id": int,
    "resource_id": re.compile(r"\w+_\d+_\d+"), "cover_record_id": (int, None), "updated_on": DATE, "created_on": DATE,
    "collection_id": int, "base_id": int, "thumbnail": (SUBDEF, None), "uuid": UUID,
    "metadatas": {
        "@entity@": {"http://api.phraseanet.com/api/objects/story-metadata-bag"},
        **{f"dc:{element}": TEXT_OR_NULL for element in DUBLIN_CORE},
    },
}  # fmt: skip
WHOLE_STORY = {**STORY, "records": [RECORD]}
FOUND_STORY = {**STORY, "record_count": int, "records": [RECORD]}
DATABOX = {"databox_id": int, "name": str, "viewname": str, "labels": LABEL4, "version": str}
COLLECTION = {
    "base_id": int, "databox_id": int, "collection_id": int, "name": str, "labels": LABEL4, "record_amount": int,
    "order_managers": [TEXT_OR_NULL],
}  # fmt: skip
STATUS_DEFINITION = {
    "bit": int, "label_on": str, "label_off": str, "labels": LABEL4, "img_on": TEXT_OR_NULL, "img_off": TEXT_OR_NULL,
    "searchable": bool, "printable": bool,
}  # fmt: skip
FIELD = {
    "id": int, "namespace": str, "source": str, "tagname": str, "name": str, "labels": LABEL4, "separator": str,
    "thesaurus_branch": str, "generate_cterms": bool, "gui_editable": bool, "gui_visible": bool, "printable": bool,
    "input_disable": bool, "type": {"string", "number", "date"}, "indexable": bool, "multivalue": bool,
    "readonly": bool, "required": bool,
}  # fmt: skip
META_FIELD = {
    "name": str, "id": int, "databox_id": int, "multivalue": bool, "indexable": bool, "readonly": bool,
    "business": bool, "source": str, "labels": LABEL4,
}  # fmt: skip
USER = {
    "@entity@": {"http://api.phraseanet.com/api/objects/user"}, "id": int, "email": TEXT_OR_NULL,
    "login": TEXT_OR_NULL, "first_name": TEXT_OR_NULL, "last_name": TEXT_OR_NULL, "display_name": TEXT_OR_NULL,
    "gender": {"Mr", "Mrs", "Miss"}, "address": TEXT_OR_NULL, "zip_code": TEXT_OR_NULL, "city": TEXT_OR_NULL,
    "country": TEXT_OR_NULL, "phone": TEXT_OR_NULL, "fax": TEXT_OR_NULL, "job": TEXT_OR_NULL,
    "position": TEXT_OR_NULL, "company": TEXT_OR_NULL, "geoname_id": (int, None), "last_connection": (DATE, None),
    "created_on": (DATE, None), "updated_on": (DATE, None), "locale": TEXT_OR_NULL,
}  # fmt: skip
RESTRICTION = {
    "position": int, "labels": {"on": (dict, None), "off": (dict, None)}, "restricted": bool, "restriction_flag": bool,
}  # fmt: skip
GRANT = {"databox_id": int, "base_id": int, "collection_id": int, "rights": [str], "statuses": [RESTRICTION]}
MY_COLLECTION = {**GRANT, "name": str, "logo": str, "labels": LABEL4}
RECIPE = {
    "name": str, "databox_id": int, "class": {"thumbnail", "preview", "document"}, "preset": TEXT_OR_NULL,
    "downloadable": bool, "devices": [str], "labels": LABEL4, "options": (dict, list),
}  # fmt: skip
QUARANTINE_ITEM = {
    "id": int,
    "quarantine_session": {"id": int, "usr_id": (int, None), "user": (USER, None)},
    "base_id": int, "original_name": str, "collection": str, "sha256": str, "uuid": str, "forced": bool,
    "checks": (dict, list), "created_on": DATE, "updated_on": DATE,
    "records_match": [{"record_id": int, "collection": str, "checks": dict}],
}  # fmt: skip
BASKET = {
    "basket_id": int, "owner": USER, "created_on": DATE, "description": str, "name": str, "pusher_usr_id": (int, None),
    "pusher": (USER, None), "updated_on": DATE, "unread": bool, "validation_basket": bool,
}  # fmt: skip
PARTICIPANT = {
    "usr_id": int, "usr_name": str, "confirmed": bool, "can_agree": bool, "can_see_others": bool, "readonly": bool,
    "user": USER,
}  # fmt: skip
VOTE_BASKET = {
    **BASKET, "validation_users": [PARTICIPANT], "expires_on": (DATE, None), "validation_infos": str,
    "validation_confirmed": bool, "validation_initiator": bool, "validation_initiator_user": USER,
}  # fmt: skip
BASKET_ELEMENT = {"basket_element_id": int, "order": int, "record": RECORD, "validation_item": bool}
VOTE_ELEMENT = {
    **BASKET_ELEMENT, "agreement": (bool, None), "note": str,
    "validation_choices": [
        {"validation_user": PARTICIPANT, "agreement": (bool, None), "updated_on": DATE, "note": str}
    ],
}  # fmt: skip
FEED = {
    "id": int, "title": str, "subtitle": TEXT_OR_NULL, "total_entries": int, "icon": bool, "public": bool,
    "readonly": bool, "deletable": bool, "created_on": DATE, "updated_on": DATE,
}  # fmt: skip
ENTRY = {
    "id": int, "author_email": str, "author_name": str, "created_on": DATE, "updated_on": DATE, "title": str,
    "subtitle": str, "items": [{"item_id": int, "record": RECORD}], "feed_id": int, "feed_title": str,
    "feed_url": re.compile(r"/feeds/\d+/content/"), "url": re.compile(r"/feeds/entry/\d+/"),
}  # fmt: skip
TASK = {
    "id": int, "title": str, "name": str, "state": {"started", "stopped"}, "status": {"started", "stopped"},
    "actual-status": str, "process-id": (int, None), "pid": (int, None), "jobId": str, "period": int,
    "last_exec_time": (DATE, None), "last_execution": (DATE, None), "updated": (DATE, None), "created": (DATE, None),
    "auto_start": bool, "crashed": int,
}  # fmt: skip
FACET = {
    "name": str, "field": str,
    "values": [{"value": (str, int, float, bool), "raw_value": (str, int, float, bool), "count": int, "query": str}],
}  # fmt: skip
SEARCH = {
    "offset_start": int, "per_page": int, "available_results": int, "total_results": int, "error": {""},
    "warning": {""}, "query_time": (int, float), "search_indexes": str,
    "suggestions": [{"suggestion": (str, int, float, bool), "query": str, "hits": int}],
    "facets": [FACET], "query": str, "results": (dict, list),
}  # fmt: skip


def faults(shape: Any, value: Any, at: str = "") -> list[str]:
    """The places where *value* does not match *shape*; empty if it matches."""
    if isinstance(shape, tuple):
        every = [faults(alternative, value, at) for alternative in shape]
        return [] if [] in every else min(every, key=len)
    if isinstance(shape, dict):
        return _of_object(shape, value, at)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{at}: {value!r} is not a list"]
        return [fault for place, item in enumerate(value) for fault in faults(shape[0], item, f"{at}[{place}]")]
    if isinstance(shape, re.Pattern):
        fits = isinstance(value, str) and shape.fullmatch(value) is not None
    elif isinstance(shape, set | frozenset):
        fits = value in shape
    elif shape is None:
        fits = value is None
    else:
        fits = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    return [] if fits else [f"{at}: {value!r} is not {getattr(shape, 'pattern', shape)}"]


def _of_object(shape: dict[str, Any], value: Any, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is not an object"]
    faults_found = [f"{at}.{name} is missing" for name in shape if name not in value]
    faults_found += [f"{at}.{name} is not in the contract" for name in value if name not in shape]
    return faults_found + [
        fault
        for name, value_shape in shape.items()
        if name in value
        for fault in faults(value_shape, value[name], f"{at}.{name}")
    ]
