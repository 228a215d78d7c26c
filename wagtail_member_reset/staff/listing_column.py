"""
The column "Password" in Wagtail's user listing, its filter, and "Send password reset" in the menu of each row.

All of it comes with the query of the listing: no further query, however many rows.
"""

from __future__ import annotations

from typing import Any

import django_filters
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.db.models import BooleanField, Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.forms import Media
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column
from wagtail.admin.widgets.button import Button

from ..accounts import has_passwords, has_set_password, keeps_last_login, refusal_conditions
from ..models import DeliveryEvent, EmailState, Reason, ResetEmail, State
from ..reports import Outcome
from . import bulk_button, permissions
from .media import LISTING_MEDIA

STATUS, MAY_SEND = "member_reset_status", "member_reset_may_send"
NOBODY = Q(pk__in=[])
# The words of the member's tab. The database cannot read what a mail service says of a bounce, so one that the service
# held back is "Bounced" here and "Refused" there.
STATUSES = {
    "in": _("Has signed in"),
    "set": _("Password set"),
    "bounced": _("Bounced"),
    "refused": _("Refused"),
    "failed": _("Failed"),
    "unsent": _("Not sent"),
    "expired": _("Link expired"),
    "cancelled": _("Link cancelled"),
    "ended": _("Link ended"),
    "sent": _("Link sent"),
    "never": _("Never signed in"),
}


def with_status(accounts: QuerySet[Any], *, reader: Any) -> QuerySet[Any]:
    """The accounts with what the reader may know of their passwords; empty for those out of the reader's reach."""
    latest = ResetEmail.objects.with_link().filter(member=OuterRef("pk"), replaced_at=None)
    accounts = accounts.annotate(
        member_reset_email=Subquery(latest.exclude(reset=None).order_by("-pk").values("pk")[:1])
    )
    told = DeliveryEvent.objects.filter(email=OuterRef("member_reset_email"))
    email = ResetEmail.objects.filter(pk=OuterRef("member_reset_email"))
    failed = email.filter(state=EmailState.FAILED)
    revoked = email.filter(reset__state=State.REVOKED)
    has_ended = email.filter(reset__state=State.ACTIVE, reset__expires_at__lte=timezone.now())
    has_signed_in = Q(last_login__isnull=False) if keeps_last_login(get_user_model()) else NOBODY
    status = Case(
        When(permissions.hidden_from(reader) or NOBODY, then=Value("")),
        When(has_signed_in, then=Value("in")),
        When(has_set_password(), then=Value("set")),
        When(
            Exists(told.filter(event_type="bounced")) & ~Exists(told.filter(event_type="delivered")), Value("bounced")
        ),
        When(Exists(failed.filter(outcome=Outcome.BOUNCED)), then=Value("bounced")),
        When(Exists(email.filter(outcome=Outcome.NOT_SENT)), then=Value("refused")),
        When(Exists(failed), then=Value("failed")),
        When(Exists(email.filter(state=EmailState.SKIPPED)), then=Value("unsent")),
        When(Exists(revoked.filter(reset__reason=Reason.STAFF)), then=Value("cancelled")),
        When(Exists(revoked), then=Value("ended")),
        When(Exists(has_ended), then=Value("expired")),
        When(member_reset_email__isnull=False, then=Value("sent")),
        default=Value("never"),
        output_field=CharField(),
    )
    against = permissions.beyond(reader) or NOBODY
    for condition in refusal_conditions(get_user_model()).values():
        against |= condition
    may_send = Case(When(against, then=Value(False)), default=Value(True), output_field=BooleanField())
    listed: QuerySet[Any] = accounts.annotate(**{STATUS: status, MAY_SEND: may_send})
    return listed


def with_filter(filters: type) -> type:
    """The listing's own filters, and one by the status of the password."""
    chosen = django_filters.ChoiceFilter(field_name=STATUS, label=_("Password"), choices=tuple(STATUSES.items()))
    return type(filters.__name__, (filters,), {STATUS: chosen})


class ListingMixin:
    """For the site's own listing of users. Adds nothing for who may see no resets, nor where there are no passwords."""

    request: Any
    filterset_class: Any

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        # Wagtail's viewset hands the filters to each view, so that a property of the class would be passed over.
        self.request = request
        if self._is_shown and self.filterset_class:
            self.filterset_class = with_filter(self.filterset_class)
        super().setup(request, *args, **kwargs)  # type: ignore[misc]

    @cached_property
    def _is_shown(self) -> bool:
        return has_passwords() and permissions.may_see_resets(self.request.user)

    @cached_property
    def columns(self) -> list[Any]:
        columns = list(super().columns)  # type: ignore[misc]
        if not self._is_shown:
            return columns
        return [*columns, Column(STATUS, label=_("Password"), accessor=_words, classname="member-reset-password")]

    def get_base_queryset(self) -> QuerySet[Any]:
        accounts: QuerySet[Any] = super().get_base_queryset()  # type: ignore[misc]
        return with_status(accounts, reader=self.request.user) if self._is_shown else accounts

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)  # type: ignore[misc]
        context["media"] = context.get("media", Media()) + LISTING_MEDIA
        return context

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> Any:
        response = super().render_to_response(context, **kwargs)  # type: ignore[misc]
        if isinstance(response, TemplateResponse) and not bulk_button.may_use(self.request.user):
            response.add_post_render_callback(bulk_button.take_out)
        return response

    def get_list_more_buttons(self, instance: Any) -> list[Any]:
        buttons: list[Any] = super().get_list_more_buttons(instance)  # type: ignore[misc]
        if self._is_shown and permissions.may_send(self.request.user) and getattr(instance, MAY_SEND, False):
            url = reverse("wagtail_member_reset_admin:send", args=[quote(instance.pk)])
            buttons.append(Button(_("Send password reset"), url=url, icon_name="mail", priority=25))
        return buttons


def _words(account: Any) -> Any:
    return STATUSES.get(getattr(account, STATUS, ""), "")
