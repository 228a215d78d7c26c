"""A personal link as a QR code, where `segno` is installed: `pip install wagtail-member-reset[qr]`."""

from __future__ import annotations

from typing import cast

from django.utils.safestring import SafeString

try:
    import segno
except ImportError:
    segno = None


def svg(link: str) -> SafeString:
    """
    The picture, as SVG for the page itself: nobody else is asked for it. Empty without `segno`.

    Dark on light in every theme, with a margin, since many cameras read nothing else.
    """
    if segno is None:
        return SafeString("")
    code = segno.make(link, error="m", micro=False)
    # Made of squares alone: nothing of the link stands in it as text.
    return SafeString(cast(str, code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", svgclass=None)))
