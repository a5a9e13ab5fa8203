"""The demonstration is made by its people, each with their own rights."""

from vitrine.accounts import Actor, User, Via
from vitrine.edge.services import Services
from vitrine.platform.database import UnitOfWork


def acting_as(services: Services, work: UnitOfWork, user: User) -> Actor:
    """The person with the rights that they have by now, as at a page."""
    return services.accounts.users.actor_of(work, services.accounts.users.get(work, user.id), Via.SESSION)
