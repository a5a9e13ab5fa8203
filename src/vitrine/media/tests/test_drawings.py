"""Document types of drawings: those of drawing programs are accepted, those of bombs are refused."""

from pathlib import Path

import pytest

from vitrine.media.errors import Undecodable
from vitrine.media.renditions import MadeRendition, Spec
from vitrine.media.service import Media
from vitrine.media.svg import safe_svg

ILLUSTRATOR = """<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 16.0.0 -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
\t<!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">
\t<!ENTITY ns_svg 'http://www.w3.org/2000/svg'>
\t<!-- a style -->
\t<!ENTITY st0 "fill:#0000ff;">
]>
<svg xmlns="&ns_svg;" xmlns:x="&ns_extend;" width="200" height="100" x:viewOrigin="1">
<rect width="200" height="100" style="&st0;"/><text>R&amp;B</text></svg>"""


def test_a_drawing_of_illustrator_is_drawn(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "logo.svg"
    path.write_text(ILLUSTRATOR)
    probe = media.probe(path, "logo.svg")
    assert (probe.kind, probe.display_width, probe.display_height) == ("image", 200, 100)
    specs = [Spec("thumbnail", "image", 100)]
    with media.scratch() as folder:
        thumbnail = media.make_renditions(media.store_file(path).sha256, "image", "image/svg+xml", specs, folder)[0]
        assert isinstance(thumbnail, MadeRendition), thumbnail
    cleaned = safe_svg(path.read_bytes())
    assert b"fill:#0000ff;" in cleaned
    assert b"R&amp;B" in cleaned
    assert b"DOCTYPE" not in cleaned


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">',
        '<!ENTITY b SYSTEM "file:///etc/hostname">',
        '<!ENTITY b PUBLIC "x" "http://127.0.0.1:1/">',
        '<!ENTITY % b "x">',
        '<!ENTITY % c SYSTEM "http://127.0.0.1:1/"> %c;',
        '<!ENTITY b "<script/>">',
        '<!ATTLIST rect fill CDATA "red">',
    ],
)
def test_entities_that_are_more_than_a_plain_text_are_refused(subset: str) -> None:
    drawing = f'<!DOCTYPE svg [{subset}]><svg xmlns="http://www.w3.org/2000/svg"><text>&b;</text></svg>'
    with pytest.raises(Undecodable, match="entities"):
        safe_svg(drawing.encode())


def test_an_entity_smuggles_nothing_in() -> None:
    drawing = (
        '<!DOCTYPE svg [<!ENTITY a \'#1" onload="alert(1)\'><!ENTITY far "http://127.0.0.1:1/a.png">]>'
        '<svg xmlns="http://www.w3.org/2000/svg" id="&a;"><image href="&far;"/></svg>'
    )
    cleaned = safe_svg(drawing.encode())
    assert b"onload" not in cleaned
    assert b"127.0.0.1" not in cleaned


def test_a_drawing_that_its_entities_make_too_large_is_refused() -> None:
    subset = f'<!ENTITY a "{"a" * 1000}">'
    drawing = f'<!DOCTYPE svg [{subset}]><svg xmlns="http://www.w3.org/2000/svg"><text>{"&a;" * 40_000}</text></svg>'
    with pytest.raises(Undecodable, match="too many parts"):
        safe_svg(drawing.encode())
