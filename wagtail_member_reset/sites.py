"""
Which Wagtail site a visitor is on: asked for once in a few seconds, not with every request. And which hosts may be one.

Wagtail answers by the Host header, and so does this: what is remembered is its own answer to the same header.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.db import connections, router, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.request import validate_host
from wagtail.models import Site

# As long as another process may take to notice that staff have changed a site.
HELD_SECONDS = 5.0
# A visitor may write into the header what they like. Beyond so many, all are forgotten.
MOST_HOSTS = 64
# What Django's `HttpRequest.get_host` allows while ALLOWED_HOSTS is empty and DEBUG is on.
HOSTS_OF_DEBUG = [".localhost", "127.0.0.1", "[::1]"]

_held: dict[tuple[str, str], tuple[float, Site | None]] = {}


def of_request(request: HttpRequest) -> Site | None:
    """
    What `Site.find_for_request` finds, at most five seconds old; changes of this process count at once.

    The site is shared between threads, for reading alone. It may be gone by the time its key is written.
    """
    # What a transaction sees is for nobody else, and may never come to be: as in each test case of a site.
    if connections[router.db_for_read(Site)].in_atomic_block:
        return _asked(request)
    anyhow: Any = request
    host, held, now = (anyhow._get_raw_host(), request.get_port()), _held, time.monotonic()
    until, site = held.get(host, (0.0, None))
    if now < until:
        return site
    if len(held) >= MOST_HOSTS:
        held.clear()
    site = _asked(request)
    # Not in the global one: if that was replaced while the database answered, this answer is of before.
    held[host] = now + HELD_SECONDS, site
    return site


def as_it_is(site: Site | None) -> Site | None:
    """The same site as the database has it now; None when it is gone."""
    forget()
    found: Site | None = Site.objects.filter(pk=site.pk).first() if site else None
    return found


def is_allowed_host(host: str) -> bool:
    """Whether ALLOWED_HOSTS allows the host, as Django judges it."""
    allowed = settings.ALLOWED_HOSTS or (HOSTS_OF_DEBUG if settings.DEBUG else [])
    return bool(host) and validate_host(host, allowed)


def forget() -> None:
    global _held  # noqa: PLW0603 - replaced, so that an answer on its way lands in the old one
    _held = {}


@receiver([post_save, post_delete], sender="wagtailcore.Site", dispatch_uid="wagtail_member_reset")
@receiver([post_save, post_delete], sender="wagtail_member_reset.SiteSender", dispatch_uid="wagtail_member_reset")
def site_changed(*, using: str, **kwargs: Any) -> None:
    forget()
    # Until the commit, others still read what was.
    transaction.on_commit(forget, using=using, robust=True)


def _asked(request: HttpRequest) -> Site | None:
    found: Site | None = Site.find_for_request(request)
    return found
