from datetime import timedelta

import pytest

from wagtail_member_reset.conf import PASSWORD_SETTINGS, conf
from wagtail_member_reset.exceptions import SettingError

PREFIX = "WAGTAIL_MEMBER_RESET_"

DEFAULTS = {
    "LINK_LIFETIME": timedelta(days=7),
    "WELCOME_LIFETIME": timedelta(days=7),
    "STATUS_WINDOW": timedelta(hours=16),
    "RETENTION": timedelta(days=30),
    "BASE_URL": None,
    "PASSWORDS_ENABLED": True,
    "IDENTITY_CHECK": "off",
    "WELCOME_ON_CREATE": True,
    "SETTINGS_TAB": True,
    "LINK_DISPLAY": "inline",
    "DELIVERY": "auto",
    "SUPPORT_CONTACT": "office@club.example",
    "FROM_DOMAINS": (),
    "MAILER": "default",
    "CSP": {},
    "TRUSTED_PROXIES": 0,
    "REQUEST_LIMITS": {
        "ip": (20, timedelta(hours=1)),
        "address": (5, timedelta(hours=1)),
        "all": (300, timedelta(minutes=1)),
    },
    "STAFF_LIMITS": {"account": (20, timedelta(days=1)), "person": (500, timedelta(days=1))},
    "MAILING_CONNECTIONS": 4,
    "REMINDER": None,
}


def allow_board(member):
    return member == "board"


not_callable = "a text"


@pytest.fixture
def unset(settings):
    for name in [*DEFAULTS, "MAY_RESET"]:
        if hasattr(settings, PREFIX + name):
            delattr(settings, PREFIX + name)


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_those_of_the_contract(unset, name):
    assert getattr(conf, name) == DEFAULTS[name]


@pytest.mark.parametrize("on", [*PASSWORD_SETTINGS, None])
def test_site_has_no_passwords_only_where_all_of_wagtails_settings_say_so(unset, settings, on):
    for name in PASSWORD_SETTINGS:
        setattr(settings, name, name == on)

    assert conf.PASSWORDS_ENABLED is (on is not None)
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = on is None
    assert conf.PASSWORDS_ENABLED is (on is None)


def test_everyone_may_be_reset_by_default(unset):
    assert conf.MAY_RESET(object()) is True


def test_a_callable_is_found_by_its_path(settings):
    settings.WAGTAIL_MEMBER_RESET_MAY_RESET = "tests.test_conf.allow_board"

    assert (conf.MAY_RESET("board"), conf.MAY_RESET("guest")) == (True, False)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("LINK_LIFETIME", timedelta(hours=24), timedelta(hours=24)),
        ("BASE_URL", "https://club.example/", "https://club.example"),
        ("BASE_URL", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("BASE_URL", "https://club.example/app/", "https://club.example/app"),
        ("LINK_DISPLAY", "never", "never"),
        ("DELIVERY", "command", "command"),
        ("SUPPORT_CONTACT", " https://club.example/help ", "https://club.example/help"),
        ("CSP", None, None),
        ("CSP", {"style-src": "'self'"}, {"style-src": "'self'"}),
        ("TRUSTED_PROXIES", 2, 2),
        ("REQUEST_LIMITS", {"ip": "3/d"}, {**DEFAULTS["REQUEST_LIMITS"], "ip": (3, timedelta(days=1))}),
    ],
)
def test_a_sites_value_is_read_live(settings, name, value, read):
    setattr(settings, PREFIX + name, value)

    assert getattr(conf, name) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINK_LIFETIME", timedelta(0)),
        ("LINK_LIFETIME", 604800),
        ("STATUS_WINDOW", -timedelta(hours=1)),
        ("RETENTION", None),
        ("BASE_URL", ""),
        ("BASE_URL", "club.example"),
        ("BASE_URL", "https://club.example/path?next=x"),
        ("BASE_URL", "https://club.example/path with a blank"),
        ("BASE_URL", "https://club.example?next=x"),
        ("BASE_URL", "ftp://club.example"),
        ("BASE_URL", "https://club.example\nBcc: eve@elsewhere.example"),
        ("PASSWORDS_ENABLED", "no"),
        ("WELCOME_ON_CREATE", "yes"),
        ("SETTINGS_TAB", 1),
        ("LINK_DISPLAY", "shown"),
        ("DELIVERY", ["thread"]),
        ("MAY_RESET", "nowhere.at.all"),
        ("MAY_RESET", "tests.test_conf.not_callable"),
        ("MAY_RESET", allow_board),
        ("SUPPORT_CONTACT", " "),
        ("SUPPORT_CONTACT", "a@b.example\nBcc: c@d.example"),
        ("CSP", "default-src *"),
        ("CSP", {"style-src": "'self'; script-src *"}),
        ("TRUSTED_PROXIES", -1),
        ("TRUSTED_PROXIES", True),
        ("REQUEST_LIMITS", {"ip": "20 per hour"}),
        ("REQUEST_LIMITS", {"ip": 20}),
        ("REQUEST_LIMITS", {"network": "20/h"}),
        ("STAFF_LIMITS", {"ip": "20/h"}),
        ("STAFF_LIMITS", {"person": 20}),
        ("REQUEST_LIMITS", "20/h"),
    ],
)
def test_an_unusable_value_is_refused_with_setting_value_and_way_out(settings, name, value):
    setattr(settings, PREFIX + name, value)

    with pytest.raises(SettingError) as refused:
        getattr(conf, name)

    named, _, way_out = str(refused.value).partition(": ")
    assert named.startswith(f"{PREFIX}{name} is ")
    assert way_out
