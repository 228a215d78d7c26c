"""The buttons of the Settings tab. A fetch gets the new content of the panel; a plain request gets a page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from wagtail import hooks

from .. import links, resets
from ..exceptions import EffectChanged, MemberResetError, Refusal, SendRefused, SiteNotOffered
from ..links import Effect
from ..models import DoNotEmailReason
from ..reports import BlockListError, Unblocked
from . import account, identity, permissions, site_choice, unblock_words, wording
from . import panel as panels
from .forms import AddressForm, address_form
from .member_pages import TEMPLATES, find, guarded, is_fetch, page, require


@require_GET
@transaction.non_atomic_requests
def panel(request: HttpRequest, pk: str) -> HttpResponse:
    """The panel as it is now, or an empty 204 if the panel has already `seen` this state."""
    member = find(pk)
    require(request, member, "view")
    seen = request.GET.get("seen")
    if seen and seen == panels.state(resets.status(member)):
        return guarded(HttpResponse(status=204))
    # A panel that polls keeps the link that somebody asked for in it.
    is_page, shown = not permissions.may_change(request.user), request.GET.get("shown", "") if seen else ""
    return _panel(request, member, has_focus=not seen, is_page=is_page, revealed=shown)


@require_GET
@transaction.non_atomic_requests
def history(request: HttpRequest, pk: str) -> HttpResponse:
    """The timeline. It is fetched separately, to keep the edit view fast."""
    member = find(pk)
    require(request, member, "view")
    context = panels.history(request.user, member)
    if is_fetch(request):
        return guarded(render(request, TEMPLATES + "history.html", context))
    return page(request, member, "history_page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def correct(request: HttpRequest, pk: str) -> HttpResponse:
    """
    A GET asks for another address; the POST stores it and sends the link there.

    The site's hooks for editing a user run as in Wagtail's own view: one before may refuse, one after sees it done.
    """
    member = find(pk)
    require(request, member, "correct")
    if refused := _answer_of_hooks("before_edit_user", request, member):
        return refused
    form = address_form(member, request.POST if request.method == "POST" else None, is_page=not is_fetch(request))
    if form.is_valid() and not identity.problem(request):
        also, checked = form.wants_username, identity.answered(request)
        try:
            resets.correct(
                member,
                address=form.address,
                by=request.user,
                tell_former=True,
                also_username=also,
                checked=checked,
            )
        except SendRefused as error:
            # Nothing was stored, but the object has the new address: read it again.
            return _refused(request, find(pk), error.refusal)
        answer = _answer_of_hooks("after_edit_user", request, member)
        return _panel(request, member) if answer is None or is_fetch(request) else answer
    return _confirm(request, member, "correct", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def send(request: HttpRequest, pk: str) -> HttpResponse:
    """A GET says what sending will do; the POST does exactly that, and asks again if things have changed."""
    member = find(pk)
    require(request, member, "send")
    if request.method != "POST":
        return _confirm(request, member, "send")
    if _is_to_be_warned(request, member):
        return _confirm(request, member, "send")
    try:
        effect, site = _effect(request), links.site_chosen(request.POST.get(site_choice.FIELD, ""))
        verb = resets.rotate if effect == Effect.REPLACES else resets.send
        verb(member, by=request.user, site=site, expected=effect)
    except (EffectChanged, SiteNotOffered):
        return _confirm(request, member, "send", has_changed=True)
    except SendRefused as refused:
        return _refused(request, member, refused.refusal)
    return _panel(request, member)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def hand_out(request: HttpRequest, pk: str) -> HttpResponse:
    """A GET says what getting a link without an email will do; the POST does it, and shows the link."""
    member = find(pk)
    require(request, member, "hand_out")
    if request.method != "POST" or identity.problem(request):
        return _confirm(request, member, "hand_out")
    try:
        effect, site = _effect(request), links.site_chosen(request.POST.get(site_choice.FIELD, ""))
        fresh, checked = effect == Effect.REPLACES, identity.answered(request)
        resets.hand_out(member, by=request.user, fresh=fresh, site=site, expected=effect, checked=checked)
    except (EffectChanged, SiteNotOffered):
        return _confirm(request, member, "hand_out", has_changed=True)
    except SendRefused as refused:
        return _refused(request, member, refused.refusal, is_link=True)
    except MemberResetError:
        return _panel(request, member, notice=str(wording.NO_LINK))
    return _panel(request, member, reveal=True, is_page=not is_fetch(request))


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def unblock(request: HttpRequest, pk: str) -> HttpResponse:
    """A GET asks; the POST has the mail service mail the address again, and sends again if that was done."""
    member = find(pk)
    require(request, member, "unblock")
    status = resets.status(member)
    offered = unblock_words.offer(status, permissions.rights(request.user, member))
    if status.email is None or not offered or not offered["has_api"]:
        return _panel(request, member)
    if request.method != "POST" or request.POST.get("email") != str(status.email.pk):
        return _confirm(request, member, "unblock", has_changed=request.method == "POST")
    if _is_to_be_warned(request, member):
        return _confirm(request, member, "unblock")
    status.email.member = member
    try:
        outcome = resets.unblock(status.email, by=request.user)
        if outcome != Unblocked.DONE:
            return _panel(request, member, notice=str(unblock_words.OUTCOMES[outcome]))
        resets.send(member, by=request.user)
    except BlockListError as error:
        return _panel(request, member, notice=str(unblock_words.TROUBLES[error.trouble]))
    except SendRefused as refused:
        return _refused(request, member, refused.refusal)
    return _panel(request, member)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def revoke(request: HttpRequest, pk: str) -> HttpResponse:
    """A GET asks; the POST ends the link that was asked about, and no newer one."""
    member = find(pk)
    require(request, member, "send")
    status = resets.status(member)
    if request.method != "POST":
        return _confirm(request, member, "revoke")
    if status.reset is not None and request.POST.get("reset") == str(status.reset.pk):
        resets.revoke(status.reset, by=request.user)
    return _panel(request, member)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def do_not_email(request: HttpRequest, pk: str) -> HttpResponse:
    """A GET asks for the reason; the POST notes it, or takes it back."""
    member = find(pk)
    require(request, member, "send")
    if request.method != "POST":
        return _confirm(request, member, "do_not_email")
    account.answer(member, request.POST.get("reason", ""), by=request.user)
    return _panel(request, member)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def reveal(request: HttpRequest, pk: str) -> HttpResponse:
    """
    Show the link, which is logged before. A GET asks how it was checked who wants it; without that question, it comes
    from who had to sign in again after the click.
    """
    member = find(pk)
    if request.method != "POST" and not identity.is_asked():
        return guarded(redirect(panels.page_url(request.user, member)))
    require(request, member, "link")
    if request.method != "POST" or identity.problem(request):
        return _confirm(request, member, "reveal")
    identity.note(request, member)
    return _panel(request, member, reveal=True, is_page=not is_fetch(request))


@require_POST
@transaction.non_atomic_requests
def copied(request: HttpRequest, pk: str) -> HttpResponse:
    """Log that the link was copied. The browser says so: that proves nothing, and opens nothing behind a click."""
    member = find(pk)
    require(request, member, "link")
    reset = resets.status(member).reset
    if reset is not None and request.POST.get("reset") == str(reset.pk) and reset.is_live:
        is_behind_a_click = permissions.rights(request.user, member).reveal
        if not is_behind_a_click or links.has_viewed(reset, request.user):
            resets.note_copied(reset, by=request.user)
    return guarded(HttpResponse(status=204))


def _answer_of_hooks(name: str, request: HttpRequest, member: Any) -> HttpResponse | None:
    """What the first of the site's hooks that answers at all answers; to a fetch, which has no place for it, a 403."""
    for hook in hooks.get_hooks(name):
        answer = hook(request, member)
        if hasattr(answer, "status_code"):
            return HttpResponseForbidden() if is_fetch(request) else answer
    return None


