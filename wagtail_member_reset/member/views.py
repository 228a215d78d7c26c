"""The members' pages: ask for a link, follow it, choose a password."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from wagtail.models import Site

from .. import accounts, languages, links, paths, resets, senders, sites
from ..conf import conf
from ..exceptions import LinkProblem, SettingError, Unredeemable
from ..models import PasswordReset
from ..senders import Sender
from ..tokens import GRANT_LIFETIME
from . import grants, next_page, sign_in, speech
from .forms import PasswordForm, RequestForm, password_rules
from .headers import guarded, guarded_redirect
from .networks import network_of

logger = logging.getLogger("wagtail_member_reset")

TEMPLATES = "wagtail_member_reset/member/"
# Whom an email may be from, on the page that says where to look for it.
MOST_SENDERS = 3


@guarded
@sensitive_post_parameters("email")
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: HttpRequest) -> HttpResponse:
    """Ask for the address. Whatever is posted, the answer is the same, and nobody is looked up."""
    if not accounts.has_passwords():
        return _page(request, "no_passwords.html", {})
    if request.method != "POST":
        context = {"form": RequestForm(), "next": next_page.allowed(request.GET.get("next", ""))}
        return _page(request, "password_reset_form.html", context)
    next_path, address = next_page.allowed(request.POST.get("next", "")), request.POST.get("email", "").strip()
    try:
        resets.request(
            address,
            network=network_of(request),
            site=sites.of_request(request),
            language=get_language() or settings.LANGUAGE_CODE,
        )
    except DatabaseError as error:
        # What the database says of it may quote the row, and so the address.
        logger.error("request not written: %s", type(error).__name__)
        return _not_written(request)
    response = redirect(_with_next(reverse("wagtail_member_reset:password_reset_done"), next_path))
    next_page.keep(response, request, next_path, address=address)
    return response


@guarded
@require_safe
def password_reset_done(request: HttpRequest) -> HttpResponse:
    again = _with_next(reverse("wagtail_member_reset:password_reset"), next_page.allowed(request.GET.get("next", "")))
    # Nobody is told which of the two it is: that would say who has never signed in.
    is_one = conf.LINK_LIFETIME == conf.WELCOME_LIFETIME
    lifetime = conf.LINK_LIFETIME if is_one else None
    context = {"lifetime": lifetime, "request_url": again, "sender": ", ".join(_possible_senders(request))}
    return _page(request, "password_reset_done.html", context)


# Not even a method that is refused may be answered otherwise: an error is logged with its address.
@csrf_exempt
@guarded_redirect
@sensitive_variables()  # of everything that this calls, too, under whatever name
@transaction.non_atomic_requests
def password_reset_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address before any page is shown. The same answer for good and bad ones."""
    response: HttpResponse = redirect("wagtail_member_reset:password_reset_set")
    if request.method == "GET":
        grants.keep(response, request, _found(token))
    return response


@guarded
@sensitive_post_parameters("new_password1")
@sensitive_variables()
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset_set(request: HttpRequest) -> HttpResponse:
    """The form for the new password, or what happened to the link."""
    grant = grants.held(request)
    if request.method == "POST" and grants.is_other(grant, than=request.POST.get("link", "")):
        return _problem(request, LinkProblem.OTHER_LINK)
    if not isinstance(grant, resets.Grant):
        return _problem(request, grant)
    try:
        if request.method != "POST":
            return _form(request, resets.look(grant))
        reset = resets.look(grant)
        form = PasswordForm(reset.member, request.POST)
        # What is wrong is said in the language of the page.
        with translation.override(speech.language_of(request, reset.language)):
            is_valid = form.is_valid()
        if not is_valid:
            return _form(request, reset, form)
        resets.redeem(grant, password=form.cleaned_data["new_password1"])
    except Unredeemable as refused:
        return _problem(request, refused.problem, language=refused.language)
    response = redirect("wagtail_member_reset:password_reset_complete")
    grants.drop(response, request, used=grant)
    return response


@guarded
@require_safe
def password_reset_complete(request: HttpRequest) -> HttpResponse:
    used = grants.used(request)
    reset = _used(used)
    context = {
        "sign_in_name": accounts.sign_in_name(reset.member) if reset else "",
        "was_used": used is not None,
        "next": next_page.kept(request, address=reset.recipient) if reset else "",
    }
    response = _page(request, "password_reset_complete.html", context, language=reset.language if reset else "")
    if used:
        grants.forget_selector(response, request)
        next_page.drop(response, request)
    return response


