"""The question how staff checked who is asking, before they are shown a link or change an address."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from .. import redact, resets
from ..accounts import one_line
from ..conf import conf

FIELD = "member-reset-identity"
LONGEST_ANSWER = 150
# Which of the panel's questions it stands in.
QUESTIONS = ("reveal", "hand_out", "correct")


def is_asked() -> bool:
    return conf.IDENTITY_CHECK != "off"


def context(request: HttpRequest, question: str) -> dict[str, Any]:
    """What the field's template needs; nothing where it is not asked."""
    if question not in QUESTIONS or not is_asked():
        return {}
    return {
        "identity_field": FIELD,
        "identity": request.POST.get(FIELD, "")[:LONGEST_ANSWER],
        "longest_identity": LONGEST_ANSWER,
        "is_identity_required": conf.IDENTITY_CHECK == "required",
        "identity_problem": problem(request) if request.method == "POST" else "",
    }


def problem(request: HttpRequest) -> str:
    """What is wrong with the answer; empty where nothing is."""
    if conf.IDENTITY_CHECK == "required" and not _answer(request):
        return _("Say how you checked it, in a few words. Nothing was done.")
    return ""


def note(request: HttpRequest, member: Any) -> None:
    """Log the answer, before what it was asked for is done."""
    if answer := answered(request):
        resets.note_checked(member, by=request.user, answer=answer)


def answered(request: HttpRequest) -> str:
    """The answer, for what logs it with what it does; empty where nothing is asked."""
    return _answer(request) if is_asked() else ""


def _answer(request: HttpRequest) -> str:
    return redact.blank_out_any(one_line(request.POST.get(FIELD, "")))[:LONGEST_ANSWER]
