import random
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from operator import and_, or_

import pytest
import time_machine
from django.utils import timezone
from django.utils.crypto import salted_hmac
from hypothesis import given
from hypothesis import strategies as st

from wagtail_member_reset import ids, redact, tokens
from wagtail_member_reset.exceptions import LinkProblem, WindowClosed
from wagtail_member_reset.models import PasswordReset


@dataclass
class Row:
    """As much of a reset as a token needs."""

    material: tokens.Material = field(default_factory=lambda: tokens.issue()[0])
    issued_at: datetime = field(default_factory=timezone.now)

    def __getattr__(self, name):
        return getattr(self.material, name)


@pytest.fixture
def row():
    return Row()


def spell(token, mangling):
    """How mail clients, phones and people write a token; each must be understood."""
    at = len(token) // 2
    return {
        "as it is": token,
        "whole link": f"https://club.example/account/r/{token}",
        "final slash": f"https://club.example/account/r/{token}/",
        "wrapped": f"{token[:at]}\r\n   {token[at:]}",
        "quoted-printable": f"{token[:at]}=\r\n{token[at:]}",
        "zero-width": "\u200b".join(token),
        "soft hyphens": f"{token[:at]}\u00ad{token[at:]}\ufeff",
        "upper case": token.upper(),
        "look-alikes": token.replace("0", "o").replace("1", "l"),
        "other look-alikes": token.replace("0", "O").replace("1", "I"),
        "full stop": f"{token}.",
        "brackets": f"<{token}/>",
        "quotes": f"“{token}”,",
        "full width": "".join(chr(ord(c) + 0xFEE0) for c in token),
        "tracking": f"https://club.example/account/r/{token}?utm_source=mail#top",
        "doubled": token + token,
        "doubled link": f"https://club.example/account/r/{token}https://club.example/account/r/{token}",
    }[mangling]


MANGLINGS = [
    "as it is", "whole link", "final slash", "wrapped", "quoted-printable", "zero-width", "soft hyphens", "upper case",
    "look-alikes", "other look-alikes", "full stop", "brackets", "quotes", "full width", "tracking", "doubled",
    "doubled link",
]  # fmt: skip


@pytest.mark.parametrize("mangling", MANGLINGS)
def test_recoverable_spellings_are_understood(row, mangling):
    token = tokens.mint(row)

    parsed = tokens.parse(spell(token, mangling))

    assert parsed.selector + parsed.secret == token[:-2]


GLUED = {
    "tracking without a question mark": "&utm_source=x",
    "tracking with slashes": "&utm_source=a/b&utm_content=https://club.example/news/",
    "entity": "&gt;",
    "entity of an ampersand": "&amp;utm_source=x",
    "entity that a parser took early": "×tamp=1700000000",
    "footnote": "[1]",
    "bracket": ")",
    "markdown": ")**.",
    "full stop and bracket": ".)",
    "encoded bracket": "%3E",
    "encoded quotation mark": "%22",
    "encoded twice": "%253E",
    "quotation mark": '"',
    "end of a tag": '">Choose a password</a>',
    "closed tag": "</a>",
    "void tag": "<br/>",
    "Chinese full stop": "。",
    "Chinese comma and words": "，谢谢您",
    "Chinese brackets": "】》」",
    "Arabic comma": "، شكرا",
    "word": "Note",
    "words": "This link works once, until Monday.",
    "letters of the alphabet": "xyz",
    "what a filter added": "BLOCKED",
    "URL Defense, version 3": "__;!!AbC0dEf1!gHiJkLmNoPqRsTuVwXyZ_0123-4567$",
    "Safelinks, unwrapped by hand": "&data=05|02|mia@club.example|4b825dc642cb6eb9a060e54bf8d69288|0|0|638"
    "&sdata=ab/4b825dc642cb6eb9a060e54bf8d69288fbee4904abcd=&reserved=0",
    "next link": "https://club.example/",
    "second half of a token": "0123456789abcdefghjk",
    "line of dashes": "\n-- \nExample Club",
    "smiley": " :-)",
    "fragment": "#m_-123_top",
    "semicolon": ";jsessionid=0/1",
    "backslash": "\\",
    "null": "\x00",
    "quoted-printable blank": "=20",
    "direction": "\u2069\u202c",
    "emoji": "👍🏽",
    "combining marks": "\u0301" * 100,
}


