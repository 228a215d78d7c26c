"""What is stored about one person, as JSON."""

import json
from datetime import datetime

import pytest
from django.apps import apps

from wagtail_member_reset import personal_data, resets, tokens
from wagtail_member_reset.models import NeedsHelp, PasswordReset, ResetEmail, ResetRequest
from wagtail_member_reset.personal_data import exported

pytestmark = pytest.mark.django_db


def test_each_kind_of_row_is_told_of_the_member_and_of_nobody_else(member, other, office, everything):
    told = json.loads(json.dumps(personal_data.export(member)))

    assert told["person"] == {"id": str(member.pk), "username": member.get_username(), "address": member.email}
    [link], [email] = told["links"], told["emails"]
    assert link["state"] == {"code": "active", "words": "Active"}
    assert (link["by_staff"], len(link["shown_to_staff"])) == (True, 1)
    assert (email["recipient"], email["reset_id"]) == (member.email, link["id"])
    assert [report["event_type"] for report in email["reports"]] == ["bounced"]
    assert [asked["address"] for asked in told["requests"]] == [member.email]
    assert [known["verdict"]["code"] for known in told["address"]] == ["hard_bounce"]
    assert [each["reason"]["words"] for each in told["do_not_email"]] == ["By post only"]
    assert [each["note"] for each in told["needs_help"]] == ["Has moved to Bonn"]
    assert told["mailings"]["waiting_in"] == ["News"]
    assert told["mailings"]["drafts"] == ["Renewal"]
    assert [line["line"] for line in told["mailings"]["lines_of_files"]] == [3]
    assert "wagtail_member_reset.check" in [entry["action"]["code"] for entry in told["log"]]
    assert [entry["answer"] for entry in told["log"] if "answer" in entry] == ["She knew her number"]
    text = json.dumps(told)
    assert other.email not in text and "zoe@" not in text
    assert office.email not in text and office.get_username() not in text


def test_times_are_iso_with_an_offset(member, everything):
    told = personal_data.export(member)

    times = [told["made_at"], told["links"][0]["issued_at"], told["emails"][0]["created_at"], told["log"][0]["at"]]
    assert all(datetime.fromisoformat(time).tzinfo for time in times)


def test_no_secret_is_told(member, other, everything):
    reset = PasswordReset.objects.get(member=member)
    token = resets.link(reset).rstrip("/").rpartition("/")[2]
    asked = ResetRequest.objects.get(address=member.email)
    # As if a colleague had pasted the link, and a mail server quoted it.
    ResetEmail.objects.filter(member=member).update(result_text=f"550 https://club.example/account/r/{token} is spam")
    member.wagtail_member_reset_needs_help.__class__.objects.filter(pk=member.pk).update(note=f"Read out: {token}")

    text = json.dumps(personal_data.export(member))

    reset.refresh_from_db()
    secrets = [token, token[12:38], reset.selector, reset.nonce, bytes(reset.nonce).hex(), reset.verifier]
    secrets += [reset.key_id, reset.password_mark, member.password, asked.address_digest]
    secrets += [asked.network_digest]
    assert [secret for secret in secrets if secret and str(secret) in text] == []
    assert "is spam" in text and "Read out" in text


@pytest.mark.parametrize("form", ["{0}", "x{0}", "i{0}i", "ab{0}cd", "{1}", "{1}!", "\u200b{0}", "{2}"])
def test_token_that_a_colleague_typed_is_not_told_in_any_form(member, form):
    token = "7fd0yq2m9kkd4wz1r8tbn5c3hg6pvxs0ea2j4m"
    token += tokens._check(token[:12], token[12:])
    NeedsHelp.objects.get_or_create(member=member)
    said = form.format(token, token[:-2], "-".join((token[:20], token[20:])))
    NeedsHelp.objects.filter(pk=member.pk).update(note=f"Her link: {said}, since May")

    [told] = personal_data.export(member)["needs_help"]

    assert told["note"].startswith("Her link: ") and told["note"].endswith(", since May")
    assert said not in told["note"] and token[5:35] not in told["note"].replace("-", "")


def test_each_field_of_each_table_is_told_or_left_out_for_a_reason():
    for model, told in exported.TOLD.items():
        fields = {field.attname if field.name + "_id" in told else field.name for field in model._meta.concrete_fields}
        assert fields == {*told, *exported.LEFT_OUT[model]}, model
        assert not {*told} & {*exported.LEFT_OUT[model]}


def test_each_table_that_names_a_person_is_told():
    personal = {
        model
        for model in apps.get_app_config("wagtail_member_reset").get_models()
        if any(field.name in ("member", "viewer", "reset", "email", "address_digest") for field in model._meta.fields)
    }

    assert personal <= set(exported.TOLD)


def test_what_a_person_did_as_staff_is_counted_and_names_nobody(office, member, everything):
    told = personal_data.export(office)

    staff = told["as_staff"]
    assert (staff["links_made"], staff["emails_asked_for"], staff["links_seen"]) == (2, 2, 2)
    assert [each["name"] for each in staff["mailings"]] == ["Renewal", "News"]
    assert member.email not in json.dumps(told)


def test_address_that_somebody_else_has_by_now_is_theirs(member, other, sent, by_hand):
    sent()
    member.email = "mia.new@members.example"
    member.save()
    other.email = "mia@members.example"
    other.save()
    resets.request("mia@members.example", network="203.0.113.7", site=None, language="en")

    told = personal_data.export(member)

    assert told["requests"] == []
    assert [email["recipient"] for email in told["emails"]] == ["mia@members.example"]


def test_nothing_changes(member, everything):
    before = list(PasswordReset.objects.values()), list(ResetEmail.objects.values())

    personal_data.export(member)

    assert (list(PasswordReset.objects.values()), list(ResetEmail.objects.values())) == before
