"""What the mails say, and that nothing a name or a template holds can make them say something else."""

import re
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone as django_timezone

from tests.conftest import make_person
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.exceptions import TemplateSlotError
from wagtail_member_reset.outbox import text

LINK = "https://club.example/account/r/0123456789abcdefghjkmnpqrstvwxyz01234567"
SLOTS = {
    "first_name": "Mia",
    "username": "mia-1",
    "link": LINK,
    "valid_until": "Monday, Nov. 30, 2026, 6 p.m. (Berlin time)",
    "site_name": "Example Club",
    "support_contact": "office@club.example",
}
WITH_LINK = ["welcome", "reset", "reminder"]
WITH_USERNAME = [*WITH_LINK, "password_changed"]
ALL = [*WITH_USERNAME, "address_changed"]
ODD_NAMES = [
    "<b>Mia</b>",
    '"><script>alert(1)</script>',
    "<img src=x onerror=alert(1)>",
    "{{ link }}",
    "{% include 'x' %}",
    "%(link)s",
    "&amp;",
    "O’Neill & Söhne",
    "'\"",
]


class Page(HTMLParser):
    """The tags, the addresses and the text that a mail program would show."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.addresses, self.text = [], [], ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src", "action", "background")]

    def handle_data(self, data):
        self.text += data


def compose(purpose, *, language="en", **slots):
    return text.compose(purpose, language=language, slots={**SLOTS, **slots})


@pytest.mark.parametrize(
    ("purpose", "subject"),
    [
        ("welcome", "Your account at Example Club"),
        ("reset", "Choose a new password for Example Club"),
        ("reminder", "Reminder: your account at Example Club"),
        ("password_changed", "Your password at Example Club was changed"),
        ("address_changed", "The email address of your account at Example Club was changed"),
    ],
)
def test_subject_names_the_site(purpose, subject):
    assert compose(purpose).subject == subject


@pytest.mark.parametrize("purpose", ALL)
@pytest.mark.parametrize(("name", "greeting"), [("Mia", "Hello Mia,"), ("", "Hello,")])
def test_greeting_has_no_gap_without_a_name(purpose, name, greeting):
    content = compose(purpose, first_name=name)

    assert content.text.startswith(greeting + "\n\n")
    assert f">{greeting}</p>" in content.html


@pytest.mark.parametrize("purpose", WITH_LINK)
def test_link_stands_alone_on_its_line(purpose):
    text = compose(purpose).text

    assert f"\n\n{LINK}\n\n" in text
    assert text.count("http") == 1


@pytest.mark.parametrize("purpose", ALL)
def test_text_is_complete_and_tidy(purpose):
    text = compose(purpose).text

    assert "Example Club" in text
    assert "office@club.example" in text
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]$|&\w+;|&#", text, re.MULTILINE)
    assert text.endswith("\nExample Club\n")


@pytest.mark.parametrize("purpose", WITH_LINK)
def test_both_parts_say_until_when_the_link_works(purpose):
    content = compose(purpose)

    assert f"until {SLOTS['valid_until']}." in content.text
    assert content.html.count(SLOTS["valid_until"]) == 2  # in the list of mails, and in the mail


@pytest.mark.parametrize("purpose", WITH_LINK)
def test_html_shows_the_whole_link_and_no_other(purpose):
    page = Page(compose(purpose).html)

    assert page.addresses == [LINK, LINK]
    assert LINK in page.text


@pytest.mark.parametrize(
    ("purpose", "whom_to_turn_to"),
    [
        ("password_changed", "If it was not you, tell us at once: office@club.example"),
        ("address_changed", "If not, please tell us at once: office@club.example"),
    ],
)
def test_note_of_a_change_leads_nowhere(purpose, whom_to_turn_to):
    content = compose(purpose, link=LINK)

    assert Page(content.html).addresses == []
    assert "http" not in content.text
    assert whom_to_turn_to in content.text


def test_note_to_the_earlier_address_does_not_name_the_account():
    content = compose("address_changed")

    assert "mia-1" not in content.subject + content.text + content.html


@pytest.mark.parametrize("purpose", ALL)
def test_html_loads_nothing_from_elsewhere(purpose):
    html = compose(purpose, support_contact="").html

    assert set(Page(html).tags) & {"img", "link", "script", "iframe", "object", "form"} == set()
    assert not re.search(r"url\(|@import|@font-face", html)
    assert len(html.encode()) < 102_000


@pytest.mark.parametrize("purpose", ALL)
def test_missing_contact_leaves_no_gap(purpose):
    content = compose(purpose, support_contact="")

    assert "Questions" not in content.text + content.html
    assert not re.search(r":\s*\n\n(?!http)", content.text)
    assert "\n\n\n" not in content.text


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("purpose", ALL)
def test_name_is_printed_as_it_is_and_does_nothing(purpose, name):
    plain = Page(compose(purpose).html)

    content = compose(purpose, first_name=name, username=name, site_name=name, support_contact=name)

    page = Page(content.html)
    assert (page.tags, page.addresses) == (plain.tags, plain.addresses)
    assert content.text.startswith(f"Hello {name},\n")
    assert f"Hello {name}," in page.text
    assert (f"Your username: {name}" in page.text) == (purpose in WITH_USERNAME)
    assert name in content.subject


@pytest.mark.parametrize(
    ("typed", "greeted"),
    [
        ("  Mia ", "Mia"),
        ("Anna Maria", "Anna Maria"),
        ("Mia\r\nBcc: eve@evil.example", ""),
        ("Mia\r\nBcc: eve", "Mia Bcc: eve"),
        ("Mia\u2028Eve\x00", "Mia Eve"),
        ("Visit https://evil.example", ""),
        ("www.evil", ""),
        ("evil.example", ""),
        ("eve@evil", ""),
        ("M" * 41, ""),
        ("\ue000link\ue001", "link"),
        ("علی‌رضا", "علی‌رضا"),
        ("ශ්‍රී", "ශ්‍රී"),
        ("Mia 👩‍💻", "Mia 👩‍💻"),
        ("Mia\u202e", "Mia"),
        ("M" * 100_000, ""),
    ],
)
def test_name_that_is_no_name_is_left_out(typed, greeted):
    assert text.first_name(typed) == greeted


@pytest.mark.parametrize("purpose", WITH_USERNAME)
def test_mail_says_which_account_it_is_for(purpose):
    content, without = compose(purpose), compose(purpose, username="")

    assert "\n\nYour username: mia-1\n\n" in content.text
    assert "Your username: mia-1" in Page(content.html).text
    assert "username" not in without.text + without.html
    assert "\n\n\n" not in without.text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mia-1", "mia-1"),
        ("mia.sample", "mia.sample"),
        ("mia@old.example", "mia@old.example"),
        ("CLUB\\mia", "CLUB\\mia"),
        ("https://evil.example", ""),
        ("www.evil", ""),
        ("evil.example/free", ""),
    ],
)
def test_user_name_that_would_become_a_link_with_a_path_is_left_out(name, told):
    assert text.username(name) == told


@pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="the address is the username")
def test_two_accounts_at_one_address_get_mails_that_say_which_is_which(db, mailoutbox):
    for username in ("mia-1", "mia-2"):
        make_person("Mia", username=username, email="mia@club.example")

    resets.request("mia@club.example", network="192.0.2.7", site=None, language="en")
    outbox.drain()

    told = [re.search("Your username: (.*)", mail.body)[1] for mail in mailoutbox]
    assert sorted(told) == ["mia-1", "mia-2"]


@pytest.mark.parametrize("odd", ["Club\r\nBcc: eve@evil.example", "Club\u2028\x0bX", "Club\n\n<b>"])
def test_subject_stays_one_line(odd):
    subject = compose("reset", site_name=odd).subject

    assert len(subject.splitlines()) == 1


def test_no_name_reaches_the_headers_of_a_mail(db, mailoutbox, settings, sent):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    una = make_person("Una", first_name="Mia\r\nBcc: eve@evil.example", last_name="X\nBcc: eve@evil.example")
    site = resets.Site.objects.get()
    site.site_name = "Club\r\nBcc: eve@evil.example"
    site.save()

    sent(una, by=None, site=site)

    mail = mailoutbox[0]
    message = mail.message()
    assert mail.recipients() == ["una@members.example"]
    assert message["Bcc"] is None
    assert "\n" not in mail.subject


def test_mail_is_sent_in_two_parts_with_the_same_link(member, sent, mailoutbox):
    reset = sent()

    mail = mailoutbox[0]
    html, kind = mail.alternatives[0]
    assert kind == "text/html"
    assert f"\n{resets.link(reset)}\n" in mail.body
    assert Page(html).addresses == [resets.link(reset)] * 2


def test_mail_asks_for_no_automatic_answer_and_keeps_bounces(member, sent, mailoutbox):
    sent()

    message = mailoutbox[0].message()
    assert (message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == ("auto-generated", "OOF, AutoReply")


def test_html_names_its_language_and_direction(languages_of_site, own_catalogue):
    languages_of_site("en", "de", "ar")
    own_catalogue("ar")
    german, arabic = compose("reset", language="de").html, compose("reset", language="ar").html

    assert '<html lang="de" dir="ltr">' in german
    assert '<html lang="ar" dir="rtl">' in arabic
    assert re.search('<table [^>]*lang="ar" dir="rtl"', arabic)


UNTIL = datetime(2026, 11, 30, 17, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["Monday", "Nov. 30, 2026", "6 p.m.", "(Berlin time)"]), ("de", ["Montag", "30. November 2026", "18:00"])],
)
def test_end_is_told_in_the_language_and_in_the_named_zone_of_the_site(language, words):
    told = text.valid_until(UNTIL, language=language)

    assert [word for word in words if word not in told] == []


def test_end_is_told_in_the_zone_of_the_site_whatever_the_reader_has():
    with django_timezone.override(timezone(timedelta(hours=9))):
        told = text.valid_until(UNTIL, language="en")

    assert told == text.valid_until(UNTIL, language="en")
    assert "6 p.m." in told


def test_end_is_told_without_time_zone_support(settings):
    settings.USE_TZ = False

    told = text.valid_until(datetime(2026, 11, 30, 18, 0), language="en")  # noqa: DTZ001 - as with USE_TZ = False

    assert "Monday" in told
    assert "6 p.m." in told
    assert "(Berlin time)" in told


@pytest.mark.parametrize(
    ("moment", "language", "told"),
    [
        ("2026-11-30T23:00:00", "en", "Monday, Nov. 30, 2026, 11:59 p.m. (Berlin time)"),
        ("2026-11-30T23:00:59", "en", "Monday, Nov. 30, 2026, 11:59 p.m. (Berlin time)"),
        ("2026-11-30T23:00:00", "de", "Montag, 30. November 2026, 23:59 Uhr (Ortszeit Berlin)"),
        ("2026-12-31T23:00:00", "en", "Thursday, Dec. 31, 2026, 11:59 p.m. (Berlin time)"),
        ("2026-11-30T23:01:00", "en", "Tuesday, Dec. 1, 2026, 12:01 a.m. (Berlin time)"),
        ("2026-11-30T11:00:00", "en", "Monday, Nov. 30, 2026, noon (Berlin time)"),
        ("2026-10-25T00:30:00", "en", "Sunday, Oct. 25, 2026, 2:30 a.m. (Berlin time, UTC+2)"),
        ("2026-10-25T01:30:00", "en", "Sunday, Oct. 25, 2026, 2:30 a.m. (Berlin time, UTC+1)"),
        ("2026-10-25T02:00:00", "en", "Sunday, Oct. 25, 2026, 3 a.m. (Berlin time)"),
        ("2026-03-29T01:00:00", "en", "Sunday, March 29, 2026, 3 a.m. (Berlin time)"),
    ],
)
def test_end_is_told_so_that_nobody_is_late(moment, language, told):
    assert text.valid_until(datetime.fromisoformat(f"{moment}+00:00"), language=language) == told


@pytest.mark.parametrize("purpose", ALL)
def test_site_s_name_that_ends_in_a_full_stop_ends_its_sentence(purpose):
    content = compose(purpose, site_name="Turnverein Neustadt e.V.")

    assert ".." not in content.text + Page(content.html).text + content.subject
    assert "Turnverein Neustadt e.V." in content.text


@pytest.fixture
def own_template(settings, tmp_path):
    """A site's override of one template."""

    def write(name, text):
        path = tmp_path / "wagtail_member_reset" / "emails" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]

    return write


