"""Creating an account: with a link for the new member, or as it always was."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.db import connections
from django.db.models.signals import pre_save
from django.urls import reverse
from wagtail import hooks
from wagtail.users.views.users import UserViewSet

from tests.conftest import grant, make_person
from tests.custom.mount import mount
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import PasswordReset, Purpose, ResetEmail

from .pages import LINK, SENT, WELCOMED, edit_url, history, words

FIELD = "member_reset_password"
GOOD = {"password1": "correct horse 42", "password2": "correct horse 42"}
ADD = reverse("wagtailusers_users:add")


def filled_in(name="Nora", **data):
    fields = {"email": f"{name.lower()}@members.example", "first_name": name, "last_name": "Sample"}
    if get_user_model().USERNAME_FIELD == "username":
        fields["username"] = name.lower()
    return {**fields, "password1": "", "password2": "", **data}


def created(name="Nora"):
    return get_user_model()._base_manager.filter(email=f"{name.lower()}@members.example").first()


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def errors(answer):
    return {name: list(texts) for name, texts in answer.context["form"].errors.items()}


@pytest.fixture
def adder(office):
    """Staff who may add users, and nothing else."""
    model = get_user_model()._meta.model_name
    office.groups.clear()
    return grant(office, "access_admin", f"add_{model}")


# The form


def test_form_offers_the_link_first(office_client):
    form = office_client.get(ADD).context["form"]

    assert form[FIELD].value() == "link"
    assert [value for value, _label in form.fields[FIELD].choices] == ["link", "password"]


def test_form_shows_the_choice_before_the_passwords(office_client):
    page = office_client.get(ADD).content.decode()

    assert 0 < page.index(f'name="{FIELD}"') < page.index('name="password1"')
    assert "Send this person a link to set their own password (recommended)" in page


def test_browser_does_not_insist_on_a_password(office_client):
    form = office_client.get(ADD).context["form"]

    assert [form.fields[name].required for name in ("password1", "password2")] == [False, False]


def test_copy_form_offers_the_choice_and_posts_to_the_add_view(admin_client, member):
    page = admin_client.get(reverse("wagtailusers_users:copy", args=[member.pk]))

    assert page.context["form"][FIELD].value() == "link"
    assert f'name="{FIELD}"' in page.content.decode()
    assert f'action="{ADD}"' in page.content.decode()


def test_account_that_is_copied_is_neither_welcomed_nor_locked_by_a_post_to_the_copy_view(enter, office, member):
    enter(office).post(
        reverse("wagtailusers_users:copy", args=[member.pk]),
        filled_in("Mia", username=member.get_username(), **{FIELD: "link"}),
    )

    member.refresh_from_db()
    assert member.check_password("old password 1")
    assert (PasswordReset.objects.count(), ResetEmail.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "switch", [{"WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED": False}, {"WAGTAIL_MEMBER_RESET_WELCOME_ON_CREATE": False}]
)
def test_choice_is_not_offered_where_there_is_none(office_client, settings, switch):
    for name, value in switch.items():
        setattr(settings, name, value)
    page = office_client.get(ADD).content.decode()

    answer = office_client.post(ADD, filled_in(**GOOD, **{FIELD: "link"}))

    assert FIELD not in page
    assert (answer.status_code, answer["Location"]) == (302, reverse("wagtailusers_users:index"))
    assert (created() is not None, PasswordReset.objects.count()) == (True, 0)


def test_site_that_hides_password_fields_offers_the_link_or_none_now(office_client, settings):
    settings.WAGTAILUSERS_PASSWORD_ENABLED = False
    page = words(office_client.get(ADD).content.decode())

    office_client.post(ADD, filled_in("Nora", **{FIELD: "link"}))
    office_client.post(ADD, filled_in("Nils", **{FIELD: "later"}))
    refused = office_client.post(ADD, filled_in("Nele", **{FIELD: "password"}))

    assert ("Send no link now" in page, "Set a password now" in page) == (True, False)
    assert [reset.member for reset in PasswordReset.objects.all()] == [created("Nora")]
    assert created("Nora").has_usable_password() is False
    assert created("Nils") is not None
    assert (set(errors(refused)), created("Nele")) == ({FIELD}, None)


# With the link


def test_link_creates_an_account_without_a_password_and_promises_the_mail(office_client, office):
    answer = office_client.post(ADD, filled_in(**{FIELD: "link"}))

    person = created()
    assert (answer.status_code, answer["Location"]) == (302, edit_url(person) + "#tab-settings")
    assert person.has_usable_password() is False
    reset, email = PasswordReset.objects.get(), ResetEmail.objects.get()
    assert (reset.member, reset.purpose, reset.issued_by) == (person, Purpose.WELCOME, office)
    assert (email.reset, email.purpose, email.recipient) == (reset, Purpose.WELCOME, "nora@members.example")
    assert history(person) == ["send"]


def test_settings_tab_says_that_the_account_was_created_and_mailed(office_client):
    answer = office_client.post(ADD, filled_in(**{FIELD: "link"}), follow=True)

    page = answer.content.decode()
    assert WELCOMED in words(page)
    assert resets.link(PasswordReset.objects.get()) in page
    assert SENT not in page


def test_welcome_lets_the_new_member_in(office_client, mailoutbox):
    office_client.post(ADD, filled_in(**{FIELD: "link"}))
    outbox.drain()

    token = LINK.search(mailoutbox[0].body)[0].rstrip("/").rpartition("/")[2]
    resets.redeem(resets.open(token), password="a brand new one 7")

    assert mailoutbox[0].to == ["nora@members.example"]
    assert created().check_password("a brand new one 7")


def test_password_that_a_browser_filled_in_is_not_looked_at(office_client):
    for number, typed in enumerate([GOOD, {"password1": "123"}, {"password2": "other"}, {"password1": "x" * 65536}]):
        office_client.post(ADD, filled_in(f"Nora{number}", **typed, **{FIELD: "link"}))

        assert created(f"Nora{number}").has_usable_password() is False


def test_roles_are_saved_with_the_link(admin_client):
    admin_client.post(ADD, filled_in(is_superuser="on", **{FIELD: "link"}))

    assert created().is_superuser is True
    assert created().has_usable_password() is False


def test_link_of_a_new_superuser_is_not_shown_to_office_staff(office_client):
    page = office_client.post(ADD, filled_in(is_superuser="on", **{FIELD: "link"}), follow=True).content.decode()

    assert LINK.search(page) is None


def test_account_stands_when_the_site_allows_no_reset_for_it(office_client, settings, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_MAY_RESET = "tests.staff.test_panel.nobody"

    answer = office_client.post(ADD, filled_in(**{FIELD: "link"}))
    outbox.drain()

    assert (answer.status_code, answer["Location"]) == (302, reverse("wagtailusers_users:index"))
    assert created().has_usable_password() is False
    assert WELCOMED not in said(answer)
    assert (PasswordReset.objects.count(), ResetEmail.objects.count(), mailoutbox) == (0, 0, [])


def test_other_mistakes_keep_the_choice(office_client):
    answer = office_client.post(ADD, filled_in(email="nonsense", **{FIELD: "link"}))

    assert set(errors(answer)) == {"email"}
    assert answer.context["form"][FIELD].value() == "link"
    assert created() is None


# Together or not at all


@pytest.mark.parametrize("row", [PasswordReset, ResetEmail])
def test_account_is_not_created_when_the_welcome_cannot_be_written(enter, office, row):
    client = enter(office, raise_request_exception=False)

    def refuse(**kwargs):
        raise RuntimeError("no room")

    pre_save.connect(refuse, sender=row)
    try:
        answer = client.post(ADD, filled_in(**{FIELD: "link"}))
    finally:
        pre_save.disconnect(refuse, sender=row)

    assert answer.status_code == 500
    assert (created(), PasswordReset.objects.count(), ResetEmail.objects.count()) == (None, 0, 0)


def test_failure_after_the_creation_leaves_neither_with_a_transaction_per_request(enter, office, monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
    client = enter(office, raise_request_exception=False)

    def fail(request, person):
        raise RuntimeError("the site's own hook")

    with hooks.register_temporarily("after_create_user", fail):
        answer = client.post(ADD, filled_in(**{FIELD: "link"}))

    assert answer.status_code == 500
    assert (created(), PasswordReset.objects.count(), ResetEmail.objects.count()) == (None, 0, 0)


def test_failure_after_the_creation_loses_no_welcome(enter, office):
    """Wagtail runs its hook after the account is committed: so is the promise of the mail."""
    client = enter(office, raise_request_exception=False)

    def fail(request, person):
        raise RuntimeError("the site's own hook")

    with hooks.register_temporarily("after_create_user", fail):
        client.post(ADD, filled_in(**{FIELD: "link"}))

    assert (created() is not None, PasswordReset.objects.count(), ResetEmail.objects.count()) == (True, 1, 1)


def test_mail_leaves_only_after_the_commit(office_client, settings, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        office_client.post(ADD, filled_in(**{FIELD: "link"}))
        at_once = list(mailoutbox)
    for callback in callbacks:
        callback()
    outbox.drain()

    assert (at_once, len(mailoutbox)) == ([], 1)


# Who may add, but not look


def test_who_may_add_but_not_change_stays_on_wagtails_way_with_the_exact_sentence(enter, adder):
    client = enter(adder)

    answer = client.post(ADD, filled_in(**{FIELD: "link"}))

    assert (answer.status_code, answer["Location"]) == (302, reverse("wagtailusers_users:index"))
    page = client.get(answer["Location"]).content.decode()
    assert WELCOMED in words(page)
    assert LINK.search(page) is None
    secret = resets.link(PasswordReset.objects.get()).rstrip("/")[-28:]
    assert secret not in str(answer.cookies) + str(dict(client.session))


def test_who_may_change_but_not_view_resets_gets_the_sentence_too(enter, office):
    group = office.groups.get()
    group.permissions.remove(*group.permissions.filter(codename__endswith="passwordreset"))

    answer = enter(office).post(ADD, filled_in(**{FIELD: "link"}))

    assert (answer.status_code, answer["Location"]) == (302, reverse("wagtailusers_users:index"))
    assert [words(text).startswith(WELCOMED) for text in said(answer)] == [True]


# With a password


def test_password_creates_the_account_as_ever(office_client):
    answer = office_client.post(ADD, filled_in(**GOOD, **{FIELD: "password"}))

    assert (answer.status_code, answer["Location"]) == (302, reverse("wagtailusers_users:index"))
    assert created().check_password(GOOD["password1"])
    assert PasswordReset.objects.count() == 0
    assert WELCOMED not in said(answer)


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({}, {"password1", "password2"}),
        ({"password1": "correct horse 42"}, {"password2"}),
        ({"password2": "correct horse 42"}, {"password1", "password2"}),
        ({"password1": "correct horse 42", "password2": "another horse 42"}, {"password2"}),
        ({"password1": "12345678", "password2": "12345678"}, {"password2"}),
    ],
)
def test_password_that_will_not_do_is_refused_as_ever(office_client, typed, wrong):
    answer = office_client.post(ADD, filled_in(**typed, **{FIELD: "password"}))

    assert set(errors(answer)) == wrong
    assert (created(), PasswordReset.objects.count()) == (None, 0)


@pytest.mark.parametrize("choice", ["", "both", "LINK", "x" * 65536])
def test_choice_that_is_none_is_refused(office_client, choice):
    answer = office_client.post(ADD, filled_in(**GOOD, **{FIELD: choice}))

    assert set(errors(answer)) == {FIELD}
    assert (created(), PasswordReset.objects.count()) == (None, 0)


def test_password_may_be_left_blank_where_the_site_allows_that(office_client, settings):
    settings.WAGTAILUSERS_PASSWORD_REQUIRED = False

    office_client.post(ADD, filled_in("Nora", **{FIELD: "password"}))
    office_client.post(ADD, filled_in("Nils", **{FIELD: "link"}))

    assert (created("Nora").password, created("Nils").has_usable_password()) == ("", False)
    assert [reset.member for reset in PasswordReset.objects.all()] == [created("Nils")]


# Without our field in the request


STOCK_POSTS = {
    "good": GOOD,
    "missing": {},
    "half": {"password1": "correct horse 42"},
    "different": {"password1": "correct horse 42", "password2": "another horse 42"},
    "common": {"password1": "password", "password2": "password"},
}


@pytest.mark.parametrize("site", [{}, {"WAGTAILUSERS_PASSWORD_REQUIRED": False}, {"WAGTAILUSERS_PASSWORD_ENABLED": 0}])
@pytest.mark.parametrize("typed", STOCK_POSTS)
def test_without_our_field_everything_is_as_ever(enter, office, settings, site, typed):
    for name, value in site.items():
        setattr(settings, name, value)

    def outcome(name):
        answer = enter(office).post(ADD, filled_in(name, **STOCK_POSTS[typed]))
        person, form = created(name), (answer.context or {}).get("form")
        return (
            answer.status_code,
            answer.headers.get("Location"),
            [words(text.replace(name.lower(), "…")) for text in said(answer)],
            {field: list(texts) for field, texts in form.errors.items()} if form else None,
            person and (person.password == "", person.has_usable_password(), person.check_password("correct horse 42")),
        )

    ours = outcome("Nora")
    mount(settings, UserViewSet)
    stock = outcome("Nils")

    assert ours == stock
    assert PasswordReset.objects.count() == 0


def test_existing_member_is_not_touched_by_the_form_for_a_new_one(office_client, member):
    answer = office_client.post(ADD, filled_in("Mia", username=member.get_username(), **{FIELD: "link"}))

    assert answer.status_code == 200
    member.refresh_from_db()
    assert member.check_password("old password 1")
    assert PasswordReset.objects.count() == 0


def test_twin_address_gets_a_link_of_its_own(office_client, settings):
    """Wagtail lets two accounts share a mailbox where the user model does."""
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("The address is unique in this user model.")
    make_person("Nora", password="x password 1")

    office_client.post(ADD, filled_in(**{FIELD: "link"}))

    assert PasswordReset.objects.get().member.username == "nora"
