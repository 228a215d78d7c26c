"""Which site a mailing is for."""

from __future__ import annotations

from wagtail.models import Site

from .. import links
from ..models import Mailing


def site_of(mailing: Mailing) -> Site | None:
    """Its own; the default one where it has none, or its own is gone. Preview, emails and notices ask here."""
    return mailing.site or links.default_site()