@pytest.mark.parametrize(
    "wrong",
    [
        "{{ first_name|upper }}",
        "{{ link|truncatechars:4 }}",
        "{{ link|slice:':4' }}",
        "{{ valid_until|cut:'_' }}",
        "{{ site_name|title }}",
    ],
)
def test_template_that_changes_a_slot_is_refused_by_name(own_template, wrong):
    own_template("reset.txt", f"Look: {wrong}")

    with pytest.raises(TemplateSlotError, match=r"emails/reset\.txt changes a slot"):
        compose("reset")


def test_override_of_the_site_is_used(own_template):
    own_template("reset.txt", "Hi {{ first_name }}: {{ link }}")

    assert compose("reset").text == f"Hi Mia: {LINK}\n"


def test_layout_of_the_site_is_used_by_every_mail(own_template):
    own_template("base.html", "<p>Ours</p>{% block body %}{% endblock %}")

    assert ["<p>Ours</p>" in compose(purpose).html for purpose in ALL] == [True] * len(ALL)


def test_template_sees_slots_and_nothing_else(own_template):
    own_template("reset.txt", "{{ settings.SECRET_KEY }}{{ member }}{{ request }}{{ reset }}{{ token }}.{{ link }}")

    assert compose("reset").text == f".{LINK}\n"


