"""
The texts of emails as a snippet of Wagtail's: list, form, history, preview. Imported only where Wagtail's snippets are
installed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy, pgettext_lazy
from wagtail.admin.panels import FieldPanel, ObjectList, PublishingPanel
from wagtail.admin.ui.tables import Column, LiveStatusTagColumn, UpdatedAtColumn
from wagtail.snippets.views.snippets import CreateView, EditView, IndexView, SnippetViewSet

from ..models import EmailText
from ..texts import OwnPages
from . import email_text_test
from .email_text_aside import DefaultPanel, TestPanel
from .email_text_forms import EditForm, NewForm, taken
from .email_text_words import language_name, problem_of_published, site_name


class NewTextView(CreateView):  # type: ignore[misc]
    """Asks which email it is to be. The text itself is edited from the default on, on the next page."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        # Nothing is saved by itself before somebody has chosen.
        self.autosave_enabled = False

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse
        try:
            answer = super().form_valid(form)
        except IntegrityError:  # a colleague was a moment faster
            form.add_error("purpose", taken(form.instance.key_of()))
            self.produced_error_message = self.get_error_message()
            answer = self.form_invalid(form)
        return answer


class EditTextView(EditView):  # type: ignore[misc]
    """Sends a test of the draft that it saved, where one is wanted."""

    def save_action(self) -> HttpResponse:
        answer: HttpResponse = super().save_action()
        if email_text_test.WANTED in self.request.POST:
            # Not while a transaction is open, which the mail server would keep waiting.
            transaction.on_commit(partial(email_text_test.send, self.request, self.object))
        return answer


class TextIndexView(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> Any:
        return super().get_base_queryset().select_related("site")

    @cached_property
    def columns(self) -> list[Any]:
        """
        Of each request, since Wagtail's own take their labels as they are made, in the language of then. Which
        addresses are our own is asked once for all rows.
        """
        problem = partial(problem_of_published, own=OwnPages())
        used = Column("used", label=gettext_lazy("Problem"), accessor=problem)
        return [*super().columns, LiveStatusTagColumn(), used, UpdatedAtColumn()]


class EmailTextViewSet(SnippetViewSet):  # type: ignore[misc]
    model = EmailText
    icon = "mail"
    menu_label = gettext_lazy("Email texts")
    # It stands in our own menu, so that Wagtail's page of snippets has no need of it.
    menu_item_is_registered = True
    add_to_reference_index = False
    copy_view_enabled = False
    add_view_class = NewTextView
    edit_view_class = EditTextView
    index_view_class = TextIndexView
    list_display = [
        "__str__",
        Column("language", label=gettext_lazy("Language"), accessor=language_name, sort_key="language"),
        Column("site", label=pgettext_lazy("Wagtail site", "Site"), accessor=site_name),
    ]
    list_filter = ["purpose"]
    list_per_page = 50
    edit_handler = ObjectList(
        [
            TestPanel(),
            *[FieldPanel(name) for name in ("subject", "heading", "body", "button", "footer")],
            DefaultPanel(heading=gettext_lazy("The default text")),
            PublishingPanel(),
        ],
        base_form_class=EditForm,
    )
    new_handler = ObjectList([FieldPanel(name) for name in ("purpose", "language", "site")], base_form_class=NewForm)

    def get_form_class(self, for_update: bool = False) -> Any:
        return super().get_form_class(for_update) if for_update else self._new_handler.get_form_class()

    def get_add_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_add_view_kwargs(**kwargs), "panel": self._new_handler}

    @property
    def _new_handler(self) -> Any:
        return self.new_handler.bind_to_model(self.model)
