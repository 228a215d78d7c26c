"""After fifty mails: what somebody finds who gets hold of everything that the site has kept."""

import base64
import logging
import pickle
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.conftest import make_person
from tests.staff.pages import FETCH, LINK, url
from wagtail_member_reset import outbox, resets, tokens
from wagtail_member_reset.exceptions import Unredeemable, WindowClosed
from wagtail_member_reset.links import state
from wagtail_member_reset.models import PasswordReset, Purpose
from wagtail_member_reset.outbox.transport import Mailer

pytestmark = pytest.mark.slow

NEW = "An entirely new phrase 7"


@pytest.fixture
def everything_logged(caplog):
    """Every logger at DEBUG, with the statements of the database and their values."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate, logger.disabled = True, False
    caplog.set_level(logging.DEBUG)
    connection.force_debug_cursor = True
    yield caplog
    connection.force_debug_cursor = False
    for logger, level, propagate, disabled in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled


@pytest.fixture
def stories(db, office, settings, everything_logged, mailoutbox, monkeypatch):
    """Fifty mails in every way that there is, and what staff and members do with them, mistakes included."""
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"ip": "999/h", "address": "999/h"}
    people = [make_person(f"Person{number}", password="old password 1") for number in range(50)]
    staff = Client(raise_request_exception=False)
    staff.force_login(office)
    for number, person in enumerate(people):
        if number % 5 == 0:
            staff.post(url("send", person), {"effect": "new_link"}, **FETCH)
        elif number % 5 == 1:
            staff.post(url("send", person), {"effect": "new_link"}, follow=True)
        elif number % 5 == 2:
            Client().post(reverse("wagtail_member_reset:password_reset"), {"email": person.email})
        else:
            resets.send(person, by=office, purpose=Purpose.WELCOME)
    outbox.drain()
    for number, person in enumerate(people[:20]):
        reset = PasswordReset.objects.get(active_for=person)
        staff.get(url("panel", person), **FETCH)
        staff.post(url("copied", person), {"reset": reset.pk})
        use(resets.link(reset), number)
    with monkeypatch.context() as broken:
        # What goes wrong is logged, and may not quote what it went wrong with.
        broken.setattr(Mailer, "_send", lambda self, content, to, public_id: raising(content.text))
        resets.rotate(people[30], by=office)
        outbox.drain()
        broken.setattr("wagtail_member_reset.resets._holder", raising)
        use(resets.link(PasswordReset.objects.get(active_for=people[31])), 0)
    return people


@pytest.fixture
def links(db, office, mailoutbox):
    """Forty links that were mailed and not used."""
    for number in range(40):
        purpose = Purpose.WELCOME if number % 2 else Purpose.RESET
        resets.send(make_person(f"Person{number}"), by=office, purpose=purpose)
    outbox.drain()
    assert len(mailoutbox) == PasswordReset.objects.live().count() == 40


def use(link, number):
    """A member's browser: follows the link, fills in the form badly, well, twice, or not at all."""
    client = Client(raise_request_exception=False)
    page = client.get(link.replace("https://club.example", ""), follow=True)
    name = re.search(r'name="link" value="(\w+)"', page.content.decode())
    data = {"link": name[1] if name else "", "new_password1": "1" if number % 3 == 0 else NEW}
    for _ in range(number % 4):
        client.post(reverse("wagtail_member_reset:password_reset_set"), data, follow=True)
    client.get(link.replace("https://club.example", "")[:-3], follow=True)
    client.put(link.replace("https://club.example", ""))


def raising(*quoted):
    raise ConnectionError(*quoted)


def dump():
    """Every table, session and cached value, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [repr(bytes(value) if isinstance(value, memoryview) else value) for row in cursor for value in row]
    found += [repr(session.get_decoded()) for session in Session.objects.all()]
    found += [repr(pickle.loads(value)) for value in cache._cache.values()]
    return "\n".join(found)


def spellings(token):
    """A token, its secret and the proof of it, in every form in which they might lie about."""
    parsed = tokens.parse(token)
    for part in (token, parsed.secret, parsed.proof):
        yield part
        yield base64.b64encode(part.encode()).decode().rstrip("=")[:-1].lower()
        yield part.encode().hex()


def traceback_of(record):
    return logging.Formatter().formatException(record.exc_info) if record.exc_info else ""


def tokens_of(mailoutbox):
    return [LINK.search(mail.body)[0].rstrip("/")[-40:] for mail in mailoutbox if LINK.search(mail.body)]


def test_nothing_kept_or_logged_holds_a_token_a_secret_or_a_link(stories, mailoutbox, everything_logged):
    mailed = tokens_of(mailoutbox)
    records = everything_logged.get_records("setup")
    logged = "\n".join(record.getMessage() + traceback_of(record) for record in records)
    everything = (dump() + logged).lower()

    found = [spelling for token in mailed for spelling in spellings(token) if spelling in everything]

    assert len(set(mailed)) >= 50
    assert "wagtail_member_reset_passwordreset" in logged  # the statements are in it, with their values
    assert all(tokens.parse(token).selector in everything for token in mailed)  # so what is looked for could be found
    assert found == []
    assert "/account/r/" not in everything


def sign_in_with(resets_found, key, settings):
    """What an attacker can make of the rows with a key, tried out on the site; how many links opened."""
    opened = 0
    own = settings.SECRET_KEY
    for reset in resets_found:
        attempts = [reset.verifier, reset.password_mark, reset.verifier[:26], reset.key_id]
        settings.SECRET_KEY = key
        if reset.nonce is not None:
            secret = tokens._secret(reset.selector, bytes(reset.nonce), key)
            attempts.append(tokens.Token(reset.selector, secret).proof)
        settings.SECRET_KEY = own
        for proof in attempts:
            try:
                resets.look(resets.Grant(reset.selector, proof))
                opened += 1
            except Unredeemable:
                pass
    return opened


def test_dump_alone_opens_no_account(links, settings):
    live = list(PasswordReset.objects.live())

    assert sign_in_with(live, "a guess of the attacker's", settings) == 0
    # The very same attempt opens them all for who has the key, too: so it is a fair one.
    assert sign_in_with(live, settings.SECRET_KEY, settings) == len(live)


def test_dump_after_the_window_opens_no_account_even_with_the_key(links, settings, mailoutbox):
    PasswordReset.objects.update(issued_at=timezone.now() - timedelta(hours=16, seconds=1))
    state.sweep()
    live = list(PasswordReset.objects.live())

    assert sign_in_with(live, settings.SECRET_KEY, settings) == 0
    for reset in live:
        with pytest.raises(WindowClosed):
            tokens.mint(reset)
    newest = {token[:12]: token for token in tokens_of(mailoutbox)}
    assert all(resets.look(resets.open(newest[reset.selector])) == reset for reset in live)