def test_one_cache_serves_members_with_and_without_a_name():
    cache = {}

    with_name, without = (
        text.compose("reset", language="en", slots={**SLOTS, "first_name": name}, cache=cache).text
        for name in ("Mia", "")
    )

    assert (with_name.split("\n")[0], without.split("\n")[0]) == ("Hello Mia,", "Hello,")
    assert len(cache) == 2


def test_link_is_not_shown_by_repr():
    assert LINK not in repr(compose("reset"))


@pytest.mark.parametrize("text", ["Look: {{ link|urlencode }}", "Look: {{ link|length }}", "Look into your mail."])
def test_template_without_the_link_is_refused(own_template, text):
    own_template("reset.txt", text)

    with pytest.raises(TemplateSlotError, match=r"emails/reset\.txt"):
        compose("reset")


def test_filter_that_strips_the_marker_is_found(own_template):
    own_template("reset.txt", "{{ first_name|slugify }} {{ link }}")

    with pytest.raises(TemplateSlotError, match="changes a slot"):
        compose("reset")


PARAGRAPH = "Dear rowers,\n\nthe <b>season</b> & https://club.example/spring start.\nBring {{ link }}."


@pytest.mark.parametrize("purpose", WITH_LINK)
def test_paragraph_stands_as_it_is_in_the_text_and_as_text_in_the_html(purpose):
    content, without = compose(purpose, paragraph=PARAGRAPH), compose(purpose)

    assert f"\n\n{PARAGRAPH}\n\n" in content.text
    assert content.text.replace(f"{PARAGRAPH}\n\n", "") == without.text
    assert "the &lt;b&gt;season&lt;/b&gt; &amp; https://club.example/spring start.<br>Bring {{ link }}." in content.html
    assert Page(content.html).addresses == Page(without.html).addresses


@pytest.mark.parametrize("purpose", ["password_changed", "address_changed"])
def test_notices_of_changes_have_no_paragraph(purpose):
    assert compose(purpose, paragraph=PARAGRAPH) == compose(purpose)


def test_own_template_without_the_paragraph_is_refused_where_there_is_one_alone(own_template):
    own_template("reset.txt", "Hi {{ first_name }}: {{ link }}")

    assert compose("reset").text == f"Hi Mia: {LINK}\n"
    with pytest.raises(TemplateSlotError, match=r"emails/reset\.txt has no paragraph: write \{\{ paragraph \}\}"):
        compose("reset", paragraph="Spring")
