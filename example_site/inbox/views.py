"""Everybody's mail, readable by all: for the demo alone, so a site that is not in DEBUG has no such page."""

from functools import wraps

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from .models import ReceivedEmail

NEWEST = 100


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
    return render(request, "inbox/email.html", {"email": get_object_or_404(ReceivedEmail, pk=pk)})


@only_in_demo
@xframe_options_sameorigin
def html(request, pk):
    """The HTML part by itself, for a frame in which it can do nothing but open links in a new tab."""
    response = HttpResponse(get_object_or_404(ReceivedEmail, pk=pk).html)
    rules = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'"
    response["Content-Security-Policy"] = rules
    return response