@pytest.mark.parametrize("start", ["", "https://club.example/account/r/"], ids=["token", "link"])
@pytest.mark.parametrize("glued", GLUED.values(), ids=GLUED)
def test_what_was_glued_to_a_token_is_left_off(row, glued, start):
    token = tokens.mint(row)

    parsed = tokens.parse(f"{start}{token}{glued}")

    assert parsed is not None
    assert parsed.text == token


@pytest.mark.parametrize(
    "wrapped",
    [
        "<https://club.example/account/r/{}>",
        "&lt;https://club.example/account/r/{}&gt;",
        "https%3A%2F%2Fclub.example%2Faccount%2Fr%2F{}",
        "https://urldefense.com/v3/__https://club.example/account/r/{}__;!!AbC0!gHiJ_k-L$",
        "https://secure-web.cisco.com/1a-b_c/https%3A%2F%2Fclub.example%2Faccount%2Fr%2F{}",
        "[Choose a password](https://club.example/account/r/{})",
        "“{}”",
        "「{}」",
        "\u2068{}\u2069",
        "https://an-association-of-very-friendly-people-in-every-town.example/account/r/{}/",
    ],
)
def test_last_segment_of_a_path_is_read_whatever_is_around_the_link(row, wrapped):
    token = tokens.mint(row)

    assert tokens.parse(wrapped.format(token)) == tokens.parse(token)


@pytest.mark.parametrize(
    "rewritten",
    [
        "https://eur05.safelinks.protection.outlook.com/?url=https%3A%2F%2Fclub.example%2Faccount%2Fr%2F{}&data=05",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__club.example_account_r_{}&d=DwMF",
        "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fclub.example%2faccount%2fr%2f{}&c=E",
    ],
)
def test_link_in_the_query_of_a_service_is_no_link_of_ours(row, rewritten):
    """A browser takes it to the service, which leads on to the link as it was; no query reaches us."""
    assert tokens.parse(rewritten.format(tokens.mint(row))) is None


@pytest.mark.parametrize("before", ["xx", "link", "abcdefghjk", "1/2", "r="])
def test_no_window_is_moved_to_where_a_token_would_fit(before):
    token = tokens.Token("0" * 12, "z" * 26).text

    assert tokens.parse(token) is not None
    assert tokens.parse(before + token) is None


def test_a_long_junk_has_one_chance_and_not_one_for_each_place():
    rng, junk = random.Random(20261125), 4000

    read = sum(tokens.parse("".join(rng.choices(tokens.ALPHABET, k=400)) + "/short/") is not None for _ in range(junk))

    assert read <= 16  # one in 1,024 is spelt well, that is about 4; each place tried, it would be 1,200


@pytest.mark.parametrize(
    "junk", ["/" * 512, "0" * 512, "%" * 512, "&" * 512, "0&" * 256, "<" * 512, "\ufdfa" * 512, "%25" * 170, "0/" * 256]
)
def test_junk_of_full_length_is_refused_in_no_time(junk):
    started = time.perf_counter()

    for _ in range(20):
        tokens.parse(junk)

    assert time.perf_counter() - started < 1


@given(
    inside=st.sampled_from(["wrapped", "quoted-printable", "zero-width", "soft hyphens", "upper case", "look-alikes"]),
    around=st.sampled_from(["whole link", "final slash", "full stop", "brackets", "quotes", "tracking"]),
)
def test_two_manglings_at_once_are_understood(inside, around):
    token = tokens.mint(Row())

    parsed = tokens.parse(spell(spell(token, inside), around))

    assert parsed.selector + parsed.secret == token[:-2]


@given(st.one_of(st.text(max_size=700), st.binary(max_size=700).map(lambda data: data.decode("latin-1"))))
def test_any_text_is_a_token_or_none_and_never_an_exception(text):
    assert tokens.parse(text) is None or isinstance(tokens.parse(text), tokens.Token)


@given(st.text(alphabet=tokens.ALPHABET, min_size=40, max_size=40))
def test_well_spelt_guesses_open_nothing(guess):
    parsed = tokens.parse(guess)

    assert parsed is None or not tokens.matches(parsed.proof, Row())


