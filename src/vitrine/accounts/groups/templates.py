"""Templates of rights: what their owner gives again and again (contract 06 section 16, with its holes mended).

Applying one adds rights and removes none; masks, ends and limits of downloads only tighten, and are never lifted. The
limit of downloads goes with its number. What its owner may not give any more is left out and named.
"""

from dataclasses import dataclass, replace

from vitrine.accounts import giving
from vitrine.accounts import store as people
from vitrine.accounts.groups import store
from vitrine.accounts.groups.model import Applied, Template
from vitrine.accounts.model import Actor, User
from vitrine.accounts.rights import CollectionGrant, Right
from vitrine.errors import Conflict, Forbidden, Invalid, NotFound
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork
from vitrine.platform.texts import fault_of_name

MOST_TEMPLATES, LONGEST_NAME = 100, 128


@dataclass(frozen=True, slots=True)
class Templates:
    def own(self, work: UnitOfWork, actor: Actor) -> list[Template]:
        """The actor's own."""
        return store.templates(work, actor.must_user_id)

    def get(self, work: UnitOfWork, actor: Actor, template_id: int) -> Template:
        """Raises NotFound, also for somebody else's."""
        template = store.template(work, actor.must_user_id, template_id)
        if template is None:
            raise NotFound("You have no such template.")
        return template

    def grants(self, work: UnitOfWork, actor: Actor, template_id: int) -> list[CollectionGrant]:
        return store.template_grants(work, self.get(work, actor, template_id).id)

    def add(self, work: UnitOfWork, actor: Actor, name: str) -> Template:
        """Raises Invalid, Conflict for a name in use or past MOST_TEMPLATES, or Forbidden."""
        managed, name = giving.managed(work, actor), name.strip()
        if managed is not None and not managed:
            raise Forbidden(giving.NOT_YOURS)
        if not name or len(name) > LONGEST_NAME:
            raise Invalid("A name has 1 to {count} characters.", field="name", values={"count": LONGEST_NAME})
        fault = fault_of_name(name)
        if fault:
            raise Invalid(fault, field="name")
        known = store.templates(work, actor.must_user_id)
        if len(known) >= MOST_TEMPLATES:
            raise Conflict("Nobody can have more than {count} templates.", values={"count": MOST_TEMPLATES})
        if any(template.name == name for template in known):
            raise Conflict("You have a template of this name.", field="name")
        return self.get(work, actor, store.add_template(work, actor.must_user_id, name))

    def set_grant(self, work: UnitOfWork, actor: Actor, template_id: int, grant: CollectionGrant) -> None:
        """What the template gives on a collection; no right at all removes it. Raises NotFound or Forbidden."""
        template = self.get(work, actor, template_id)
        if grant.rights:
            giving.require_given(work, actor, grant)
        store.set_template_grant(work, template.id, grant)

    def delete(self, work: UnitOfWork, actor: Actor, template_id: int) -> None:
        store.delete_template(work, self.get(work, actor, template_id).id)

    def apply(self, work: UnitOfWork, actor: Actor, template_id: int, user: User) -> Applied:
        """Give a person what the template has. A collection on which the actor may not give it, or where the person has
        more than the actor, is left out. Raises NotFound, or Forbidden for the guest."""
        giving.require_not_guest(actor, user)
        template = self.get(work, actor, template_id)
        held = {grant.base_id: grant for grant in people.own_grants(work, user.id, also_disabled=True)}
        given, left_out = [], []
        for grant in store.template_grants(work, template.id):
            before = held.get(grant.base_id)
            try:
                if before is not None:
                    giving.require_given(work, actor, before)
                wanted = giving.within_own(work, actor, grant if before is None else added(before, grant))
            except Forbidden:
                left_out.append(grant.base_id)
                continue
            people.set_collection_rights(work, user.id, wanted)
            given.append(grant.base_id)
        details = {"template": template.name, "collections": given}
        audit.write(work, actor, "template.applied", f"user {user.id}", details)
        return Applied(tuple(given), tuple(left_out))


def added(before: CollectionGrant, grant: CollectionGrant) -> CollectionGrant:
    """*before* with the rights of *grant* besides, and with the limits of both. Where both say something of a status
    bit, *before* counts. A suspension stays: only who sets the rights themselves lifts it."""
    both = before.tightened(grant)
    begins = [begin for begin in (before.valid_from, grant.valid_from) if begin is not None]
    more = both.rights if Right.actif in before.rights else both.rights & ~Right.actif
    return replace(both, rights=before.rights | more, valid_from=max(begins, default=None))
