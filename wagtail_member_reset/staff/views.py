"""What staff's clicks do. Each view answers a fetch with the panel's new content, and a plain request with a page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from wagtail.admin.utils import get_user_display_name

from .. import resets
from ..exceptions import EffectChanged, Refusal, SendRefused
from ..links import Effect
from . import panel as panels
from . import permissions, wording
from .forms import AddressForm, address_form
from .media import MEDIA

TEMPLATES = "wagtail_member_reset/staff/"


@require_GET
@transaction.non_atomic_requests
def panel(request: HttpRequest, pk: str) -> HttpResponse:
    """The panel as it stands now; nothing at all (204) for a panel that has `seen` this state already."""
    member = _member_or_404(pk)
    _require(request, member, "view")
    seen = request.GET.get("seen")
    if seen and seen == panels.state(resets.status(member)):
        return _guarded(HttpResponse(status=204))
    return _panel(request, member, has_focus=not seen, is_page=not permissions.may_change(request.user))


@require_GET
@transaction.non_atomic_requests
def history(request: HttpRequest, pk: str) -> HttpResponse:
    """What happened, step by step: asked for on its own, so that the edit view stays light."""
    member = _member_or_404(pk)
    _require(request, member, "view")
    context = panels.history(request.user, member)
    if _is_fetch(request):
        return _guarded(render(request, TEMPLATES + "history.html", context))
    return _page(request, member, "history_page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def correct(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask for another address; then store it and send there, in one go."""
    member = _member_or_404(pk)
    _require(request, member, "correct")
    form = address_form(member, request.POST if request.method == "POST" else None, is_page=not _is_fetch(request))
    if form.is_valid():
        try:
            resets.correct(member, address=form.address, by=request.user)
        except SendRefused as refused:
            # Nothing was stored, so what is in hand is out of date.
            return _refused(request, _member_or_404(pk), refused.refusal)
        return _panel(request, member)
    return _confirm(request, member, "correct", form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def send(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask what sending will do, then do just that: if it would do something else by now, ask again."""
    member = _member_or_404(pk)
    _require(request, member, "send")
    if request.method != "POST":
        return _confirm(request, member, "send")
    try:
        effect = _effect(request)
        verb = resets.rotate if effect == Effect.REPLACES else resets.send
        verb(member, by=request.user, expected=effect)
    except EffectChanged:
        return _confirm(request, member, "send", has_changed=True)
    except SendRefused as refused:
        return _refused(request, member, refused.refusal)
    return _panel(request, member)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def revoke(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask, then end the link that was asked about, and no other."""
    member = _member_or_404(pk)
    _require(request, member, "send")
    status = resets.status(member)
    if request.method != "POST":
        return _confirm(request, member, "revoke")
    if status.reset is not None and request.POST.get("reset") == str(status.reset.pk):
        resets.revoke(status.reset, by=request.user)
    return _panel(request, member)


@require_POST
@transaction.non_atomic_requests
def reveal(request: HttpRequest, pk: str) -> HttpResponse:
    """Show the link on request, once that is in the log."""
    member = _member_or_404(pk)
    _require(request, member, "link")
    reset = resets.status(member).reset
    if reset is not None and resets.link(reset):
        resets.note_revealed(reset, by=request.user)
    return _panel(request, member, reveal=True, is_page=not _is_fetch(request))


@require_POST
@transaction.non_atomic_requests
def copied(request: HttpRequest, pk: str) -> HttpResponse:
    """Note that the link was copied. It is what the browser says, not a proof."""
    member = _member_or_404(pk)
    _require(request, member, "link")
    reset = resets.status(member).reset
    if reset is not None and request.POST.get("reset") == str(reset.pk) and reset.is_live:
        resets.note_copied(reset, by=request.user)
    return _guarded(HttpResponse(status=204))


def _member_or_404(pk: str) -> Any:
    try:
        return get_user_model()._default_manager.get(pk=unquote(pk))
    except (get_user_model().DoesNotExist, ValueError, OverflowError, ValidationError) as error:
        raise Http404 from error


def _require(request: HttpRequest, member: Any, right: str) -> None:
    if getattr(permissions.rights(request.user, member), right):
        return
    if request.method == "POST":
        resets.note_refused(member, by=request.user)
    raise PermissionDenied


def _refused(request: HttpRequest, member: Any, refusal: Refusal) -> HttpResponse:
    """The panel, which says by itself what is wrong with an account, and here also what is spent."""
    notice = wording.spent(refusal, name=wording.person(member))
    if notice:
        resets.note_refused(member, by=request.user)
        if not _is_fetch(request):
            messages.warning(request, notice)
    return _panel(request, member, notice=notice)


def _effect(request: HttpRequest) -> Effect:
    try:
        return Effect(request.POST.get("effect", ""))
    except ValueError as error:
        # Nobody was asked, so nobody has agreed: answer with the question.
        raise EffectChanged("none") from error


def _panel(
    request: HttpRequest,
    member: Any,
    *,
    reveal: bool = False,
    is_page: bool = False,
    has_focus: bool = True,
    notice: str = "",
) -> HttpResponse:
    if _is_fetch(request):
        context = panels.context(request.user, member, reveal=reveal) | {"has_focus": has_focus, "notice": notice}
        return _guarded(render(request, TEMPLATES + "panel.html", context))
    if is_page:
        context = panels.context(request.user, member, reveal=reveal)
        return _page(request, member, "panel_page.html", {**context, "member_reset": context})
    return _guarded(redirect(panels.page_url(request.user, member)))


def _confirm(
    request: HttpRequest, member: Any, question: str, *, has_changed: bool = False, form: AddressForm | None = None
) -> HttpResponse:
    context = panels.facts(request.user, member) | {"question": question, "has_changed": has_changed, "form": form}
    if _is_fetch(request):
        return _guarded(render(request, TEMPLATES + "confirm.html", {**context, "has_focus": True}))
    return _page(request, member, "confirm_page.html", context)


def _page(request: HttpRequest, member: Any, template: str, context: dict[str, Any]) -> HttpResponse:
    name = get_user_display_name(member)
    title = _("Password reset for %(name)s") % {"name": name}
    page = {"page_title": title, "header_title": title, "header_icon": "key", "page_media": MEDIA}
    return _guarded(render(request, TEMPLATES + template, {**context, **page}))


def _is_fetch(request: HttpRequest) -> bool:
    return request.headers.get("x-requested-with") == "XMLHttpRequest"


def _guarded(response: HttpResponse) -> HttpResponse:
    """What may hold a link is kept by nobody and framed by nobody."""
    add_never_cache_headers(response)
    patch_cache_control(response, no_store=True)
    response["Referrer-Policy"] = "same-origin"
    response["X-Frame-Options"] = "DENY"
    return response
