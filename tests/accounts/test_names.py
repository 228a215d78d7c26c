"""Names as they stand in a mail or on a page, and whether there is a sign-in name to tell."""

import time
import unicodedata

import pytest
from django.contrib.auth import get_user_model

from wagtail_member_reset.accounts import one_line, sign_in_name

HAS_USERNAME = get_user_model().USERNAME_FIELD != "email"


def account(username, email="mia@club.example"):
    model = get_user_model()
    return model(username=username, email=email) if HAS_USERNAME else model(email=email)


@pytest.mark.parametrize(
    "name",
    [
        "Mia",
        "علی‌رضا",
        "ශ්‍රී",
        "क्‍ष",
        "Mia 👩‍💻",
        "👨‍👩‍👧‍👦",
        "Mia ❤️‍🔥",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "🏳️‍🌈",
        "Mia \U0001faea",  # of Unicode 16, which no supported Python knows
        "ᠬᠠᠷ\u180eᠠ",
        "Nguyễn",
        unicodedata.normalize("NFD", "Nguyễn"),
        "שָׁלוֹם",
        "O’Neil-Söhne",
        "दीपिका",
    ],
)
def test_name_stays_as_it_is_written(name):
    assert one_line(name) == name


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("  Mia \t Sample ", "Mia Sample"),
        ("Mia\r\nBcc: eve", "Mia Bcc: eve"),
        ("Mia\x00\x07\x85Eve", "Mia Eve"),
        ("Mia\u2028\u2029Eve", "Mia Eve"),
        ("\u202eaiM", "aiM"),
        ("\u2066Mia\u2069\u200f", "Mia"),
        ("M\u200bi\u2060a\ufeff", "Mia"),
        ("M\u00adia", "Mia"),
        ("M\u200di\u200ca\u200d", "Mia"),
        ("علی\u200c\u200c\u200c\u200cرضا", "علی\u200cرضا"),
        ("\u3164\u115f\u2800", ""),
        ("Mia\U000e0041\U000e0042", "Mia"),
        ("\ue000link\ue001", "link"),
        ("Mia\ud800", "Mia"),
        ("M" + "\u0301" * 100 + "ia", "M" + "\u0301" * 6 + "ia"),
        ("م\u0651\u064e", "م\u0651\u064e"),
    ],
    ids=ascii,
)
def test_what_nobody_sees_or_what_turns_the_line_is_left_out(stored, shown):
    assert one_line(stored) == shown


@pytest.mark.parametrize("piece", ["M", "\u0301", "\u202e", "👩‍💻", "\U000e0067", "🏴", "\u200c", "\r\n"], ids=ascii)
def test_long_name_is_cut_before_any_work(piece):
    started = time.perf_counter()

    name = one_line(piece * 1_000_000)

    assert len(name) <= 150
    assert time.perf_counter() - started < 0.5


@pytest.mark.skipif(not HAS_USERNAME, reason="the address is the username")
@pytest.mark.parametrize(
    ("username", "told"),
    [
        ("mia-1", "mia-1"),
        ("mia", "mia"),
        ("mia@old.example", "mia@old.example"),
        ("mia@club.example", ""),
        ("MIA@Club.example", ""),
        ("mia@club.example ", ""),
        ("\u202emia-1\u202c", "mia-1"),
        ("m" * 150, "m" * 150),
        ("m" * 151, ""),
        ("", ""),
    ],
)
def test_sign_in_name_is_told_where_it_is_not_the_address(username, told):
    assert sign_in_name(account(username)) == told


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({}, "mia-1"),
        ({"ACCOUNT_LOGIN_METHODS": {"username"}}, "mia-1"),
        ({"ACCOUNT_LOGIN_METHODS": {"email"}}, ""),
        ({"ACCOUNT_LOGIN_METHODS": ["email", "username"]}, ""),
        ({"ACCOUNT_AUTHENTICATION_METHOD": "username"}, "mia-1"),
        ({"ACCOUNT_AUTHENTICATION_METHOD": "email"}, ""),
        ({"ACCOUNT_AUTHENTICATION_METHOD": "username_email"}, ""),
        ({"ACCOUNT_LOGIN_METHODS": {"username"}, "ACCOUNT_AUTHENTICATION_METHOD": "email"}, "mia-1"),
    ],
    ids=str,
)
def test_sign_in_name_is_told_where_the_address_does_not_do(settings, chosen, told):
    for name, value in chosen.items():
        setattr(settings, name, value)

    assert sign_in_name(account("mia-1")) == (told if HAS_USERNAME else "")
