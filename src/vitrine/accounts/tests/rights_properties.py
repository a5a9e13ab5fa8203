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


def has(held: list[CollectionGrant], right: Right, now: datetime) -> bool:
    """R(x) of 06 section 17.7, for any of the grants."""
    return any(
        Right.actif in grant.rights
        and (grant.valid_from is None or grant.valid_from <= now)
        and (grant.valid_until is None or now <= grant.valid_until)
        and right in grant.rights
        for grant in held
    )


def sees(held: list[CollectionGrant], status: int, now: datetime) -> bool:
    return any(has([grant], Right.actif, now) and (status ^ grant.mask_xor) & grant.mask_and == 0 for grant in held)


@given(several)
def test_together_they_give_what_any_of_them_gives(held: list[CollectionGrant]) -> None:
    together = combined(held, NOW)
    for right in RIGHTS:
        assert (together.is_live(NOW) and right in together.rights) is has(held, right, NOW)
    for status in STATUSES:
        assert (together.is_live(NOW) and together.shows_status(status)) is sees(held, status, NOW)


@given(several, st.integers(0, 240))
def test_nothing_changes_before_the_next_change(held: list[CollectionGrant], minutes: int) -> None:
    until, later = next_change(held, NOW), NOW + timedelta(minutes=minutes)
    if until is not None and later > until:
        return
    together = combined(held, NOW)
    for right in RIGHTS:
        assert (together.is_live(later) and right in together.rights) is has(held, right, later)


@given(several, grants)
def test_who_covers_a_grant_gives_nothing_new(held: list[CollectionGrant], wanted: CollectionGrant) -> None:
    """What may be given shows nothing, and allows nothing, that its giver does not have: now and at any later time."""
    own = combined(held, NOW)
    if not own.is_live(NOW) or not own.covers(wanted):
        return
    for hours in range(4):
        later = NOW + timedelta(hours=hours)
        for right in RIGHTS:
            assert not has([wanted], right, later) or has(held, right, later)
        for status in STATUSES:
            assert not sees([wanted], status, later) or sees(held, status, later)


@given(several, grants)
def test_what_is_tightened_is_covered_if_its_rights_are(held: list[CollectionGrant], wanted: CollectionGrant) -> None:
    own = combined(held, NOW)
    given_rights = own.tightened(wanted)
    assert own.covers(given_rights) is (wanted.rights & ~own.rights == 0)
