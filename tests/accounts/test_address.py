"""One address, many spellings."""

import re
import unicodedata

import pytest
from django.contrib.auth import get_user_model
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_person
from wagtail_member_reset.accounts import accounts_by_address, address_key, address_of, clean_address, same_address
from wagtail_member_reset.accounts.address import INVISIBLE, JOINERS, LONGEST_ADDRESS, WHITE_SPACE, IsUnusual

PAIRS = [
    ("ina@münchen.example", "ina@xn--mnchen-3ya.example"),
    ("ina@MÜNCHEN.example", "INA@XN--MNCHEN-3YA.EXAMPLE"),
    ("ulf@faß.example", "ulf@xn--fa-hia.example"),
    ("mia@club.example ", "mia@club.example"),
    ("\u00a0mia@club.example\u3000\n", "mia@club.example"),
    ("mia@club.example\u200b", "mia@club.example"),
    ("\ufeffmia@club.example", "mia@club.example"),
    ("mi\u00ada@cl\u2060ub.example", "mia@club.example"),
    ("\u202amia@club.example\u202c", "mia@club.example"),
    ("\x0bmia@club.example\x7f", "mia@club.example"),
    ("JÖRG@club.example", "jörg@club.example"),
    ("jo\u0308rg@club.example", "jörg@club.example"),
    ("mia\uff20club.example", "mia@club.example"),
    ("ｍia@ｃlub.example", "mia@club.example"),
    ("mia@club。example", "mia@club.example"),
    ("mia@club.example.", "mia@club.example"),
    ("علی\u200cرضا@club.example", "علیرضا@club.example"),
    ("ana@i❤.example", "ana@xn--i-7iq.example"),
    ("ana@é_b.example", "ana@xn--_b-9ia.example"),
]
OTHERS = [
    ("ulf@faß.example", "ulf@fass.example"),
    ("mia@club.example", "mıa@club.example"),
    ("mia@club.example", "mía@club.example"),
    ("mia@club.example", "miа@club.example"),  # a Cyrillic а
    ("mia+club@club.example", "mia@club.example"),
    ("m.ia@club.example", "mia@club.example"),
    ("'quinn@club.example", "quinn@club.example"),
    ("ana@نامه\u200cای.example", "ana@نامهای.example"),  # in a domain, a joiner between such letters counts
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_spellings_of_one_address_have_one_key(one, other):
    assert address_key(one) == address_key(other)
    assert same_address(one, other)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_addresses_have_other_keys(one, other):
    assert not same_address(one, other)


def test_what_is_too_long_for_an_address_is_nobodys_and_costs_nothing():
    for text in ("a" * (LONGEST_ADDRESS + 1), "\u0345" * 65536, "@" * 100_000, "x@" + "\ufdfa" * 65536):
        assert address_key(text) == ""
    assert not same_address("a" * 400, "b" * 400)


@pytest.mark.parametrize("sign", ["\u0345", "\ufdfa", "\u0315", "ß", "\u200d", "-", ".", "@", "é."])
def test_longest_address_of_any_sign_has_a_key(sign):
    local, domain = sign * 318 + "@x", "x@" + sign * 318

    assert address_key(local[:LONGEST_ADDRESS]) or sign == "\u200d"
    assert address_key(domain[:LONGEST_ADDRESS])


@given(st.text(max_size=40) | st.text("mM@.\u200b\u200c\u200d ßöÖ\u0308_-\u3000xn", max_size=20))
def test_key_of_a_key_is_the_key(text):
    key = address_key(text)

    assert address_key(key) == key or not key.isascii()
    assert address_key(clean_address(text)) == key
    assert clean_address(clean_address(text)) == clean_address(text)


@given(st.text("aé@" + JOINERS, max_size=12))
def test_joiners_stay_between_the_letters_that_they_join_alone(text):
    by_expression = re.sub(f"(?<![^\x00-\x7f])[{JOINERS}]+|[{JOINERS}]+(?![^\x00-\x7f])", "", text.strip(JOINERS))

    assert clean_address(text) == by_expression


@given(st.text(WHITE_SPACE + JOINERS + INVISIBLE))
def test_what_nobody_can_see_is_no_address(text):
    assert clean_address(text) == ""


def test_what_is_taken_out_is_what_cannot_be_seen():
    for sign in INVISIBLE:
        # Fillers of Hangul are letters for Unicode, with nothing to see.
        assert unicodedata.category(sign) in ("Cc", "Cf", "Mn", "Cn") or "FILLER" in unicodedata.name(sign)


@pytest.mark.django_db
@pytest.mark.parametrize(("stored", "typed"), [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_account_is_found_by_any_spelling_of_its_address_however_it_was_written(stored, typed):
    member = make_person("Mia")
    get_user_model().objects.filter(pk=member.pk).update(email=stored)  # no signal says so
    make_person("Other", email="other@club.example")

    found = accounts_by_address([typed, "nobody@club.example"])

    assert found == {address_key(typed): [member], "nobody@club.example": []}


@pytest.mark.django_db
@pytest.mark.parametrize(("stored", "typed"), OTHERS)
def test_account_is_not_found_by_another_address(stored, typed):
    member = make_person("Mia")
    get_user_model().objects.filter(pk=member.pk).update(email=stored)

    assert accounts_by_address([typed]) == {address_key(typed): []}


@pytest.mark.django_db
def test_accounts_of_many_addresses_are_found_by_one_statement(django_assert_num_queries):
    members = [make_person(f"Member{number}", email=f"member{number}@club.example") for number in range(3)]

    with django_assert_num_queries(1):
        found = accounts_by_address([f" MEMBER{number}@club.example" for number in range(3)])

    assert [each for same in found.values() for each in same] == members


@pytest.mark.django_db
def test_accounts_whose_model_computes_the_address_are_found(monkeypatch):
    member = make_person("Mia")
    make_person("Max")
    model = get_user_model()
    monkeypatch.setattr(model, "EMAIL_FIELD", "computed", raising=False)
    monkeypatch.setattr(
        model, "computed", property(lambda account: f"{account.first_name}@Club.example"), raising=False
    )

    assert accounts_by_address(["mia@club.example"]) == {"mia@club.example": [member]}


@pytest.mark.django_db
def test_address_is_read_without_what_it_was_stored_with():
    member = make_person("Ted", email="ted@club.example \u200b")

    assert address_of(member) == "ted@club.example"


@pytest.mark.django_db
def test_database_tells_unusual_addresses_as_python_does():
    signs = [chr(code) for code in [*range(1, 0x250), 0x200B, 0x3000, 0xFEFF, 0x1F600]]
    addresses = [f"a{sign}b{number}@club.example" for number, sign in enumerate(signs)]
    model = get_user_model()
    name = model.USERNAME_FIELD
    model.objects.bulk_create(model(**({name: f"user{n}"} | {"email": each})) for n, each in enumerate(addresses))

    found = set(model.objects.filter(IsUnusual("email")).values_list("email", flat=True))

    assert found == {each for each in addresses if not all("!" <= sign <= "~" for sign in each)}
