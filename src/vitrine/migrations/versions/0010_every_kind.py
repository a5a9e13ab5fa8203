"""Documents of every kind: their words, and the recipes of 04 section 8 in databoxes that have the first ones."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.schema import Json
from vitrine.platform.tables import Id

revision = "0010"
down_revision = "0020"
branch_labels = None
depends_on = None

_PREVIEW = {"fr": "Aperçu", "en": "Preview", "de": "", "nl": ""}
_THUMBNAIL = {"fr": "Vignette", "en": "Thumbnail", "de": "", "nl": ""}
_MOVING = {"fr": "Vignette animée", "en": "Moving thumbnail", "de": "", "nl": ""}
_FILM = {"size": 748, "bitrate": 1000, "GOPsize": 50, "fps": 25, "audiobitrate": 128}


def _image(size: int) -> dict[str, object]:
    return {"size": size, "resolution": 72, "strip": True, "flatten": True, "quality": 80, "icodec": "jpeg"}


def _mp3(kbps: int, rate: int) -> dict[str, object]:
    return {"audiobitrate": kbps, "audiosamplerate": rate, "acodec": "libmp3lame", "audiochannel": "stereo"}


# group, name, class, media type, device, labels, options
NEW: tuple[tuple[str, str, str, str, str, dict[str, str], dict[str, object]], ...] = (
    ("video", "thumbnailgif", "thumbnail", "gif", "screen", _MOVING, {**_image(250), "delay": 150}),
    ("video", "preview_webm", "preview", "video", "screen", _PREVIEW,
     {**_FILM, "vcodec": "libvpx", "acodec": "libopus"}),
    ("audio", "thumbnail", "thumbnail", "image", "screen", _THUMBNAIL, _image(384)),
    ("audio", "preview", "preview", "audio", "screen", _PREVIEW, _mp3(128, 48_000)),
    ("audio", "preview_mobile", "preview", "audio", "handheld", _PREVIEW, _mp3(64, 44_100)),
    ("document", "thumbnail", "thumbnail", "image", "screen", _THUMBNAIL, _image(380)),
    ("document", "preview", "preview", "pdf", "screen", _PREVIEW, {}),
)  # fmt: skip

_recipes = sa.table(
    "recipes",
    *(sa.column(one) for one in ("databox_id", "group", "name", "klass", "mediatype", "position")),
    *(sa.column(one, Json()) for one in ("devices", "labels", "options")),
)
_databoxes = sa.table("databoxes", sa.column("id"))
_fields = sa.table("fields", sa.column("id"), sa.column("name"), sa.column("fallbacks", Json()))
_stamps = sa.table("stamps", sa.column("name"), sa.column("value"))
# Field of the first template -> (the tags it had besides its source, the ones it has now).
FALLBACKS: dict[str, tuple[list[str], list[str]]] = {
    "Title": (["IPTC:ObjectName", "QuickTime:Title", "PNG:Title"],
              ["PDF:Title", "Office:Title", "ID3:Title", "Vorbis:Title", "Matroska:Title", "RIFF:Title", "SVG:Title"]),
    "Caption": (["IPTC:Caption-Abstract", "IFD0:ImageDescription", "QuickTime:Description", "PNG:Description"],
                ["PDF:Subject", "Office:Description", "Office:Subject", "Vorbis:Description", "Matroska:Description",
                 "RIFF:Comment", "ID3:Comment", "SVG:Desc"]),
    "Keywords": (["IPTC:Keywords", "QuickTime:Keyword"],
                 ["PDF:Keywords", "Office:Keywords", "Matroska:Keyword", "RIFF:Keyword"]),
    "Author": (["IPTC:By-line", "IFD0:Artist", "QuickTime:Artist", "PNG:Author"],
               ["PDF:Author", "Office:Creator", "ID3:Artist", "Vorbis:Artist", "Matroska:Artist", "RIFF:Artist"]),
    "Date": (["IPTC:DateCreated", "ExifIFD:DateTimeOriginal", "QuickTime:ContentCreateDate"],
             ["QuickTime:CreateDate", "PDF:CreateDate", "Office:CreateDate", "ID3:Date", "Vorbis:Date",
              "Matroska:Date", "RIFF:Date"]),
    "Rights": (["IPTC:CopyrightNotice", "IFD0:Copyright", "QuickTime:Copyright", "PNG:Copyright"],
               ["ID3:Copyright", "Vorbis:Copyright", "Matroska:Copyright", "RIFF:Copyright"]),
}  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "document_texts",
        sa.Column("record_id", Id, nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True, comment="of the original, where it has any"),
        sa.Column(
            "text",
            sa.Text(),
            nullable=False,
            comment="the words in the file, at most 200,000 characters, for the search",
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["records.id"], name=op.f("fk_document_texts_record_id_records"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_document_texts")),
        comment="apart from records, so that no list of records carries it",
    )
    here = op.get_bind()
    for databox in list(here.scalars(sa.select(_databoxes.c.id))):
        _complete(here, databox)
    for row in here.execute(sa.select(_fields)).all():
        old, more = FALLBACKS.get(row.name, ([], []))
        # A list that somebody changed is theirs and stays.
        if old and list(row.fallbacks) == old:
            here.execute(_fields.update().where(_fields.c.id == row.id).values(fallbacks=[*old, *more]))
    here.execute(_stamps.update().where(_stamps.c.name == "structure").values(value=_stamps.c.value + 1))


def _complete(here: sa.Connection, databox: int) -> None:
    query = sa.select(_recipes.c.group, _recipes.c.name, _recipes.c.position).where(_recipes.c.databox_id == databox)
    known = here.execute(query).all()
    names = {(row.group, row.name) for row in known}
    place = max((row.position for row in known), default=-1) + 1
    for group, name, klass, mediatype, device, labels, options in NEW:
        if (group, name) in names:
            continue
        values = {"group": group, "name": name, "klass": klass, "mediatype": mediatype, "position": place}
        values |= {"databox_id": databox, "devices": [device], "labels": labels, "options": options}
        here.execute(_recipes.insert().values(values))
        place += 1


def downgrade() -> None:
    op.drop_table("document_texts")
