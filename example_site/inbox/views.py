"""Everybody's mail, readable by all: for the demo alone, so a site that is not in DEBUG has no such page."""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import linebreaks, urlize
from django.utils.safestring import mark_safe
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from wagtail_member_reset.models import ResetEmail

from . import reports
from .models import ReceivedEmail

NEWEST = 100
# A frame in which a mail can do nothing but open its links in a new tab.
FRAME = "allow-popups allow-popups-to-escape-sandbox"
FRAME_POLICY = f"sandbox {FRAME}; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def only_in_demo(view):
    @wraps(view)
    def wrapped(request, *args, **kwargs):
        if not settings.DEBUG:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


@only_in_demo
def index(request):
    return render(request, "inbox/index.html", {"emails": ReceivedEmail.objects.all()[:NEWEST]})


@only_in_demo
def email(request, pk):
    found = get_object_or_404(ReceivedEmail, pk=pk)
    sent = ResetEmail.objects.filter(public_id=found.metadata.get("member_reset")).first() if found.metadata else None
    context = {
        "email": found,
        "text": as_page(found.text),
        "frame": FRAME,
        "kinds": reports.KINDS,
        "sent": sent,
        "reported": sent.events.order_by("recorded_at", "pk") if sent else [],
    }
    return render(request, "inbox/email.html", context)


@only_in_demo
@require_POST
def report(request, pk):
    """Pretend to be the mail service that carried this mail."""
    found = get_object_or_404(ReceivedEmail, pk=pk)
    kind = request.POST.get("kind")
    if kind not in reports.KINDS:
        raise Http404
    said = reports.payload(kind, recipient=found.to, message_id=found.message_id, metadata=found.metadata)
    answer = reports.post(said)
    took = "The site has taken it." if answer.status_code == 200 else "The site has not taken it."
    messages.info(request, f"The mail service has reported: {reports.KINDS[kind]}. {took}")
    return redirect("inbox:email", pk)


@only_in_demo
@xframe_options_sameorigin
def html(request, pk):
    """The HTML part by itself, for the frame."""
    page = get_object_or_404(ReceivedEmail, pk=pk).html
    # As webmail does it: a link leaves the frame, which the page behind it would refuse to be shown in.
    response = HttpResponse(page.replace("<head>", '<head><base target="_blank">', 1))
    response["Content-Security-Policy"] = FRAME_POLICY
    return response


def as_page(text):
    """A text mail as mail programs show it, with links that open in a new tab."""
    linked = urlize(text, nofollow=True, autoescape=True).replace('rel="nofollow"', 'target="_blank" rel="noopener"')
    return mark_safe(linebreaks(linked))  # noqa: S308 - urlize has escaped it