def _found(token: str) -> resets.Grant | LinkProblem:
    try:
        return resets.open(token)
    except Unredeemable as refused:
        return refused.problem
    except Exception as error:
        # A page of the server's own for this error would be logged with the address, and so with the token.
        logger.error("link not opened: %s", type(error).__name__)
        return LinkProblem.UNAVAILABLE


def _used(selector: str | None) -> PasswordReset | None:
    """The reset of who has just used its link; None for anybody else."""
    try:
        return resets.used(selector) if selector else None
    except DatabaseError:  # the page says what it can without
        return None


def _form(request: HttpRequest, reset: PasswordReset, form: PasswordForm | None = None) -> HttpResponse:
    member = reset.member
    context = {
        "form": form or PasswordForm(member),
        "reset": reset,
        "sign_in_name": accounts.sign_in_name(member),
        "username": accounts.address_of(member) if accounts.signs_in_by_address() else member.get_username(),
        "rules": password_rules,
    }
    return _page(request, "password_reset_confirm.html", context, language=reset.language)


def _problem(request: HttpRequest, problem: LinkProblem | None, *, language: str = "") -> HttpResponse:
    """One page for each way in which a link can have ended, and one for a browser that brings nothing."""
    if not accounts.has_passwords():
        return _page(request, "no_passwords.html", {})
    # As after Back: the form is there again, and its grant is gone.
    context = {
        "problem": problem.value if problem else "no_grant",
        "may_be_saved": problem is None and grants.used(request) is not None,
        "form": RequestForm(),
        "grant_lifetime": GRANT_LIFETIME,
    }
    return _page(request, "password_reset_problem.html", context, language=language)


def _not_written(request: HttpRequest) -> HttpResponse:
    """
    The form again, for everybody alike, with what was typed and why: nothing of it was kept.

    "An email is on its way" would be a lie here, and an error page would not say what to do.
    """
    context = {
        "form": RequestForm(initial={"email": request.POST.get("email", "")[:320]}),
        "is_unavailable": True,
        "next": next_page.allowed(request.POST.get("next", "")),
    }
    response = _page(request, "password_reset_form.html", context, status=503)
    response["Retry-After"] = "60"
    return response


def _page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    language: str = "",
) -> HttpResponse:
    """The page, all in one language: the link's, if any. Its addresses stay under the one that the site has here."""
    site = _site_of(request)
    sender = _sender_of(site)
    contact = sender.support_contact
    common = {
        "site_name": _site_name(site),
        "sender": sender.address,
        "contact": contact,
        "contact_is_page": "://" in contact,
        "login_url": sign_in.url(context.get("next", "")),
        "home_url": paths.home(),
        "request_url": reverse("wagtail_member_reset:password_reset"),
    }
    language = speech.language_of(request, language)
    with translation.override(language):
        common |= {"language": language, "bidi": languages.is_right_to_left()}
        response = render(request, TEMPLATES + template, {**common, **context}, status=status)
    response["Content-Language"] = language
    return response


def _site_of(request: HttpRequest) -> Site | None:
    try:
        return sites.of_request(request)
    except DatabaseError:  # the page says what it can without
        return None


def _sender_of(site: Site | None) -> Sender:
    try:
        return senders.of(site)
    except DatabaseError:
        return senders.default()


def _possible_senders(request: HttpRequest) -> list[str]:
    """
    The addresses that the email may come from, the one of this site first: a link that still works is sent again for
    the site that it is for. None where they are too many to look for.
    """
    own = _site_of(request)
    try:
        found = [own, *links.offered_sites()]
    except DatabaseError:
        found = [own]
    addresses = list(dict.fromkeys(_sender_of(site).address for site in found))
    return addresses if len(addresses) <= MOST_SENDERS else []


def _site_name(site: Site | None) -> str:
    try:
        return links.site_name(site)
    except SettingError:
        return ""


def _with_next(url: str, next_path: str) -> str:
    return f"{url}?{urlencode({'next': next_path})}" if next_path else url
