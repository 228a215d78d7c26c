"""What email programs would make a link of leads to the site's own pages alone, in whatever way it comes about."""

from itertools import chain, combinations

import pytest

from tests.texts.test_marks import Club
from wagtail_member_reset import tokens
from wagtail_member_reset.models import Purpose
from wagtail_member_reset.texts import SLOTS, Words, Written, compile_written, default_words, problems
from wagtail_member_reset.texts.words import without

TOUCHES = "Leave a space before and after {link}"


def wrong(body="Hi\n\n{link}", **fields):
    words = Words(**{"subject": "S", "heading": "H", "button": "Go", "body": body, **fields})
    return problems(words, "reset", own=Club())


def with_link(body):
    return body if "{link}" in body else f"{body}\n\n{{link}}"


GLUED = [
    "evil.example/{link}",
    "evil.com/?u={link}",
    "mailto:thief@evil.com?body={link}",
    "x{link}x",
    "{link}{username}",
    "{first_name}{link}",
    "{site_name}/{link}",
    "https:/ {paragraph}/evil.com/{link}",
    "Hi https:/ {first_name}/evil.com/{link}",
    "Go www {paragraph}.evil.com/{link}",
    "intranet/{link}",
    "?{link}",
    "{link}/more",
    "**intranet/**{link}",
    "[{link}](/page/)",
    "[x](/a/?to=){link}",
    "\u200d{link}",
]


@pytest.mark.parametrize("body", GLUED)
def test_personal_link_stands_alone(body):
    assert any(TOUCHES in message for message in wrong(body)["body"])


@pytest.mark.parametrize(
    "body", ["{link}", "Here: {link}.", "{link}, or {link}!", "**{link}**", "\u00a0{link}\u00a0", "{username}: {link}"]
)
def test_link_between_blanks_is_fine(body):
    assert wrong(body) == {}


@pytest.mark.parametrize("sign", ".,;:!?")
def test_punctuation_that_may_follow_the_link_is_none_of_it(sign):
    token = "0123456789abcdefghjkmnpqrstvwxyz012345"
    whole = token + tokens._check(token[:12], token[12:])

    assert tokens.parse(f"https://club.example/account/r/{whole}{sign}") == tokens.parse(whole) is not None


ELSEWHERE = [
    # In six languages.
    "Visit evil.com now",
    "Besuchen Sie boese.de.",
    "Rendez-vous sur méchant.fr !",
    "Visita malo.es, por favor",
    "Ga naar slecht.nl/login",
    "Vai su (cattivo.it)",
    "Пиши на злой.рф",
    "访问 evil。com",
    "访问 evil｡com/x",
    # Mail.
    "thief@evil.com",
    "thief@evil.com@club.example",
    "evil.com/x@club.example",
    # Whole addresses, and what browsers make of odd ones.
    "https://example.com:)@evil.com/",
    "https://club.example:)@evil.com/",
    "https://club.example:]@evil.com/",
    "https://club.example@evil.com/",
    "https://club.example.evil.com/",
    "https://club.example:8443/",
    "https:evil.com/",
    "https:/evil.com/",
    "http:\\\\evil.com/",
    "\\\\evil.com\\share",
    "//evil",
    "https://evil/",
    "https：／／evil.com/",
    "ｗｗｗ．evil．com",
    "evil\u2024com",
    "evil.c\u00adom",
    "evil\u200d.com",
    "i❤.ws",
    "xn--80ak6aa92e.com",
    "93.184.216.34",
    "ftp://club.example/",
    "tel:+4990012345",
    "sms:+4990012345",
    "javascript:alert",
    "data:text/html,x",
    # Short ones lead somewhere, too.
    "t.co/x",
    "p.es/x",
    "z.hd@evil.com",
    # Pages of our own that send people on.
    "https://club.example/login?next=//evil.com",
    "https://club.example/login?next=%2F%2Fevil.com",
    # What marks and placeholders put together.
    "evil**.com**",
    "ev[il](/page/).com",
    "[x](https://club.example)evil.com",
    "[x](https://club.example)@evil.com/",
    "[x](/a/)@evil.com",
    "[x]{first_name}(https://evil.com)",
    "[evil.com](/page/)",
    "evil{first_name}.com",
    "{first_name}.com",
    "evil.{first_name}",
    "evil. {first_name}com",
    "{first_name}com",
    "https://{site_name}",
    "https:{paragraph}",
]


