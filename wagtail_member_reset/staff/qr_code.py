"""A personal link as a QR code, where `segno` is installed: `pip install wagtail-member-reset[qr]`."""

from __future__ import annotations

from django.utils.safestring import SafeString


def svg(link: str) -> SafeString:
    """
    The picture, as SVG for the page itself: nobody else is asked for it. Empty without `segno`.

    Dark on light in every theme, with a margin, since many cameras read nothing else.
    """
    try:
        import segno  # noqa: PLC0415
    except ImportError:
        return SafeString("")
    code = segno.make(link, error="m", micro=False)
    # Made of squares alone: nothing of the link stands in it as text.
    return SafeString(code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", svgclass=None))
