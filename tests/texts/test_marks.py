"""The marks: paragraphs, bold and links, and that whatever else stands in a text stays text."""

from html.parser import HTMLParser

import pytest

from wagtail_member_reset.outbox import text
from wagtail_member_reset.texts import OwnPages, Words, Written, compile_written, default_words

LINK = "https://club.example/account/r/0123456789abcdefghjkmnpqrstvwxyz01234567"
SLOTS = {
    "first_name": "Mia",
    "username": "mia-1",
    "link": LINK,
    "valid_until": "Monday, Nov. 30, 2026",
    "site_name": "Example Club",
    "support_contact": "office@club.example",
    "paragraph": "",
}
ALL = ["welcome", "reset", "reminder", "password_changed", "address_changed"]
WITH_LINK = ALL[:3]


class Page(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.tags, self.addresses, self.text = [], [], ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data):
        self.text += data


class Club(OwnPages):
    _hosts = frozenset({"club.example"})


def mailed(body="Hello {first_name},\n\n{link}", *, purpose="welcome", slots=None, **fields):
    words = Words(**{"subject": "Subject", "heading": "Heading", "button": "Button", "body": body, **fields})
    values = {**SLOTS, **(slots or {})}
    filled = frozenset([name for name, value in values.items() if value])
    written = Written(words, "https://club.example")
    return compile_written(written, purpose, "en", filled, own=Club()).fill(values)


def body_of(content):
    """The text part, without the name of the site below."""
    return content.text.removesuffix("\n\nExample Club\n")


@pytest.mark.parametrize("purpose", ALL)
def test_default_text_in_marks_is_the_text_of_the_templates(purpose):
    words = default_words(purpose, "en")

    usual = text.compose(purpose, language="en", slots=SLOTS)
    ours = text.compose(purpose, language="en", slots=SLOTS, written=Written(words, "https://club.example"))

    assert ours.subject == usual.subject
    if purpose in WITH_LINK:
        assert ours.text == usual.text
        return
    # The HTML part of a notice ends with a line that its text part has not.
    greeting = "Hello," if purpose == "address_changed" else "Hello Mia,"
    assert ours.text.replace("We never ask for your password by email.\n\n", "") == usual.text.replace(
        "Hello Mia,", greeting
    )


@pytest.mark.parametrize("purpose", WITH_LINK)
def test_default_text_has_the_paragraph_of_a_mailing_where_the_templates_have_it(purpose):
    slots = {**SLOTS, "paragraph": "Two lines\nof its own."}

    usual = text.compose(purpose, language="en", slots=slots)
    words = default_words(purpose, "en")
    ours = text.compose(purpose, language="en", slots=slots, written=Written(words, "https://club.example"))

    assert ours.text == usual.text
    assert "Two lines<br>of its own." in ours.html


@pytest.mark.parametrize("purpose", ALL)
def test_default_text_follows_templates_that_lack_what_is_empty(purpose, settings):
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = None
    settings.DEFAULT_FROM_EMAIL = ""
    slots = {**SLOTS, "support_contact": ""}

    ours = text.compose(
        purpose, language="en", slots=slots, written=Written(default_words(purpose, "en"), "https://club.example")
    )

    assert "Questions" not in ours.text
    assert purpose in WITH_LINK or "at once." in ours.text


def test_blank_lines_part_paragraphs_and_lines_stay_lines():
    content = mailed("One\nmore\n\n\n  \nTwo\n\n{link}")

    assert body_of(content) == f"One\nmore\n\nTwo\n\n{LINK}"
    assert "One<br>more</p>" in content.html


def test_bold_is_bold_in_html_and_bare_in_text():
    content = mailed("Quite **bold {first_name}**, 2 ** 3\n\n{link}")

    assert "Quite bold Mia, 2 ** 3" in content.text
    assert "Quite <strong>bold Mia</strong>, 2 ** 3" in content.html


def test_link_has_its_whole_address_in_both_parts():
    content = mailed("See **[our {site_name}](/über/?a=1&b=2)** or [that](https://club.example/x/).\n\n{link}")

    whole = "https://club.example/%C3%BCber/?a=1&b=2"
    assert f"See our Example Club: {whole} or that: https://club.example/x/." in content.text
    assert Page(content.html).addresses == [whole, "https://club.example/x/", LINK, LINK]
    assert "our Example Club</a>" in content.html


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "http://club.example/",
        "//evil.example",
        "/\\evil.example",
        "https://club.example@evil.example/",
        "https://club.example:8443/",
        "https://[evil/",
        "https://club.example.evil.example/",
        "javascript:alert",
        "mailto:eve@evil.example",
        "{link}",
    ],
)
def test_link_elsewhere_is_no_link(target):
    content = mailed(f"[words]({target})\n\n{{link}}")

    assert Page(content.html).addresses == [LINK, LINK]
    assert 'href="https://evil' not in content.html


