"""Fixed windows of a minute (RFC 6585 section 4, draft-ietf-httpapi-ratelimit-headers)."""

import threading

import pytest

from vitrine.edge.limits import WINDOW_S, Limit, TooMany, _Windows


def test_a_window_begins_with_its_first_request_and_ends_a_minute_later() -> None:
    windows = _Windows()
    assert windows.hit("a", 100.0) == (100.0 + WINDOW_S, 1)
    assert windows.hit("a", 159.9) == (100.0 + WINDOW_S, 2)
    assert windows.hit("b", 130.0) == (130.0 + WINDOW_S, 1)
    assert windows.hit("a", 160.0) == (160.0 + WINDOW_S, 1)


def test_keys_whose_window_is_over_cost_nothing() -> None:
    windows = _Windows()
    for number in range(1000):
        windows.hit(str(number), 10.0)
    windows.hit("late", 10.0 + 2 * WINDOW_S)
    assert set(windows._counts) == {"late"}


def test_one_over_the_limit_is_refused_and_told_when_to_come_back() -> None:
    limit = Limit("token", 2)
    assert [limit.hit("a")["RateLimit"].split(";")[1] for _ in range(2)] == ["r=1", "r=0"]
    with pytest.raises(TooMany) as refused:
        limit.hit("a")
    assert int(refused.value.headers["Retry-After"]) in (WINDOW_S - 1, WINDOW_S)
    assert refused.value.headers["RateLimit-Policy"] == '"token";q=2;w=60'
    assert limit.hit("b")["RateLimit"].startswith('"token";r=1;t='), "another address has its own"


def test_requests_of_many_threads_are_all_counted() -> None:
    limit = Limit("token", 400)

    def run() -> None:
        for _ in range(50):
            limit.hit("a")

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pytest.raises(TooMany):
        limit.hit("a")
