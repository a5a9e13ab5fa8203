"""The language of translated texts in answers (02 section 4, rule 6 and its D)."""

from collections.abc import Container

from starlette.requests import Request

from vitrine.edge import services_of


def language_of(request: Request, available: Container[str]) -> str:
    """The cookie `locale`, else what `Accept-Language` prefers by its weights, else the language of the instance;
    English where there is none of them."""
    wanted = [
        request.cookies.get("locale", "")[:2],
        *_by_weight(request.headers.get("accept-language", "")),
        services_of(request).settings.default_language,
    ]
    return next((language for language in wanted if language in available), "en")


def _by_weight(header: str) -> list[str]:
    """The languages of `Accept-Language`, the preferred first (RFC 9110 section 12.5.4); what cannot be read counts
    little."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        name, _, parameter = part.partition(";")
        weighted.append((-_weight(parameter.strip()), name.strip()[:2].lower()))
    return [name for weight, name in sorted(weighted, key=lambda pair: pair[0]) if weight]


def _weight(parameter: str) -> float:
    if not parameter.startswith("q="):
        return 1.0
    try:
        return min(max(float(parameter[2:]), 0.0), 1.0)
    except ValueError:
        return 0.001
