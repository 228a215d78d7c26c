"""What is said of a mailing beside who gets it: its form, and the page that changes it while nobody got an email."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from .. import links, mailings, redact
from ..conf import conf
from ..mailing import LONGEST_NAME, MOST_PER_HOUR, clean_name, clean_paragraph, name_by_date
from ..models import Mailing, MailingState
from . import mailing_times, mailing_words, site_choice
from .mailing_pages import find, page, url

LONGEST_PARAGRAPH = 1000


class DetailsForm(forms.Form):
    """The details of a mailing. `details` has them as `mailings.drafted` takes them."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=LONGEST_NAME,
        help_text=gettext_lazy("For staff: members do not see it. For instance “Renewal 2027”."),
    )
    paragraph = forms.CharField(
        label=gettext_lazy("A paragraph of your own"),
        required=False,
        max_length=LONGEST_PARAGRAPH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Members read it in the email, below the greeting. Plain text, in their language."),
    )
    again = forms.BooleanField(
        label=gettext_lazy("Include people who already have a working link"),
        required=False,
    )
    per_hour = forms.IntegerField(
        label=gettext_lazy("Maximum emails per hour"),
        required=False,
        min_value=1,
        max_value=MOST_PER_HOUR,
        help_text=gettext_lazy("Leave empty for full speed. A new mail service may require a slow start."),
    )
    starts_at = mailing_times.start_field()
    hours_from = mailing_times.hours_field(gettext_lazy("Sending hours: from"))
    hours_to = mailing_times.hours_field(gettext_lazy("Sending hours: until"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if offered := links.offered_sites():
            self.fields[site_choice.FIELD] = site_choice.field(offered, _help_of_site())
            self.order_fields(["name", "kind", "groups", "file", site_choice.FIELD])
        now = timezone.now()
        self.fields["name"].initial = name_by_date(now)
        self.fields["again"].help_text = _(
            "A link less than %(window)s old is sent again. An older link is replaced by a new one and stops working."
        ) % {"window": timesince(now - conf.STATUS_WINDOW, now)}
        for name, text in mailing_times.help_texts().items():
            self.fields[name].help_text = text
        for field in self:
            if not field.use_fieldset:
                # Wagtail by itself would have a screen reader read the help, and not the error.
                field.field.widget.attrs["aria-describedby"] = f"{field.auto_id}-helptext {field.auto_id}-errors"

    @property
    def details(self) -> dict[str, Any]:
        found = {name: self.cleaned_data[name] for name in DetailsForm.base_fields}
        if site := self.cleaned_data.get(site_choice.FIELD):
            found["site"] = site
        return found

    def clean_name(self) -> str:
        name = clean_name(self.cleaned_data["name"])
        if not name:  # what is left of invisible characters
            raise forms.ValidationError(self.fields["name"].error_messages["required"], code="required")
        return _without_link(name)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not {"hours_from", "hours_to"} & self.errors.keys() and (problem := mailing_times.problem_of_hours(cleaned)):
            self.add_error("hours_to", problem)
        return cleaned

    def clean_paragraph(self) -> str:
        return _without_link(clean_paragraph(self.cleaned_data["paragraph"]))


def _help_of_site() -> str:
    if conf.BASE_URL:
        return _(
            "The emails have the text and the sender of that site. All links lead to %(address)s. A link that is sent "
            "again stays as it is."
        ) % {"address": conf.BASE_URL}
    return _(
        "New links lead there, with the text and the sender of that site. A link that is sent again stays as it is."
    )


def _without_link(text: str) -> str:
    """Refuse a personal link: it would be kept, shown to staff, and emailed to everybody."""
    if redact.has_link(text):
        raise forms.ValidationError(
            _("This is a personal link: it opens somebody’s account. Take it out. Each email has a link of its own."),
            code="personal_link",
        )
    return text


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def details(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is said of a draft. Leads back to its preview."""
    mailing = find(request, pk)
    if mailing.state != MailingState.DRAFT:
        return redirect(url(mailing))
    if request.method != "POST":
        return _form(request, mailing, DetailsForm(initial=_said(mailing)))
    form = DetailsForm(request.POST)
    if not form.is_valid():
        return _form(request, mailing, form)
    if not mailings.change(mailing, **form.details):
        messages.warning(request, _("Nothing changed: the mailing has been started."))
    return redirect(url(mailing))


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """A GET asks whether to delete a draft; the POST does it, and leads to the list."""
    mailing = find(request, pk)
    if mailing.state != MailingState.DRAFT:
        messages.warning(request, _("Nothing was deleted: the mailing has been started."))
        return redirect(url(mailing))
    name = mailing_words.name(mailing)
    if request.method != "POST":
        context = {"mailing": mailing, "name": name}
        return page(request, "mailing_delete.html", _("Delete this draft"), context, above=mailing)
    if not mailings.discard(mailing, by=cast(Any, request.user)):
        messages.warning(request, _("Nothing was deleted: the mailing has been started."))
        return redirect(url(mailing))
    messages.success(request, _("The draft “%(name)s” was deleted.") % {"name": name})
    return redirect(url())


def _said(mailing: Mailing) -> dict[str, Any]:
    said = {name: getattr(mailing, name) for name in DetailsForm.base_fields}
    return said | {site_choice.FIELD: str(mailing.site_id or "")}


def _form(request: HttpRequest, mailing: Mailing, form: DetailsForm) -> HttpResponse:
    title = _("Name, text and times")
    # A screen reader says the title first.
    shown = {"header_title": _("Error: %(title)s") % {"title": title}} if form.errors else {}
    context = {"form": form, "mailing": mailing, **shown}
    return page(request, "mailing_details.html", title, context, above=mailing)
