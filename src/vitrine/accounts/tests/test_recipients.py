"""To whom a mail about a collection goes."""

import pytest

from vitrine.accounts import COMMAND, CollectionGrant, Right, User, recipients
from vitrine.accounts.rights import READER
from vitrine.testing.server import Server

pytestmark = pytest.mark.both_databases


def test_readers_through_groups_are_told_each_once(server: Server) -> None:
    base, groups = server.archive, server.services.accounts.groups

    def person(login: str, rights: Right | None) -> User:
        return server.user(login, rights and {base.id: rights}, email=f"{login}@museum.example")

    suspended = person("suspended", READER & ~Right.actif)
    own, both, member = person("own", READER), person("both", READER), person("member", None)
    outside = person("outside", None)
    with server.services.database.write() as work:
        for number in range(2):
            group = groups.add(work, COMMAND, f"Readers {number}")
            groups.set_rights(work, COMMAND, group.id, CollectionGrant(base.id, base.databox_id, READER))
            for user in (both, member, suspended):
                groups.join(work, COMMAND, group.id, user)
        elsewhere = groups.add(work, COMMAND, "Elsewhere")
        other = CollectionGrant(server.photographs.id, base.databox_id, READER)
        groups.set_rights(work, COMMAND, elsewhere.id, other)
        groups.join(work, COMMAND, elsewhere.id, outside)
    with server.services.database.read() as work:
        first = recipients.after(work, 0, 2, base.id)
        rest = recipients.after(work, first[-1].id, 5, base.id)
    assert [user.id for user in (*first, *rest)] == [own.id, both.id, member.id]
    with server.services.database.write() as work:
        work.db.exec_driver_sql(f"UPDATE collections SET enabled = false WHERE id = {base.id:d}")
    with server.services.database.read() as work:
        assert recipients.after(work, 0, 5, base.id) == []
