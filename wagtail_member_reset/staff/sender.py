"""Whom the emails of each site are from: the list, and the form with its rules, in Wagtail's own views."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.models import Site

from .. import redact, senders, texts
from ..accounts import clean_address
from ..models import SiteSender
from . import site_choice
from .media import FORM_MEDIA


class SenderForm(WagtailAdminModelForm):  # type: ignore[misc]
    """What is empty is as the settings say, which stands beside it."""

    class Meta:
        model = SiteSender
        fields = ["site", "from_name", "from_address", "reply_to", "support_contact"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer_sites(self.fields["site"])
        self.fields["site"].help_text = site_choice.where_links_lead()
        for name, text in _help_texts().items():
            self.fields[name].help_text = text

    @property
    def media(self) -> forms.Media:
        own: forms.Media = super().media + FORM_MEDIA
        return own

    def _offer_sites(self, field: Any) -> None:
        if self.instance.pk:
            field.disabled = True
            return
        field.queryset = Site.objects.filter(wagtail_member_reset_sender=None).order_by("-is_default_site", "hostname")
        if len(found := list(field.queryset[:2])) == 1:
            field.initial = found[0]

    def clean_from_name(self) -> str:
        name = self._without_link("from_name")
        if name and not senders.is_plain_name(name):
            raise ValidationError(
                _(
                    "Use letters, digits, spaces and plain punctuation: no line break, no emoji, no quotation mark, "
                    "nothing invisible, and nothing that looks like an address or a web page."
                ),
                code="name",
            )
        return " ".join(name.split())

    def clean_from_address(self) -> str:
        address = self._one_address("from_address")
        if address and not senders.is_listed(address):
            raise _no_such_domain(
                address,
                _(
                    "Emails cannot be sent from %(domain)s. Choose an address at %(domains)s, or ask your "
                    "administrator to add the domain to WAGTAIL_MEMBER_RESET_FROM_DOMAINS."
                ),
            )
        return address

    def clean_reply_to(self) -> str:
        address = self._one_address("reply_to")
        if address and not senders.may_answer(address):
            raise _no_such_domain(
                address,
                _(
                    "Replies cannot go to %(domain)s. Choose an address at %(domains)s, or ask your administrator to "
                    "add the domain to WAGTAIL_MEMBER_RESET_FROM_DOMAINS."
                ),
            )
        return address

    def clean_support_contact(self) -> str:
        contact = self._without_link("support_contact").strip()
        if contact and not senders.is_contact(contact):
            raise ValidationError(_("Enter one email address, or the address of a web page."), code="contact")
        site = self.cleaned_data.get("site")
        if not contact or not site or senders.may_help(contact, site):
            return contact
        if not senders.is_address(contact):
            raise ValidationError(_("Choose a web page of this site: members trust what its emails say."), code="page")
        raise _no_such_domain(
            contact,
            _(
                "Members cannot be told to write to %(domain)s. Choose an address at %(domains)s, or ask your "
                "administrator to add the domain to WAGTAIL_MEMBER_RESET_FROM_DOMAINS."
            ),
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [cleaned.get(name) for name in self.fields if name != "site"]
        if not self.errors and not any(chosen):
            raise ValidationError(_("Everything is empty, so nothing would differ from the settings."))
        return cleaned

    def _without_link(self, name: str) -> str:
        """Refuse a personal link: it would be kept, shown to staff, and emailed to everybody."""
        text = str(self.cleaned_data[name])
        if redact.has_link(text):
            raise ValidationError(texts.personal_link(), code="personal_link")
        return text

    def _one_address(self, name: str) -> str:
        address = clean_address(self._without_link(name))
        if address and not senders.is_address(address):
            raise ValidationError(_("Enter one plain email address, without a name."), code="address")
        return address


def _no_such_domain(address: str, said: str) -> ValidationError:
    """That the domain of an address is not listed; `said` names it and those that are. Other words, if none is."""
    if not senders.domains():
        return ValidationError(_no_domains(), code="domain")
    named = {"domain": address.rpartition("@")[2], "domains": _listed()}
    return ValidationError(said, params=named, code="domain")


def _listed() -> str:
    return ", ".join(senders.domains())


def _no_domains() -> str:
    return _("No domain is allowed: ask your administrator to list yours in WAGTAIL_MEMBER_RESET_FROM_DOMAINS.")


def _help_texts() -> dict[str, str]:
    usual = senders.default()
    listed, own_page = _no_domains(), _("A web page has to be one of this site.")
    answers = _("Where replies go. Leave empty, and they go to the From address.")
    helps = _("Whom members may ask: an email address, or a web page. It appears in the emails.")
    named = _("Leave empty for the name in %(usual)s.") % {"usual": usual.from_email}
    if domains := _listed():
        listed = _("At one of these domains: %(domains)s.") % {"domains": domains}
    return {
        "from_name": named if usual.from_email else "",
        "from_address": f"{listed} {_if_empty(usual.address)}",
        "reply_to": f"{answers} {listed}",
        "support_contact": f"{helps} {listed} {own_page} {_if_empty(usual.support_contact)}",
    }


def _if_empty(usual: str) -> str:
    return _("Leave empty for %(usual)s.") % {"usual": usual} if usual else ""


class SenderColumn(Column):  # type: ignore[misc]
    """What the site's emails are from now, and whether that is what was chosen."""

    def get_value(self, instance: SiteSender) -> str:
        sender = senders.sender_of(instance)
        if not sender.is_refused:
            return sender.from_email
        return _("%(sender)s, since what was chosen may not be used: edit it.") % {"sender": sender.from_email}


class SenderIndexView(generic.IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> Any:
        return super().get_base_queryset().select_related("site")


class SenderViewSet(ModelViewSet):  # type: ignore[misc]
    model = SiteSender
    icon = "mail"
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = False
    index_view_class = SenderIndexView
    list_display = [
        TitleColumn("site", label=pgettext_lazy("Wagtail site", "Site"), url_name="wagtail_member_reset_sender:edit"),
        SenderColumn("sender", label=pgettext_lazy("an email", "From")),
        Column("reply_to", label=gettext_lazy("Reply-To")),
        Column("support_contact", label=gettext_lazy("Contact for questions")),
    ]
    ordering = ["site__hostname"]

    def get_form_class(self, for_update: bool = False) -> type[forms.ModelForm]:  # type: ignore[type-arg]
        return SenderForm