@pytest.mark.slow
def test_hundred_thousand_guesses_around_a_real_link_open_nothing(row):
    """Its selector with another secret, its secret with another selector, and tokens out of the air, all well spelt."""
    real, rng, opened = tokens.parse(tokens.mint(row)), random.Random(20240229), 0
    for number in range(100_000):
        selector, secret = ("".join(rng.choices(tokens.ALPHABET, k=size)) for size in (12, 26))
        guess = [(real.selector, secret), (selector, real.secret), (selector, secret)][number % 3]
        parsed = tokens.parse("".join(guess) + tokens._check(*guess))
        opened += parsed.selector == row.selector and tokens.matches(parsed.proof, row)

    assert opened == 0
    assert tokens.matches(real.proof, row)


@pytest.mark.parametrize("place", [-2, -1])
def test_wrong_check_symbol_is_damage(row, place):
    symbols = list(tokens.mint(row))
    symbols[place] = tokens.ALPHABET[tokens.ALPHABET.index(symbols[place]) - 1]

    assert tokens.parse("".join(symbols)) is None


@pytest.mark.parametrize("secret", ["0" * 25, "0" * 27, "0" * 25 + "u", "0" * 25 + "é"])
def test_what_is_no_token_is_none_however_well_it_is_checked(secret):
    selector = "0" * 12

    assert tokens.parse(selector + secret + tokens._check(selector, secret)) is None


def test_mark_of_a_password_under_a_key_that_is_gone_is_empty():
    assert tokens.password_mark(7, "md5$a$b", "gone") == ""


def test_more_than_512_characters_are_refused(row):
    token = tokens.mint(row)

    assert tokens.parse(token + " " * 472).selector == row.selector
    assert tokens.parse(token + " " * 473) is None


def test_token_has_forty_symbols_of_the_alphabet(row):
    token = tokens.mint(row)

    assert len(token) == 40
    assert set(token) <= set(tokens.ALPHABET)


def test_token_is_the_same_each_time_and_matches_its_row(row):
    token = tokens.mint(row)

    assert tokens.mint(row) == token
    assert tokens.matches(tokens.parse(token).proof, row)
    assert not tokens.matches(tokens.parse(token).proof, Row())
    assert not tokens.matches(tokens.parse(token).proof, None)


def test_token_of_a_new_link_is_the_one_that_its_row_makes_again():
    material, token = tokens.issue()

    assert token.text == tokens.mint(Row(material))
    assert tokens.parse(token.text) == token


def test_material_of_a_link_fills_its_columns():
    [material, _token], fields = tokens.issue(), PasswordReset._meta

    lengths = {name: len(getattr(material, name)) for name in ("selector", "nonce", "verifier", "key_id")}

    assert lengths == {name: fields.get_field(name).max_length for name in lengths}


def test_nonce_of_a_link_has_256_random_bits():
    nonces = {tokens.issue()[0].nonce for _ in range(100)}

    assert {len(nonce) for nonce in nonces} == {32}
    assert len(nonces) == 100


def test_token_cannot_be_made_after_the_window(row):
    with time_machine.travel(row.issued_at + timedelta(hours=16), tick=False), pytest.raises(WindowClosed):
        tokens.mint(row)


def test_token_can_be_made_until_the_last_second_of_the_window(row):
    token = tokens.mint(row)

    with time_machine.travel(row.issued_at + timedelta(hours=16, seconds=-1), tick=False):
        assert tokens.mint(row) == token


def test_token_cannot_be_made_without_the_nonce(row):
    material = row.material
    row.material = tokens.Material(material.selector, None, material.verifier, material.key_id)

    with pytest.raises(WindowClosed):
        tokens.mint(row)


def test_key_rotation_keeps_the_link_and_its_token(row, settings):
    token = tokens.mint(row)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key " + "y" * 50

    assert tokens.mint(row) == token
    assert tokens.matches(tokens.parse(token).proof, row)


def test_dropped_key_ends_the_link(row, settings):
    token = tokens.mint(row)
    settings.SECRET_KEY = "a new key " + "y" * 50

    with pytest.raises(WindowClosed):
        tokens.mint(row)
    assert not tokens.matches(tokens.parse(token).proof, row)


def test_verifier_cannot_be_planted_without_the_key(row):
    """Somebody who can write to the database, but does not have the key."""
    import hashlib

    parsed = tokens.parse(tokens.mint(row))
    planted = hashlib.sha256(f"{parsed.selector}|{parsed.proof}".encode()).hexdigest()
    material = row.material
    row.material = tokens.Material(material.selector, material.nonce, planted, material.key_id)

    assert not tokens.matches(parsed.proof, row)


