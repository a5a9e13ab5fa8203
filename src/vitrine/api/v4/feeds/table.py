"""The operations of feeds."""

from vitrine.accounts.model import ADMINISTRATION
from vitrine.api.v4.feeds import entries, registry
from vitrine.api.v4.feeds.schemas import ENTRY_CHANGES, FEED_CHANGES, NEW_ENTRY, NEW_FEED, NEW_PUBLISHER
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import named

FEED = "/feeds/{feed_id:int}"
ENTRY = FEED + "/entries/{entry_id:int}"
_RECORDS = [{"databox_id": 1, "record_id": 1}]
_PICTURE = {"type": "string", "format": "binary", "description": "a PNG or JPEG file of at most 2 MB"}
ROUTES = (
    V4Route("/feeds", "GET", registry.all_feeds, "Feeds that you read, publish in or administer", "feeds",
            named("FeedPage"), is_list=True, chooses=True),
    V4Route("/feeds", "POST", registry.add, "Add a feed", ADMINISTRATION, named("Feed"), NEW_FEED, 201,
            permit=registry.permit_adding, example={"title": "Press", "subtitle": "For newspapers", "public": True}),
    V4Route(FEED, "GET", registry.show, "One feed", "feeds", named("Feed"), chooses=True),
    V4Route(FEED, "PATCH", registry.edit, "Change a feed; who reads it is up to administrators", "feeds",
            named("Feed"), FEED_CHANGES, guard="required", permit=registry.permit_managing,
            example={"subtitle": "For journalists"}),
    V4Route(FEED, "DELETE", registry.remove, "Delete a feed with its entries", "feeds", status=204, guard="accepted"),
    V4Route(FEED + "/icon", "PUT", registry.set_icon, "Give a feed a picture", "feeds", None, _PICTURE, 204,
            permit=registry.permit_managing, media_type="image/*"),
    V4Route(FEED + "/icon", "DELETE", registry.remove_icon, "Take a feed's picture away", "feeds", status=204),
    V4Route(FEED + "/publishers", "GET", registry.publishers, "Who publishes in a feed", "feeds",
            named("FeedPublisherPage"), is_list=True),
    V4Route(FEED + "/publishers", "POST", registry.add_publisher, "Let a person publish in a feed", "feeds",
            named("FeedPublisher"), NEW_PUBLISHER, 201, permit=registry.permit_managing, example={"login": "ada"}),
    V4Route(FEED + "/publishers/{user_id:int}", "DELETE", registry.remove_publisher,
            "A person publishes in a feed no longer", "feeds", status=204),
    V4Route(FEED + "/entries", "GET", entries.of_feed, "Entries of a feed, the newest first", "feeds",
            named("FeedEntryPage"), is_list=True, chooses=True),
    V4Route(FEED + "/entries", "POST", entries.publish, "Publish records in a feed", "feeds", named("NewEntry"),
            NEW_ENTRY, 201, permit=entries.permit_publishing,
            example={"title": "Boats", "records": _RECORDS, "notify": False}),
    V4Route(ENTRY, "GET", entries.show, "One entry with its records", "feeds", named("FeedEntry"), chooses=True),
    V4Route(ENTRY, "PATCH", entries.edit, "Change your entry of a feed", "feeds", named("NewEntry"), ENTRY_CHANGES,
            guard="required", permit=entries.permit_editing, example={"title": "Ships", "records": _RECORDS}),
    V4Route(ENTRY, "DELETE", entries.remove, "Delete an entry of a feed", "feeds", status=204, guard="accepted"),
    V4Route(FEED + "/address", "POST", registry.renew_address,
            "A new secret address of a feed for your feed reader; the one before ends", "feeds", named("FeedAddress"),
            status=201),
    V4Route(FEED + "/address", "DELETE", registry.end_address, "End your address of a feed", "feeds", status=204),
    V4Route("/feeds/address", "POST", registry.renew_address_of_all,
            "A new secret address of all your feeds for your feed reader; the one before ends", "feeds",
            named("FeedAddress"), status=201),
    V4Route("/feeds/address", "DELETE", registry.end_address_of_all, "End your address of all your feeds", "feeds",
            status=204),
)  # fmt: skip
