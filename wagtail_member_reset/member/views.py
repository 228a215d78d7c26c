"""The members' pages: ask for a link, follow it, choose a password."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from django.conf import global_settings, settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import NoReverseMatch, Resolver404, reverse
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from wagtail.models import Site

from .. import accounts, links, paths, resets, senders, sites
from ..conf import conf
from ..exceptions import LinkProblem, SettingError, Unredeemable
from ..senders import Sender
from ..tokens import GRANT_LIFETIME
from . import grants
from .forms import PasswordForm, RequestForm, password_rules
from .headers import guarded, guarded_redirect
from .networks import network_of

logger = logging.getLogger("wagtail_member_reset")

TEMPLATES = "wagtail_member_reset/member/"


@guarded
@sensitive_post_parameters("email")
@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: HttpRequest) -> HttpResponse:
    """Ask for the address. Whatever is posted, the answer is the same, and nobody is looked up."""
    if not accounts.has_passwords():
        return _page(request, "no_passwords.html", {})
    if request.method != "POST":
        return _page(request, "password_reset_form.html", {"form": RequestForm()})
    try:
        resets.request(
            request.POST.get("email", "").strip(),
            network=network_of(request),
            site=sites.of_request(request),
            language=get_language() or settings.LANGUAGE_CODE,
        )
    except DatabaseError as error:
        # What the database says of it may quote the row, and so the address.
        logger.error("request not written: %s", type(error).__name__)
        return _not_written(request)
    return redirect("wagtail_member_reset:password_reset_done")


@guarded
@require_safe
def password_reset_done(request: HttpRequest) -> HttpResponse:
    # Nobody is told which of the two it is: that would say who has never signed in.
    is_one = conf.LINK_LIFETIME == conf.WELCOME_LIFETIME
    return _page(request, "password_reset_done.html", {"lifetime": conf.LINK_LIFETIME if is_one else None})


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
        if not form.is_valid():
            return _form(request, reset, form)
        resets.redeem(grant, password=form.cleaned_data["new_password1"])
    except Unredeemable as refused:
        return _problem(request, refused.problem)
    response = redirect("wagtail_member_reset:password_reset_complete")
    grants.drop(response, request, used=grant)
    return response


@guarded
@require_safe
def password_reset_complete(request: HttpRequest) -> HttpResponse:
    used = grants.used(request)
    response = _page(
        request, "password_reset_complete.html", {"sign_in_name": _sign_in_name(used), "was_used": used is not None}
    )
    if used:
        grants.forget_selector(response, request)
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


def _sign_in_name(selector: str | None) -> str:
    """The sign-in name of who has just used the link; empty where the address does, or for anybody else."""
    try:
        reset = resets.used(selector) if selector else None
    except DatabaseError:  # the page says what it can without
        return ""
    return accounts.sign_in_name(reset.member) if reset else ""


def _form(request: HttpRequest, reset: Any, form: PasswordForm | None = None) -> HttpResponse:
    member = reset.member
    context = {
        "form": form or PasswordForm(member),
        "reset": reset,
        "sign_in_name": accounts.sign_in_name(member),
        "username": accounts.address_of(member) if accounts.signs_in_by_address() else member.get_username(),
        "rules": password_rules(),
    }
    return _page(request, "password_reset_confirm.html", context)


def _problem(request: HttpRequest, problem: LinkProblem | None) -> HttpResponse:
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
    return _page(request, "password_reset_problem.html", context)


def _not_written(request: HttpRequest) -> HttpResponse:
    """
    The form again, for everybody alike, with what was typed and why: nothing of it was kept.

    "An email is on its way" would be a lie here, and an error page would not say what to do.
    """
    context = {"form": RequestForm(initial={"email": request.POST.get("email", "")[:320]}), "is_unavailable": True}
    response = _page(request, "password_reset_form.html", context, status=503)
    response["Retry-After"] = "60"
    return response


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    site = _site_of(request)
    sender = _sender_of(site)
    contact = sender.support_contact
    common = {
        "site_name": _site_name(site),
        "sender": sender.address,
        "contact": contact,
        "contact_is_page": "://" in contact,
        "login_url": _login_url(),
        "home_url": paths.home(),
    }
    return render(request, TEMPLATES + template, {**common, **context}, status=status)


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


def _site_name(site: Site | None) -> str:
    try:
        return links.site_name(site)
    except SettingError:
        return ""


def _login_url() -> str:
    """Where members sign in: the page set for the website, else Django's setting, else Wagtail's own page."""
    chosen = [getattr(settings, "WAGTAIL_FRONTEND_LOGIN_URL", None)]
    if settings.LOGIN_URL != global_settings.LOGIN_URL or _is_routed(str(settings.LOGIN_URL)):
        chosen.append(settings.LOGIN_URL)
    for target in filter(None, chosen):
        try:
            return _below(resolve_url(target))
        except NoReverseMatch:
            continue
    try:
        # Without `next`, Django goes on to LOGIN_REDIRECT_URL, which leads nowhere unless the site has set it.
        return f"{reverse('wagtailcore_login')}?next={quote(paths.home())}"
    except NoReverseMatch:
        return ""


def _below(path: str) -> str:
    """The same below the path that the site is served at, where a setting leaves that out of one of its own pages."""
    home = paths.home()
    is_outside = path.startswith("/") and not path.startswith(home)
    return home + path.removeprefix("/") if is_outside and _is_routed(path.partition("?")[0]) else path


def _is_routed(path: str) -> bool:
    """Whether a view of the site's own answers: Wagtail's pages match every address, also those without a page."""
    try:
        return paths.answering(path).url_name != "wagtail_serve"
    except Resolver404:
        return False