def test_all_unusable_passwords_have_one_mark(row):
    marks = {tokens.password_mark(7, password, row.key_id) for password in ("!one", "!two", "!" + "x" * 40)}

    assert len(marks) == 1
    assert tokens.password_mark(7, "md5$a$b", row.key_id) not in marks
    assert tokens.password_mark(8, "!one", row.key_id) not in marks


def test_grant_is_read_back_for_thirty_minutes():
    with time_machine.travel("2026-11-23 12:00:00+00:00", tick=False) as clock:
        sealed = tokens.seal("selector", "proof")
        clock.shift(timedelta(minutes=29))
        in_time = tokens.unseal(sealed)
        clock.shift(timedelta(minutes=2))
        too_late = tokens.unseal(sealed)

    assert in_time == ("selector", "proof")
    assert too_late is None


@given(st.text(max_size=300))
def test_forged_grants_are_none(value):
    assert tokens.unseal(value) is None


def test_sealed_problem_is_read_back():
    assert tokens.unseal(tokens.seal_problem(LinkProblem.DAMAGED)) is LinkProblem.DAMAGED


def test_grant_and_token_do_not_show_their_secrets(row):
    token = tokens.parse(tokens.mint(row))

    assert token.secret not in repr(token)
    assert token.secret not in tokens.seal(token.selector, token.proof)


def test_public_ids_have_74_random_bits_and_the_marks_of_their_version():
    made = [ids.new_public_id() for _ in range(500)]
    random_bits = 0xFFF << 64 | (1 << 62) - 1

    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    # Each of them is set in one id, and not in another.
    assert reduce(or_, (one.int for one in made)) & random_bits == random_bits
    assert reduce(and_, (one.int for one in made)) & random_bits == 0


def test_public_ids_grow_with_time():
    with time_machine.travel("2026-11-23 12:00:00+00:00", tick=False) as clock:
        first = ids.new_public_id()
        clock.shift(timedelta(seconds=1))
        second = ids.new_public_id()

    assert [first.int >> 80, second.int >> 80] == [1_795_435_200_000, 1_795_435_201_000]  # milliseconds since 1970


@given(
    before=st.text(max_size=40),
    after=st.text(max_size=40),
    spelling=st.sampled_from(["as it is", "whole link", "wrapped", "quoted-printable", "upper case", "doubled"]),
    cut=st.integers(min_value=0, max_value=20),
)
def test_no_quoted_token_is_left_in_the_text_of_others(before, after, spelling, cut):
    token = tokens.mint(Row())
    quoted = spell(token[cut:], spelling)

    kept = redact.blank_out(token, f"{before} {quoted} {after}")

    assert kept.startswith(before[:-8])
    assert "…" in kept
    plain = "".join(kept.lower().replace("=", "").split())
    assert not any(token[at : at + 8] in plain for at in range(len(token) - 7))


@given(st.text(max_size=300))
def test_text_without_the_token_is_left_as_it_is(text):
    assert redact.blank_out(tokens.mint(Row()), text) == text


def test_last_eight_symbols_of_a_token_are_blanked_out_alone(row):
    token = tokens.mint(row)

    assert redact.blank_out(token, f"cut: <{token[-8:]}>") == "cut: <…>"
    assert redact.blank_out(token, f"cut: <{token[-7:]}>") == f"cut: <{token[-7:]}>"  # too little to tell from words


def test_blanking_out_swallows_no_more_than_the_rest_of_a_piece(row):
    token = tokens.mint(row)

    assert redact.blank_out(token, token + "z" * 20) == "…" + "z" * 13


def test_a_long_answer_is_searched_in_no_time(row):
    token = tokens.mint(row)
    started = time.perf_counter()

    redact.blank_out(token, (token[:7] + " =" * 50) * 100)

    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("symbol", range(12, 38))
def test_a_secret_with_one_wrong_symbol_matches_nothing(row, symbol):
    token = tokens.mint(row)
    wrong = "1" if token[symbol] == "0" else "0"
    forged = token[:symbol] + wrong + token[symbol + 1 : 38]

    assert not tokens.matches(tokens.Token(forged[:12], forged[12:]).proof, row)


