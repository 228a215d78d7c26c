from dataclasses import asdict
from types import SimpleNamespace

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.urls import (
    clear_script_prefix,
    get_script_prefix,
    include,
    path,
    reverse,
    set_script_prefix,
)
from django.utils import timezone
from wagtail.models import Site

from wagtail_member_reset import tokens
from wagtail_member_reset.exceptions import SettingError
from wagtail_member_reset.links import location

# A site that has its pages under the prefix of their language.
urlpatterns = i18n_patterns(path("account/", include("wagtail_member_reset.urls")))


@pytest.fixture
def site(db, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    site = Site.objects.get(is_default_site=True)
    site.hostname, site.port, site.site_name = "members.example", 443, "Members"
    return site


def test_setting_comes_first(site, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = "https://club.example/"

    assert location.base_url(site) == "https://club.example"


def test_wagtails_site_comes_second(site):
    assert location.base_url(site) == "https://members.example"


def test_address_of_the_admin_comes_last(site, settings):
    settings.WAGTAILADMIN_BASE_URL = "https://admin.example/"

    assert location.base_url(None) == "https://admin.example"


# The host of a site that staff may change


@pytest.mark.parametrize(
    ("hostname", "allowed"),
    [
        ("club.example", ["club.example"]),
        ("CLUB.example", ["club.example"]),
        ("club.example.", ["club.example"]),
        ("club.example:8443", ["club.example"]),
        ("www.club.example", [".club.example"]),
        ("[2001:db8::1]", ["[2001:db8::1]"]),
        ("anything.example", ["*"]),
    ],
)
def test_host_that_django_answers_is_linked_to(site, settings, hostname, allowed):
    settings.ALLOWED_HOSTS, site.hostname = allowed, hostname

    assert location.base_url(site) == f"https://{hostname}"
    assert location.problem_of_location(site) is None


@pytest.mark.parametrize(
    ("hostname", "allowed"),
    [
        ("evil.example", ["club.example"]),
        ("www.club.example", ["club.example"]),
        ("evilclub.example", [".club.example"]),
        ("evil.example/club.example", ["*"]),
        ("club.example@evil.example", ["*"]),
        ("club.example#evil", ["*"]),
        ("2001:db8::1", ["2001:db8::1", "*"]),
        ("[", ["*"]),
        ("club.example", []),
    ],
)
def test_host_that_django_does_not_answer_is_refused_and_gives_way_to_no_other(site, settings, hostname, allowed):
    settings.ALLOWED_HOSTS, site.hostname = allowed, hostname
    settings.WAGTAILADMIN_BASE_URL = "https://admin.example"

    for make in (location.base_url, lambda site: location.url_of("x", site=site, language="en")):
        with pytest.raises(SettingError, match="set WAGTAIL_MEMBER_RESET_BASE_URL"):
            make(site)
    assert location.problem_of_location(site) == location.LocationProblem.HOST


def test_host_that_the_setting_names_is_trusted(site, settings):
    settings.ALLOWED_HOSTS, settings.WAGTAIL_MEMBER_RESET_BASE_URL = ["admin.example"], "https://club.example"

    assert location.base_url(site) == "https://club.example"
    assert location.problem_of_location(site) is None


@pytest.mark.parametrize("hostname", ["localhost", "shop.localhost", "127.0.0.1", "[::1]"])
def test_hosts_of_development_are_allowed_where_django_allows_them(site, settings, hostname):
    settings.ALLOWED_HOSTS, site.hostname, site.port = [], hostname, 8000
    refused = location.has_refused_host(site)
    settings.DEBUG = True

    assert (refused, location.has_refused_host(site)) == (True, False)


@pytest.mark.parametrize(
    ("admin", "expected"),
    [
        ("https://members.example", "https://members.example"),
        ("https://members.example:8443/", "https://members.example:8443"),
        ("https://MEMBERS.example", "https://MEMBERS.example"),
        ("https://admin.example", "http://members.example"),
        ("https://members.example.evil.example", "http://members.example"),
        ("http://members.example:8000", "http://members.example"),
        (None, "http://members.example"),
    ],
)
def test_plain_http_gives_way_to_the_same_host_on_https_alone(site, settings, admin, expected):
    settings.WAGTAILADMIN_BASE_URL, site.port = admin, 80

    assert location.base_url(site) == expected


# The path that a site is served at


@pytest.fixture
def below():
    """A request came in below this path in this thread, and none before or after it."""
    yield set_script_prefix
    clear_script_prefix()


@pytest.mark.parametrize(
    ("base", "forced", "expected"),
    [
        ("https://club.example", None, "https://club.example/account/r/x"),
        ("https://club.example", "", "https://club.example/account/r/x"),
        ("https://club.example", "/app", "https://club.example/app/account/r/x"),
        ("https://club.example/", "/app/", "https://club.example/app/account/r/x"),
        ("https://club.example/app", None, "https://club.example/app/account/r/x"),
        ("https://club.example/app/", "/app", "https://club.example/app/account/r/x"),
        ("https://club.example/public", "/app", "https://club.example/public/account/r/x"),
        (None, "/app", "https://members.example/app/account/r/x"),
    ],
)
@pytest.mark.parametrize("prefix", [None, "/app", "/elsewhere/"])
def test_link_is_the_same_wherever_it_is_made(site, settings, below, base, forced, expected, prefix):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL, settings.FORCE_SCRIPT_NAME = base, forced
    if prefix:
        below(prefix)

    assert location.url_of("x", site=site, language="en") == expected


def test_path_of_the_request_is_put_back(site, settings, below):
    below("/app")
    location.url_of("x", site=site, language="en")
    after = reverse("wagtail_member_reset:password_reset")
    settings.ROOT_URLCONF = "wagtail.urls"
    with pytest.raises(SettingError):
        location.url_of("x", site=site, language="en")

    assert (after, get_script_prefix()) == ("/app/account/password-reset/", "/app/")


@pytest.mark.parametrize(
    "named", [{"WAGTAIL_MEMBER_RESET_BASE_URL": "https://club.example/app"}, {"FORCE_SCRIPT_NAME": "/app"}]
)
def test_path_that_only_the_server_names_is_pointed_out(site, settings, below, named):
    elsewhere = location.problem_of_location(site)
    below("/app")
    unnamed = location.problem_of_location(site)
    for name, value in named.items():
        setattr(settings, name, value)

    assert (elsewhere, unnamed) == (None, location.LocationProblem.PATH)
    assert location.problem_of_location(site) is None


# Addresses that nobody can follow, or that are not known


def test_no_address_at_all_is_an_error_that_says_what_to_set(site, settings):
    settings.WAGTAILADMIN_BASE_URL = None

    with pytest.raises(SettingError, match="WAGTAIL_MEMBER_RESET_BASE_URL"):
        location.base_url(None)


def test_links_are_short_enough_to_stay_on_one_line(site):
    assert location.url_of("x" * 40, site=site, language="en") == f"https://members.example/account/r/{'x' * 40}"
    assert len(location.url_of("x" * 40, site=site, language="en")) < 76


def test_missing_urls_are_named_and_the_token_is_not(site, settings):
    settings.ROOT_URLCONF = "wagtail.urls"  # a site that forgot to include ours

    with pytest.raises(SettingError, match=r"wagtail_member_reset\.urls") as refused:
        location.url_of("secrettoken", site=site, language="en")

    assert "secrettoken" not in str(refused.value)
    assert refused.value.__suppress_context__  # a traceback would print Django's text, which quotes it


def test_a_link_is_read_back_as_its_token(site):
    token = tokens.mint(SimpleNamespace(**asdict(tokens.issue()[0]), issued_at=timezone.now()))

    parsed = tokens.parse(location.url_of(token, site=site, language="de"))

    assert (parsed.selector + parsed.secret) == token[:-2]


@pytest.mark.parametrize("hostname", ["localhost", "club.localhost", "127.0.0.1", "[::1]", "example.com"])
def test_placeholder_hosts_are_known(site, hostname):
    site.hostname = hostname

    assert location.is_placeholder(site)


def test_real_hosts_are_no_placeholders(site, settings):
    assert not location.is_placeholder(site)

    site.hostname, settings.WAGTAIL_MEMBER_RESET_BASE_URL = "localhost", "http://localhost:8000"
    assert not location.is_placeholder(site)  # somebody wrote it down, for a demo


@pytest.mark.parametrize(
    ("base", "debug", "found"),
    [
        ("http://localhost:8000", True, None),
        ("http://localhost:8000", False, "placeholder"),
        ("http://example.com", True, "placeholder"),
        ("https://club.example", False, None),
    ],
)
def test_setting_that_leads_members_nowhere_is_a_problem_unless_its_developer_is_at_work(
    site, settings, base, debug, found
):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL, settings.DEBUG = base, debug

    problem = location.problem_of_location(site)

    assert (problem.value if problem else None) == found


def test_no_address_is_a_placeholder(site, settings):
    settings.WAGTAILADMIN_BASE_URL = None

    assert location.is_placeholder(None)


def test_site_is_called_by_its_record_then_the_setting_then_its_host(site, settings):
    named = location.site_name(site)
    site.site_name = ""
    by_setting = location.site_name(site)
    settings.WAGTAIL_SITE_NAME = ""

    assert (named, by_setting, location.site_name(site)) == ("Members", "Example Club", "members.example")
    assert location.site_name(None) == "club.example"


@pytest.mark.urls("tests.links.test_location")
@pytest.mark.parametrize("language", ["en", "de"])
def test_link_leads_to_the_pages_of_the_mails_language(site, language):
    assert location.url_of("x" * 40, site=site, language=language).startswith(
        f"https://members.example/{language}/account/"
    )
