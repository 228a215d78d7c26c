"""The question for the site that emails and links are for: asked only where there are several that can be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from wagtail.models import Site

from .. import links, senders, sites
from ..conf import conf
from ..exceptions import Refusal
from ..mailing import site_of
from ..models import Mailing, PasswordReset
from ..resets import Status

FIELD = "site"
# In which of the panel's questions it stands.
QUESTIONS = ("send", "hand_out")


def label(site: Site) -> str:
    """What staff know it by: its name, and where links lead."""
    host = site.root_url.partition("://")[2]
    return f"{site.site_name} ({host})" if site.site_name else host


def named(site: Site | None, offered: list[Site]) -> str:
    """The same, for pages that say which of several a link or a mailing is for; empty where there is one alone."""
    return label(site) if site and offered else ""


def first(request: HttpRequest, offered: list[Site], reset: PasswordReset | None = None) -> Site | None:
    """The one to begin with: that of the last link, of the admin's own address, or the default one."""
    here = sites.of_request(request)
    for wanted in (reset.site_id if reset else None, here.pk if here else None):
        for site in offered:
            if site.pk == wanted:
                return site
    return offered[0] if offered else None


def for_draft(request: HttpRequest) -> Site | None:
    """That of a mailing that staff draft without a form; they may change it afterwards."""
    return first(request, links.offered_sites())


def asked(request: HttpRequest) -> Site | None:
    """The site that the page's address names, or the one to begin with. Raises `SiteNotOffered` for any other."""
    return links.site_chosen(request.GET[FIELD]) if request.GET.get(FIELD) else for_draft(request)


def with_site(request: HttpRequest, site: Site) -> str:
    """The address of the same page for another site."""
    query = request.GET.copy()
    query[FIELD] = str(site.pk)
    return f"{request.path}?{query.urlencode()}"


def where_links_lead() -> str:
    """
    For forms of what a site has of its own: where all links lead, if a setting says so, and what the site is for then.

    Empty where links lead to each site, or there is one alone.
    """
    if not conf.BASE_URL or Site.objects.count() < 2:
        return ""
    return _(
        "All links lead to %(address)s, whatever the site. What a site has of its own is for emails that staff send "
        "for it, and for members who ask for a link at its address."
    ) % {"address": conf.BASE_URL}


def field(offered: list[Site], help_text: str = "") -> forms.TypedChoiceField:
    """Its value is the site; None where nothing was posted."""
    by_key = {str(site.pk): site for site in offered}
    return forms.TypedChoiceField(
        label=pgettext_lazy("Wagtail site", "Site"),
        help_text=help_text,
        required=False,
        choices=[(key, label(site)) for key, site in by_key.items()],
        coerce=by_key.__getitem__,
        empty_value=None,
    )


def of_mailing(mailing: Mailing, url_of: Callable[[Site], str] | None = None) -> dict[str, Any]:
    """For the template of a preview: which site the emails are for, and the same preview for the others."""
    offered, site = links.offered_sites(), site_of(mailing)
    sender = senders.of(site)
    others = [each for each in offered if each != site] if url_of else []
    return {
        "mailing_site": named(site, offered),
        "other_sites": [(label(each), url_of(each)) for each in others if url_of],
        "refused_sender_of": label(site) if site and sender.is_refused else "",
        "sender": sender,
        "location_problem": links.problem_of_location(site),
    }


def begin_with(form: Any, name: str, request: HttpRequest) -> None:
    """Have a form that asks for the site begin with the one to begin with."""
    if name in form.fields and not form.is_bound:
        site = first(request, links.offered_sites())
        form.fields[name].initial = site and str(site.pk)


def context(request: HttpRequest, status: Status, offered: list[Site]) -> dict[str, Any]:
    """
    For the template of a question that may ask for the site: the options, and what sending would do for the one that
    was chosen, by a click on a button or in the list, or is the one to begin with.
    """
    if not offered or status.refusal not in (None, Refusal.NO_ADDRESS):
        return {}
    wanted = request.POST.get(FIELD) or request.GET.get(FIELD)
    chosen = [site for site in offered if str(site.pk) == wanted]
    reset, picked = status.reset, chosen[0] if chosen else first(request, offered, status.reset)
    effect = links.effect_of_sending(reset, status.member, site=picked)
    is_other = bool(chosen and reset and reset.is_live and picked and reset.site_id != picked.pk)
    return {
        "status": replace(status, effect=effect),
        "site_options": [(site.pk, label(site), site == picked) for site in offered],
        "is_other_site": is_other,
        "only_address": conf.BASE_URL or "",
        "former_site": label(reset.site) if is_other and reset and reset.site else "",
    }
