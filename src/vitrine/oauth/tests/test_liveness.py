"""One rule decides whether a token opens anything, whoever asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vitrine.oauth.liveness import TokenState, ends, is_live, is_open, is_over
from vitrine.platform.schema import to_micros

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def state(**columns: Any) -> TokenState:
    usual: dict[str, Any] = dict.fromkeys(TokenState._fields)
    usual |= {"created": NOW - HOUR, "application_activated": True, "user_locked": False}
    return TokenState(**{**usual, **columns})


@pytest.mark.parametrize("raw", [lambda instant: instant, to_micros], ids=["aware", "microseconds"])
def test_a_token_is_over_at_the_very_instant_of_its_end(raw: Any) -> None:
    assert is_live(state(expires=raw(NOW + timedelta(microseconds=1))), NOW)
    assert is_over(state(expires=raw(NOW)), NOW)
    assert ends(state(expires=raw(NOW))) == NOW


def test_an_unused_token_ends_after_its_idle_limit_and_each_use_moves_that() -> None:
    assert is_over(state(idle_limit_s=3600), NOW), "from its creation when it never was used"
    used = state(idle_limit_s=3600, last_used=NOW - timedelta(minutes=1))
    assert is_live(used, NOW)
    assert ends(used) == NOW + timedelta(minutes=59)


def test_a_token_with_both_limits_is_over_by_either() -> None:
    assert is_over(state(expires=NOW, idle_limit_s=7200), NOW)
    assert is_over(state(expires=NOW + HOUR, idle_limit_s=3600), NOW)


@pytest.mark.parametrize("raw", [lambda instant: instant, to_micros], ids=["aware", "microseconds"])
def test_a_token_with_both_limits_ends_at_the_first(raw: Any) -> None:
    assert ends(state(expires=raw(NOW + HOUR), idle_limit_s=7200, last_used=raw(NOW))) == NOW + HOUR
    assert ends(state(expires=raw(NOW + 3 * HOUR), idle_limit_s=7200, last_used=raw(NOW))) == NOW + 2 * HOUR


def test_a_token_without_limits_never_ends() -> None:
    assert is_live(state(), NOW)
    assert ends(state()) is None


@pytest.mark.parametrize(
    "column",
    [
        {"account_revoked": NOW}, {"application_activated": False}, {"application_activated": 0},
        {"application_deleted": NOW}, {"user_deleted": NOW}, {"user_locked": True}, {"user_locked": 1},
    ],
)  # fmt: skip
def test_whatever_it_hangs_on_ends_it(column: dict[str, Any]) -> None:
    assert not is_open(state(**column))
    assert not is_live(state(**column), NOW)