@pytest.mark.parametrize(
    "odd",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "{{ settings.SECRET_KEY }}",
        "{% include 'x' %}",
        "{link.__class__}",
        "{0} {} %(link)s $link",
        "&amp; <b>",
        "[x](",
        "**",
        "[a](b",
        "}{",
    ],
)
def test_everything_else_is_text(odd):
    fields = {"subject": odd, "heading": odd, "button": odd, "footer": odd}
    plain, content = mailed(footer="x"), mailed(f"Hello {{first_name}},{odd}\n\n{{link}}", **fields)

    page = Page(content.html)
    assert (page.tags, page.addresses) == (Page(plain.html).tags, Page(plain.html).addresses)
    assert content.subject == odd
    assert f"Hello Mia,{odd}" in content.text
    assert page.text.count(odd) == 5


@pytest.mark.parametrize(
    "name", ["{link}", "{username}", "**bold**", "[words](/x/)", "<b>", "{{ link }}", "{% x %}", "Mia 👩‍💻", "علی"]
)
def test_name_is_printed_as_it_is_and_does_nothing(name):
    content = mailed("Hello {first_name},\n\n{link}", slots={"first_name": name, "username": name})

    page = Page(content.html)
    assert content.text.startswith(f"Hello {name},\n")
    assert f"Hello {name}," in page.text
    assert page.addresses == [LINK, LINK]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("Hello {first_name},", "Hello,"),
        ("Hello **{first_name}**,", "Hello,"),
        ("Dear {first_name} of {site_name}", "Dear of Example Club"),
        ("{first_name}, welcome", "welcome"),
        ("A\n\n{username}\n\nB", "A\n\nB"),
        ("A\n\nYour username: **{username}**\n\nB", "A\n\nB"),
        ("A\nYour username: {username}\nB", "A\nB"),
        ("A\n\nQuestions: {support_contact}\n\n{paragraph}\n\nB", "A\n\nB"),
    ],
)
def test_empty_placeholder_leaves_no_gap(body, told):
    empty = {"first_name": "", "username": "", "support_contact": ""}

    content = mailed(body, purpose="password_changed", slots=empty)

    assert body_of(content) == told
    assert "**" not in content.html


def test_line_with_the_link_is_never_left_out():
    content = mailed("{username}: {link}", slots={"username": ""})

    assert LINK in content.text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("Hello\n\nMore\n\n{link}", "Hello\n\nNEWS\n\nMore"),
        ("Hello\n\nMore\n\n{paragraph}\n\n{link}", "Hello\n\nMore\n\nNEWS"),
        ("{link}", f"{LINK}\n\nNEWS"),
    ],
)
def test_paragraph_of_a_mailing_is_never_lost(body, told):
    content = mailed(body, slots={"paragraph": "NEWS"})

    assert body_of(content).startswith(told)
    assert "NEWS</p>" in content.html


@pytest.mark.parametrize("body", ["A\n\n{link}\n\nB", "A {link} b\n\nB", "A\n{link}\n\nB"])
def test_button_stands_where_the_link_is_and_the_address_is_there_as_text(body):
    content = mailed(body)

    html = content.html
    assert html.count('class="button"') == 1
    assert html.index("A") < html.index('class="button"') < html.index(">B</p>")
    assert f">{LINK}</a></p>" in html
    assert LINK in content.text


def test_notice_has_no_button_and_no_address():
    content = mailed("It changed.", purpose="password_changed", slots={"link": ""})

    assert Page(content.html).addresses == []
    assert "Button not working" not in content.html


def test_user_name_keeps_its_direction():
    assert "<bdi>mia-1</bdi>" in mailed("{username}\n\n{link}").html


def test_html_names_its_language_and_direction():
    written = Written(Words("S", "H", "{link}", "B", ""), "https://club.example")
    filled = frozenset(SLOTS) - {"paragraph"}

    html = compile_written(written, "welcome", "ar", filled, own=Club()).fill(SLOTS).html

    assert '<html lang="ar" dir="rtl">' in html
