from dataclasses import asdict
from types import SimpleNamespace

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path
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


def test_sender_is_the_bare_address(settings):
    assert location.sender_address() == "office@club.example"


@pytest.mark.urls("tests.links.test_location")
@pytest.mark.parametrize("language", ["en", "de"])
def test_link_leads_to_the_pages_of_the_mails_language(site, language):
    assert location.url_of("x" * 40, site=site, language=language).startswith(
        f"https://members.example/{language}/account/"
    )
