"""The children of stories, in order."""

import sqlalchemy as sa
from alembic import op

from vitrine.platform.tables import Id

revision = "b41e7c92d0a6"
down_revision = "b1d7e604c952"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "story_children",
        sa.Column("story_id", Id, autoincrement=False, nullable=False),
        sa.Column("child_id", Id, autoincrement=False, nullable=False),
        sa.Column(
            "position", sa.BigInteger(), nullable=False, comment="children are in the order of (position, child_id)"
        ),
        sa.Column(
            "thumbnail_source", sa.String(64), nullable=True, comment="of the cover: its file that the story shows"
        ),
        sa.Column("preview_source", sa.String(64), nullable=True, comment="the same for the larger picture"),
        sa.ForeignKeyConstraint(
            ["story_id"], ["records.id"], name="fk_story_children_story_id_records", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["records.id"], name="fk_story_children_child_id_records", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("story_id", "child_id", name="pk_story_children"),
    )
    op.create_index("ix_story_children_child_id", "story_children", ["child_id"])
    op.create_index("ix_story_children_place", "story_children", ["story_id", "position", "child_id"])