@pytest.mark.parametrize("body", ELSEWHERE)
@pytest.mark.parametrize("field", ["body", "footer"])
def test_no_address_of_others_is_mailed(body, field):
    text = with_link(body) if field == "body" else body

    assert field in wrong(**{field: text})


@pytest.mark.parametrize("field", ["subject", "heading", "button"])
@pytest.mark.parametrize("text", ["Go to evil.com", "https:/{first_name}/evil", "thief@evil.com"])
def test_no_line_has_an_address_of_others(field, text):
    assert field in wrong(**{field: text})


@pytest.mark.parametrize(
    "target",
    [
        "/admin/login/?next=//evil.com",
        "/i18n/setlang/?next=https://evil.com",
        "/go?url=%68ttps%3Aevil.com",
        "/go?to=%252f%252fevil.com",
        "/go?to=%2525252525252525252fevil",
        "/go?to=/%09/evil.com",
        "/go?to=/%5Cevil.com",
        "/go/https://evil.com",
        "/go/https:/evil.com",
        "/go#https:evil.com",
        "https://club.example/?x=1&next=//evil.com",
    ],
)
def test_no_link_names_another_address_to_which_a_page_may_send_people_on(target):
    (message,) = wrong(f"{{link}}\n\n[words]({target})")["body"]

    assert "is not a page of this site" in message


PROSE = [
    # German
    "TSV e.V., z.B. i.d.R. usw. z.Hd. Frau M. Huber, Nr.5, Tel.-Nr. 089.123.45.67,",
    "10.30 Uhr, 31.12.2026, d.h. u.a. v.Chr.",
    "Liebe Mitglieder:innen, und/oder „e.V.“ – Dipl.-Ing. (FH), 3.5 kg, 1.000,50 €, Zeit 24/7, S. 3–5.",
    # English
    "Mr. X, e.g. a.m./p.m., i.e. Ph.D., No.5, U.S.A., 3.5%, v2.0, Hello... and so on…",
    # French
    "M. Dupont, p. ex. l’{site_name}, n° 5, av. J.-C., 01.23.45.67.89, adhérent·es, adhérent.e.s,",
    "Aujourd’hui : « oui ».",
    # Spanish
    "Sr. D. Juan, p.ej. EE.UU., RR.HH., núm. 5, 1.000,50 €, ¿qué? ¡ya!",
    # Dutch
    "Dhr. J. de Vries, bijv. d.m.v. n.v.t. o.a. m.b.t., nr.5, € 3,50, foto’s",
    # Italian
    "Sig. Rossi, S.p.A., p.es. A.S.D., n. 5, dell’{site_name}, ecc. AA.VV.",
    # Others
    "你好。欢迎使用 Wagtail。请点击",
    "こんにちは。クラブです．ありがとう",
    "नमस्ते। धन्यवाद, می‌خواهم، co\u00adoperate",
    "👩‍💻 ❤️ 1️⃣ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f :/ ;-)",
    # Our own
    "club.example, https://club.example/x/?a=1&b=2, (https://club.example/x/). “https://club.example:443/”",
    "office@club.example, first.last@club.example. [x](/a/), [y](https://club.example/b/).",
    "Die Seite des {site_name}s, {site_name}-Team, {first_name}: ({username})",
]


