"""One thin adapter for every target: ask for a link, read the mails, open a link, set a password."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit

import time_machine
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.score.targets import Target

FORM = "application/x-www-form-urlencoded"
LINK = re.compile(r"https?://\S+")


class Adapter:
    """The target from outside, through Django's test client: no server and no network between."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.client = Client(raise_request_exception=False)
        self._networks = count()

    def request(self, address: str, **headers: str) -> Any:
        """Ask for a link, as somebody who has no cookie yet, from a network not seen before."""
        self.client.cookies.clear()
        number = next(self._networks)
        network = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        body = urlencode({"email": address}, errors="surrogatepass")
        return self.client.post(self.target.request_path, body, content_type=FORM, REMOTE_ADDR=network, **headers)

    def follow(self, response: Any) -> Any:
        """The page that an answer leads to."""
        return self._get(response.headers["Location"])

    def mails(self) -> list[Any]:
        """Every mail so far, once none is on its way any more."""
        if self.target.is_ours:
            # Only this target's site has the app.
            from wagtail_member_reset.outbox.background import sender

            if not sender.wait(timeout=1800):
                raise TimeoutError("The thread did not come to an end with its mails.")
        return list(getattr(mail, "outbox", []))

    def link_to(self, address: str) -> str:
        """The newest link that an address got, or nothing."""
        for message in reversed(self.mails()):
            if message.to == [address]:
                for link in LINK.findall(message.body):
                    if self.target.link_part in link:
                        return link
        return ""

    def open(self, link: str) -> Any:
        """The page with the form, behind whatever redirects stand before it; its address is `page.path`."""
        self.client.cookies.clear()
        return self._settle(self._get(link))

    def set_password(self, link: str, password: str) -> Any:
        """Fill in the form behind a link and send it off."""
        submit = self.fill(link, password)
        return submit() if submit else None

    def fill(self, link: str, password: str) -> Callable[[], Any] | None:
        """Fill in the form behind a link; what sends it off, or nothing where there is no form."""
        page = self.open(link)
        form = Form.of(page.content.decode())
        if not form.passwords:
            return None
        data = urlencode({**form.hidden, **dict.fromkeys(form.passwords, password)})
        return lambda: self.client.post(page.path, data, content_type=FORM, secure=page.is_secure)

    def another(self) -> Adapter:
        """The same site, seen from another browser."""
        return Adapter(self.target)

    def an_hour_later(self) -> None:
        """What the site itself does about mails that did not leave: its cron job, with the clock put forward."""
        self.mails()
        if self.target.is_ours:
            with time_machine.travel(timezone.now() + timedelta(hours=1)):
                call_command("deliver_member_resets", stdout=StringIO())

    def _settle(self, response: Any) -> Any:
        for _ in range(5):
            if not 300 <= response.status_code < 400:
                break
            response = self._get(response.headers["Location"], secure=response.wsgi_request.is_secure())
        response.path, response.is_secure = response.wsgi_request.path, response.wsgi_request.is_secure()
        return response

    def _get(self, address: str, *, secure: bool = False) -> Any:
        parts = urlsplit(address)
        return self.client.get(parts.path, secure=secure or parts.scheme == "https")


class Form(HTMLParser):
    """The fields of a page's form that are hidden, and those for a password."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.passwords: list[str] = []

    @classmethod
    def of(cls, html: str) -> Form:
        form = cls()
        form.feed(html)
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag != "input" or not given.get("name"):
            return
        if given.get("type") == "hidden":
            self.hidden[str(given["name"])] = given.get("value") or ""
        elif given.get("type") == "password":
            self.passwords.append(str(given["name"]))
