"""What a provider of identities answers is somebody else's text."""

import pytest

from vitrine.accounts.errors import ProviderRefused
from vitrine.accounts.identity_providers.client import _json
from vitrine.platform.fetch import Answer


@pytest.mark.parametrize("body", [b'{"name":"\\ud800"}', b'{"name":"\xe9"}', b"[]", b"{", b"[" * 10_000, b""])
def test_an_answer_that_nothing_could_keep_is_refused(body: bytes) -> None:
    with pytest.raises(ProviderRefused):
        _json(Answer(200, "application/json", body))


def test_an_answer_is_utf8() -> None:
    assert _json(Answer(200, "application/json", '{"name":"Zoé"}'.encode())) == {"name": "Zoé"}
