"""XMP packets (ISO 16684-1)."""

from xml.sax.saxutils import escape

from vitrine.media.metadata.write.model import EmbeddedFacts


def packet(facts: EmbeddedFacts) -> bytes:
    """The packet of *facts*, to be put into any container."""

    def alternatives(tag: str, text: str, other: str) -> str:
        items = [("x-default", text), (facts.language, text), *([(facts.language_other, other)] if other else [])]
        inner = "".join(f'<rdf:li xml:lang="{language}">{escape(value)}</rdf:li>' for language, value in items)
        return f"<{tag}><rdf:Alt>{inner}</rdf:Alt></{tag}>"

    def several(tag: str, kind: str, values: tuple[str, ...]) -> str:
        inner = "".join(f"<rdf:li>{escape(value)}</rdf:li>" for value in values)
        return f"<{tag}><rdf:{kind}>{inner}</rdf:{kind}></{tag}>"

    simple = (
        ("photoshop:City", facts.city),
        ("photoshop:Country", facts.country),
        ("photoshop:DateCreated", facts.date),
        ("photoshop:Credit", facts.credit),
    )
    body = (
        alternatives("dc:title", facts.title, facts.title_other)
        + alternatives("dc:description", facts.caption, facts.caption_other)
        + several("dc:subject", "Bag", facts.keywords)
        + several("dc:creator", "Seq", (facts.author,))
        + alternatives("dc:rights", facts.rights, "")
        + "".join(f"<{tag}>{escape(value)}</{tag}>" for tag, value in simple if value)
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()