@pytest.mark.parametrize("line", PROSE)
def test_ordinary_words_are_fine(line):
    assert wrong(f"{{link}}\n\n{line}", footer=line) == {}


def test_names_with_or_without_www_are_our_own():
    class Www(Club):
        _hosts = frozenset({"www.club.example"})

    words = Words("S", "H", "{link} club.example, office@club.example", "Go", "")

    assert problems(words, "reset", own=Www()) == {}


@pytest.mark.parametrize("purpose", Purpose.values)
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "nl", "it"])
def test_default_text_of_each_language_is_fit(purpose, language):
    assert problems(default_words(purpose, language), purpose, own=Club()) == {}


def test_word_with_a_full_stop_is_told_how_to_mend_it():
    (message,) = wrong("{link} Ende.Neuer Satz")["body"]

    assert message.startswith("“Ende.Neuer” reads like an address")


def test_personal_link_is_not_quoted():
    link = "https://evil.example/account/r/0123456789abcdefghjkmnpqrstvwxyz012345"

    assert all("0123456789ab" not in message for message in wrong(f"{{link}} {link}")["body"])


MARKER_LIKE = [
    "mrslot-",
    "mr\u017flot-x",
    "MRSLOT-",
    "mr**slot-**",
    "mr{first_name}slot-x",
    "{username} {link} mr {username}slot-",
]


@pytest.mark.parametrize("text", MARKER_LIKE)
def test_check_refuses_whatever_could_not_be_compiled(text):
    assert "body" in wrong(with_link(text))


@pytest.mark.parametrize(
    "body", [*PROSE, "Hi {first_name},\n{username} at {site_name}\n{username}, {paragraph}: {link}"]
)
def test_what_passes_the_check_compiles_for_every_member(body):
    words = Words("S {first_name}", "H", with_link(body), "Go", "{support_contact}")
    assert problems(words, "reset", own=Club()) == {}
    slots = ("first_name", "username", "support_contact", "paragraph")

    for missing in chain.from_iterable(combinations(slots, size) for size in range(5)):
        filled = frozenset(SLOTS) - set(missing)
        compile_written(Written(words, "https://club.example"), "reset", "en", filled, own=Club())


@pytest.mark.parametrize(
    "sign",
    ["\U000e0041", "\U000e0001", "\u3164", "\u115f", "\u2800", "\u034f", "\ufe0f", "\u2062", "\U000e0100", "\ufeff"],
)
def test_characters_that_nobody_sees_are_refused(sign):
    (message,) = wrong(f"{{link}} a{sign}b")["body"]

    assert f"U+{ord(sign):04X}" in message


def test_hundreds_of_thousands_of_blanks_are_no_work():
    """With a pattern that tries again from every blank, this would take hours."""
    blanks = " " * 500_000
    missing = frozenset({"first_name", "username"})

    assert without(f"a{blanks}b {{link}}", missing) == f"a{blanks}b {{link}}"
    assert without(f"a{blanks}{{first_name}}, b", missing) == "a, b"


@pytest.mark.parametrize(
    "piece", [" ", "a", "a.", "a@", "。a", "ms-", "http://", "{first_name}", "[a](", "**", "%25", "//", "\n "]
)
def test_longest_text_of_any_kind_is_looked_through(piece):
    body = piece * (19_000 // len(piece.encode()))

    wrong(f"{{link}} {{username}} {{paragraph}} {body}")
    wrong(f"{{link}} [x](/?{body})")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Hola, {first_name}:", "Hola:"),
        ("Hello, {first_name}!", "Hello!"),
        ("Hello {first_name}", "Hello"),
        ("https:/ {first_name}/evil", "https:/ /evil"),
        ("one {first_name}two", "one two"),
        ("**Hello {first_name}**", "**Hello**"),
        ("  {first_name}, welcome", "welcome"),
    ],
)
def test_missing_name_joins_no_two_words(line, told):
    assert without(line, frozenset({"first_name"})) == told
