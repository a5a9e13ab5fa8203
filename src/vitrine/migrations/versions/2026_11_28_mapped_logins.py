"""The form of logins in which they are compared (RFC 8265); logins that share it stay apart by their older form."""

import sqlalchemy as sa
from alembic import op

from vitrine.accounts.precis import mapped_login

revision = "e80b15c6d3f9"
down_revision = "c41d7a90e5b2"
branch_labels = None
depends_on = None

_BATCH = 1000


def upgrade() -> None:
    comment = "UsernameCaseMapped (RFC 8265); twins of before these rules share it"
    column: sa.Column[str] = sa.Column("login_mapped", sa.Text(), nullable=False, server_default="", comment=comment)
    op.add_column("users", column)
    users = sa.table(
        "users", sa.column("id", sa.Integer), sa.column("login", sa.Text), sa.column("login_mapped", sa.Text)
    )
    db, last = op.get_bind(), 0
    change = users.update().where(users.c.id == sa.bindparam("user")).values(login_mapped=sa.bindparam("mapped"))
    while rows := db.execute(
        sa.select(users.c.id, users.c.login).where(users.c.id > last).order_by(users.c.id).limit(_BATCH)
    ).all():
        db.execute(change, [{"user": user_id, "mapped": mapped_login(login)} for user_id, login in rows])
        last = rows[-1][0]
    op.create_index("ix_users_login_mapped", "users", ["login_mapped"])
