"""What the sign-in pages say about a way through another organisation's provider that led back to them."""

from starlette.requests import Request

from vitrine.accounts.identity_providers.service import REASONS
from vitrine.edge import services_of
from vitrine.web.shared.render import translate


def told(request: Request) -> str:
    """Why a sign-in at a provider led back to this page, in words; "" when it did not."""
    sentence = REASONS.get(request.query_params.get("reason", ""))
    if sentence is None:
        return ""
    provider = services_of(request).settings.provider(request.query_params.get("provider", ""))
    label = provider.label if provider else translate(request, "the provider")
    return translate(request, sentence).format(provider=label)
