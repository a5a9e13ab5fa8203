"""Rights of several grants together, against a model that asks each grant by itself."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vitrine.accounts.rights import CollectionGrant, Right, combined, next_change

NOW = datetime(2026, 3, 2, tzinfo=UTC)
RIGHTS = (Right.actif, Right.candwnldhd, Right.canmodifrecord, Right.canadmin)
STATUSES = range(8)
dates = st.none() | st.integers(-3, 3).map(lambda hours: NOW + timedelta(hours=hours))
grants = st.builds(
    lambda rights, begin, end, mask_and, mask_xor: CollectionGrant(
        1, 1, Right(sum(rights)), begin, end, mask_and, mask_xor
    ),
    st.sets(st.sampled_from(RIGHTS)),
    dates,
    dates,
    st.integers(0, 7),
    st.integers(0, 7),
)
several = st.lists(grants, min_size=1, max_size=5)
Held = tuple[list[CollectionGrant], CollectionGrant | None]
held_by_somebody = several.flatmap(lambda held: st.tuples(st.just(held), st.sampled_from([None, held[0]])))


def has(held: list[CollectionGrant], right: Right, now: datetime, own: CollectionGrant | None = None) -> bool:
    """R(x) of 06 section 17.7, for any of the grants, unless a row of their own suspends the person."""
    return (own is None or Right.actif in own.rights) and any(
        Right.actif in grant.rights
        and (grant.valid_from is None or grant.valid_from <= now)
        and (grant.valid_until is None or now <= grant.valid_until)
        and right in grant.rights
        for grant in held
    )


def sees(held: list[CollectionGrant], status: int, now: datetime, own: CollectionGrant | None = None) -> bool:
    return any(
        has([grant], Right.actif, now, own) and (status ^ grant.mask_xor) & grant.mask_and == 0 for grant in held
    )


@given(held_by_somebody)
def test_together_they_give_what_any_of_them_gives(somebody: Held) -> None:
    held, own = somebody
    together = combined(held, NOW, own)
    for right in RIGHTS:
        assert (together.is_live(NOW) and right in together.rights) is has(held, right, NOW, own)
    for status in STATUSES:
        assert (together.is_live(NOW) and together.shows_status(status)) is sees(held, status, NOW, own)


@given(held_by_somebody, st.integers(0, 240))
def test_nothing_changes_before_the_next_change(somebody: Held, minutes: int) -> None:
    held, own = somebody
    until, later = next_change(held, NOW), NOW + timedelta(minutes=minutes)
    if until is not None and later > until:
        return
    together = combined(held, NOW, own)
    for right in RIGHTS:
        assert (together.is_live(later) and right in together.rights) is has(held, right, later, own)


@given(held_by_somebody, grants)
def test_who_covers_a_grant_gives_nothing_new(somebody: Held, wanted: CollectionGrant) -> None:
    """What may be given shows nothing, and allows nothing, that its giver does not have: now and at any later time."""
    held, own = somebody
    together = combined(held, NOW, own)
    if not together.is_live(NOW) or not together.covers(wanted):
        return
    for hours in range(4):
        later = NOW + timedelta(hours=hours)
        for right in RIGHTS:
            assert not has([wanted], right, later) or has(held, right, later, own)
        for status in STATUSES:
            assert not sees([wanted], status, later) or sees(held, status, later, own)


@given(several, grants)
def test_what_is_tightened_is_covered_if_its_rights_are(held: list[CollectionGrant], wanted: CollectionGrant) -> None:
    own = combined(held, NOW)
    given_rights = own.tightened(wanted)
    assert own.covers(given_rights) is (wanted.rights & ~own.rights == 0)
