"""Terms of use are HTML that one person writes and everybody reads: a list of allowed elements, kept by a library."""

import nh3

from vitrine.errors import Invalid

LONGEST = 200_000  # characters
TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "abbr": {"title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def sanitized(text: object, *, field: str) -> str:
    """*text* without scripts, styles, pictures, forms and addresses that run something. Raises Invalid for a text that
    is too long, or of which nothing is left."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise Invalid(f"Terms of use are HTML of at most {LONGEST} characters.", field=field)
    clean = nh3.clean(
        text.replace("\x00", ""),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    ).strip()
    if not nh3.clean(clean, tags=set()).strip():
        raise Invalid("There is no text in these terms of use.", field=field)
    return clean