def _is_to_be_warned(request: HttpRequest, member: Any) -> bool:
    """Whoever is not to be emailed, or has complained, is emailed only by who was told so."""
    is_told = request.GET.get("asked") or request.POST.get("asked")
    return not is_told and panels.warns_before_sending(member)


def _refused(request: HttpRequest, member: Any, refusal: Refusal, *, is_link: bool = False) -> HttpResponse:
    """The panel says what is wrong with an account. Where a limit is used up, add that, and log the refusal."""
    notice = wording.spent(refusal, name=wording.person(member), is_link=is_link)
    if notice:
        resets.note_refused(member, by=request.user)
        if not is_fetch(request):
            messages.warning(request, notice)
    return _panel(request, member, notice=notice)


def _effect(request: HttpRequest) -> Effect:
    try:
        return Effect(request.POST.get("effect", ""))
    except ValueError as error:
        # Nobody was asked, so ask first.
        raise EffectChanged("none") from error


def _panel(
    request: HttpRequest,
    member: Any,
    *,
    reveal: bool = False,
    revealed: str = "",
    is_page: bool = False,
    has_focus: bool = True,
    notice: str = "",
) -> HttpResponse:
    if is_fetch(request):
        context = panels.context(request.user, member, reveal=reveal, revealed=revealed)
        context |= {"has_focus": has_focus, "notice": notice}
        return guarded(render(request, TEMPLATES + "panel.html", context))
    if is_page:
        context = panels.context(request.user, member, reveal=reveal)
        return page(request, member, "panel_page.html", {**context, "member_reset": context})
    return guarded(redirect(panels.page_url(request.user, member)))


def _confirm(
    request: HttpRequest, member: Any, question: str, *, has_changed: bool = False, form: AddressForm | None = None
) -> HttpResponse:
    context = panels.facts(request.user, member) | {"question": question, "form": form}
    if question in site_choice.QUESTIONS:
        context |= site_choice.context(request, context["status"], context["offered_sites"])
    # That another site was chosen is said by itself.
    context["has_changed"] = has_changed and not context.get("is_other_site")
    if question == "do_not_email":
        context["reasons"] = DoNotEmailReason.choices
    context |= identity.context(request, question)
    if question == "correct":
        context["is_told"] = resets.is_told(member, address=context["status"].address, by=request.user)
    if is_fetch(request):
        return guarded(render(request, TEMPLATES + "confirm.html", {**context, "has_focus": True}))
    return page(request, member, "confirm_page.html", context)