def test_a_proof_of_one_row_matches_no_other(row):
    """As when somebody who can write to the database moves a verifier to another member's row."""
    other = Row()
    material = other.material
    other.material = tokens.Material(material.selector, material.nonce, row.verifier, material.key_id)

    assert not tokens.matches(tokens.parse(tokens.mint(row)).proof, other)


def test_every_symbol_stands_everywhere():
    """A thousand links: no two alike, and no position that lacks a symbol."""
    made = [tokens.mint(Row()) for _ in range(1000)]

    assert len({token[:12] for token in made}) == len({token[12:38] for token in made}) == 1000
    assert all(set(symbols) == set(tokens.ALPHABET) for symbols in zip(*made, strict=True))


def test_link_opens_under_the_third_key_of_the_list(row, settings):
    proof = tokens.parse(tokens.mint(row)).proof
    settings.SECRET_KEY_FALLBACKS = ["a key between " + "y" * 50, settings.SECRET_KEY]
    settings.SECRET_KEY = "the newest key " + "z" * 50

    assert tokens.matches(proof, row)
    assert tokens.password_mark(7, "md5$a$b", row.key_id) != ""


def test_grant_outlives_a_key_rotation_and_not_the_loss_of_its_key(settings):
    sealed = tokens.seal("selector", "proof")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key " + "y" * 50
    rotated = tokens.unseal(sealed)
    settings.SECRET_KEY_FALLBACKS = []

    assert (rotated, tokens.unseal(sealed)) == (("selector", "proof"), None)


@given(st.data())
def test_a_grant_with_any_character_changed_is_none(data):
    sealed = tokens.seal("selector", "proof")
    at = data.draw(st.integers(min_value=0, max_value=len(sealed) - 1))
    other = data.draw(st.characters().filter(lambda character: character != sealed[at]))

    assert tokens.unseal(sealed[:at] + other + sealed[at + 1 :]) is None


ORDINARY = [
    "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the address.",
    "4.7.1 Greylisting in action, please come back in 00:04:59",
    "host mx.example[203.0.113.5] said: 554 5.7.1 Service unavailable; client blocked using zen.spamhaus.org",
    "Message-ID: <mr.01939b5e-0000-7000-8000-000000000001@club.example>",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_text_of_others_stays_where_it_quotes_nothing(text):
    assert redact.blank_out_any(text) == text


@pytest.mark.parametrize("spelling", ["{}", "{}/", "https://club.example/account/r/{}/", "<{}>", "see {}, please"])
@pytest.mark.parametrize("change", [str, str.upper, lambda t: f"{t[:20]} {t[20:]}", lambda t: f"{t[:33]}= {t[33:]}"])
def test_token_in_a_text_of_others_is_blanked_out_whoever_it_is_of(spelling, change):
    row = Row()
    token = tokens.mint(row)

    blanked = redact.blank_out_any(f"Spam found: {spelling.format(change(token))}")

    assert blanked.startswith("Spam found: ")
    assert not any(token[start : start + 8] in blanked.lower() for start in range(12, 30))


@pytest.mark.parametrize("glued", ["Note", "xyz", "0123", "BLOCKED", "&gt;", "\nbegin"])
@pytest.mark.parametrize("before", ["", "ease ", "begin\n", "see:"])
def test_token_with_a_word_glued_to_it_is_blanked_out_since_it_works(row, before, glued):
    token = tokens.mint(row)

    blanked = redact.blank_out_any(f"{before}{token}{glued}")

    assert token not in blanked
    assert not any(token[start : start + 8] in blanked.lower() for start in range(33))


def test_link_that_was_cut_off_is_blanked_out():
    token = tokens.mint(Row())

    assert token[:20] not in redact.blank_out_any(f"quoted: https://club.example/account/r/{token[:30]}")


def test_digests_are_django_s_so_that_links_outlive_an_upgrade(row, settings):
    def mac(purpose, value):
        return salted_hmac(tokens.SALT + purpose, value, secret=settings.SECRET_KEY, algorithm="sha256")

    token = tokens.parse(tokens.mint(row))

    assert row.verifier == mac("verify", f"{row.selector}|{token.proof}").hexdigest()
    assert tokens.password_mark(1, "!", row.key_id) == mac("password", "1|!").hexdigest()
    assert token.secret == tokens._symbols(mac("token", row.selector.encode() + b"|" + row.nonce).digest(), 26)
