"""Which Wagtail site a link is for, where there are several: those that can be chosen, and a member's usual one."""

from __future__ import annotations

from collections.abc import Iterable

from wagtail.models import Site

from ..accounts import Member
from ..exceptions import SiteNotOffered
from ..models import PasswordReset
from .location import has_refused_host, is_placeholder


def every_site() -> list[Site]:
    """All, as they are now, the default one first, with their senders: one query."""
    found = Site.objects.select_related("wagtail_member_reset_sender")
    return list(found.order_by("-is_default_site", "hostname", "port", "pk"))


def usable(sites: Iterable[Site]) -> list[Site]:
    """Those to which a link may lead: ALLOWED_HOSTS has their host, and it is not that of a new project."""
    return [site for site in sites if not has_refused_host(site) and not is_placeholder(site)]


def offered_sites(every: list[Site] | None = None) -> list[Site]:
    """Those among which staff choose; none where there is nothing to choose."""
    found = usable(every_site() if every is None else every)
    return found if len(found) > 1 else []


def site_chosen(key: str) -> Site | None:
    """
    The site of this key; None where nobody is asked and none was named.

    Raises `SiteNotOffered` for any other than the usable ones, and for none where there are several.
    """
    found = usable(every_site())
    if not key and len(found) < 2:
        return None
    for site in found:
        if str(site.pk) == key:
            return site
    raise SiteNotOffered


def site_called(host: str) -> Site:
    """The usable site of this hostname, with a port where several have it. Raises `SiteNotOffered`."""
    named = [site for site in usable(every_site()) if host.lower() in _hosts(site)]
    if len(named) != 1:
        raise SiteNotOffered
    return named[0]


def _hosts(site: Site) -> tuple[str, str]:
    return site.hostname.lower(), f"{site.hostname}:{site.port}".lower()


def usual_site(member: Member, every: list[Site] | None = None) -> Site | None:
    """Where nobody chooses: the site of the member's last link, if several are usable; else the default."""
    every = every_site() if every is None else every
    if offered := offered_sites(every):
        resets = PasswordReset.objects.filter(member=member.pk, site__isnull=False).order_by("-pk")
        last = resets.values_list("site_id", flat=True).first()
        found = [site for site in offered if site.pk == last]
        if found:
            return found[0]
    return default_of(every)


def default_site() -> Site | None:
    """With its sender: one query."""
    found = Site.objects.filter(is_default_site=True).select_related("wagtail_member_reset_sender")
    site: Site | None = found.first()
    return site


def default_of(every: list[Site]) -> Site | None:
    return next((site for site in every if site.is_default_site), None)
