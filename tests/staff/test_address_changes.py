"""Whoever changes a member's address by a form is not shown a link for a day, and the earlier address is told."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models.signals import pre_save
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from django.utils import timezone
from django.utils.connection import ConnectionDoesNotExist
from wagtail import hooks
from wagtail.admin.auth import require_admin_access
from wagtail.admin.utils import get_user_display_name
from wagtail.log_actions import LogContext
from wagtail.models import ModelLogEntry
from wagtail.users.views.users import EditView, UserViewSet

from tests.conftest import grant, make_person
from tests.custom.mount import mount
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import DeliveryEvent, PasswordReset, Purpose, ResetEmail
from wagtail_member_reset.staff import address_changes
from wagtail_member_reset.staff.viewset import MemberResetMixin

from .pages import FETCH, edit_url, history, rows, url, words
from .test_viewset import account_of

OLD, NEW = "mia@members.example", "mia@elsewhere.example"
TOLD = "The email address of your account at Example Club was changed"


@pytest.fixture
def used(member):
    """Somebody has signed in to the account."""
    member.last_login = timezone.now() - timedelta(days=30)
    member.save(update_fields=["last_login"])
    return member


@pytest.fixture
def hook(monkeypatch):
    """Registers a hook of the site's for one test."""
    hooks.search_for_hooks()

    def register(name, answer):
        monkeypatch.setitem(hooks._hooks, name, [*hooks._hooks.get(name, []), (answer, 0)])

    return register


def told(mailoutbox):
    outbox.drain()
    return [mail.to[0] for mail in mailoutbox if mail.subject == TOLD]


def stored(person):
    return get_user_model()._base_manager.get(pk=person.pk).email


def changed_by(person):
    entries = ModelLogEntry.objects.filter(action="wagtail_member_reset.address", object_id=str(person.pk))
    return [entry.user for entry in entries.order_by("pk")]


def save(client, person, **changes):
    return client.post(edit_url(person), account_of(person, **changes))


def correct(client, person, address, **way):
    return client.post(url("correct", person), {f"member-reset-{person.get_email_field_name()}": address}, **way)


# By whatever form


def test_changed_address_is_noted_once(office_client, office, member):
    save(office_client, member, email=NEW)

    assert (stored(member), changed_by(member)) == (NEW, [office])


def test_changed_address_is_noted_where_it_is_computed(office_client, office, member, monkeypatch):
    monkeypatch.setattr(address_changes, "address_column", lambda model: None)

    save(office_client, member, email=NEW)

    assert (stored(member), changed_by(member)) == (NEW, [office])


def test_earlier_address_is_all_that_is_read_of_the_account(office, member):
    with LogContext(user=office), CaptureQueriesContext(connection) as queries:
        member.save()

    accounts = f" FROM {connection.ops.quote_name(type(member)._meta.db_table)} "
    [asked] = [each["sql"] for each in queries if accounts in each["sql"]]
    assert "email" in asked
    assert "password" not in asked


def test_earlier_address_is_read_where_the_account_is_saved(office, member):
    with LogContext(user=office), pytest.raises(ConnectionDoesNotExist, match="elsewhere"):
        pre_save.send(type(member), instance=member, raw=False, using="elsewhere", update_fields=None)


def test_who_changed_the_address_is_not_shown_the_link(office_client, office, member):
    save(office_client, member, email=NEW)
    member = get_user_model()._base_manager.get(pk=member.pk)
    link = resets.link(resets.send(member, by=office))

    assert link not in office_client.get(edit_url(member)).content.decode()


def site_view(request, pk):
    """A page of the site's own in Wagtail's admin, with a form of its own."""
    person = get_user_model()._base_manager.get(pk=pk)
    person.email = request.POST["address"]
    person.save()
    return HttpResponse()


class QuietEditView(EditView):
    """Stores the address from a field of its own name, and so that no signal tells of it."""

    def save_instance(self):
        member = super().save_instance()
        type(member)._base_manager.filter(pk=member.pk).update(email=self.request.POST["private_mail"])
        return member


class QuietUserViewSet(MemberResetMixin, UserViewSet):
    edit_view_class = QuietEditView


def test_field_of_another_name_counts_though_no_signal_tells(enter, office, used, settings, mailoutbox):
    mount(settings, QuietUserViewSet)

    enter(office).post(edit_url(used), {**account_of(used), "private_mail": NEW})

    assert (stored(used), changed_by(used), told(mailoutbox)) == (NEW, [office], [OLD])


@pytest.mark.parametrize("name", ["before_edit_user", "after_edit_user"])
@pytest.mark.parametrize("is_quiet", [True, False], ids=["update", "save"])
def test_address_that_a_hook_changes_counts(office_client, office, used, hook, name, is_quiet, mailoutbox):
    def change(request, user):
        if request.method != "POST":
            return
        accounts = get_user_model()._base_manager.filter(pk=user.pk)
        if is_quiet:
            accounts.update(email=NEW)
        else:
            other = accounts.get()
            other.email = NEW
            other.save()

    hook(name, change)

    # What is stored before is overwritten by the form, unless the form asks for the same.
    save(office_client, used, email=NEW if name == "before_edit_user" else OLD)

    assert (stored(used), changed_by(used), told(mailoutbox)) == (NEW, [office], [OLD])


def test_page_of_the_sites_own_in_the_admin_counts(enter, office, used, settings, mailoutbox):
    from tests.urls import urlpatterns

    settings.ROOT_URLCONF = (path("own/<str:pk>/", require_admin_access(site_view)), *urlpatterns)

    enter(office).post(f"/own/{used.pk}/", {"address": NEW})

    assert (stored(used), changed_by(used)) == (NEW, [office])


def test_account_saved_as_a_proxy_counts(office, member):
    proxy = type(
        "ProxyOfMember",
        (get_user_model(),),
        {"__module__": __name__, "Meta": type("Meta", (), {"proxy": True, "app_label": "tests"})},
    )
    person = proxy._base_manager.get(pk=member.pk)
    person.email = NEW

    with LogContext(user=office):
        person.save()

    assert changed_by(member) == [office]


def test_django_admin_counts_for_who_saved_there(enter, admin, member):
    from django.contrib.admin import site

    if get_user_model() not in site._registry:
        pytest.skip("Django's admin knows the stock user model alone.")
    page = f"/django-admin/auth/user/{member.pk}/change/"
    fields = {"username": member.username, "email": NEW, "first_name": "Mia", "date_joined_0": "2026-01-01"}

    answer = enter(admin).post(page, {**fields, "date_joined_1": "12:00:00"})

    assert (answer.status_code, stored(member), changed_by(member)) == (302, NEW, [admin])


def test_member_who_changes_the_own_address_is_the_one_and_the_earlier_address_is_told(enter, mailoutbox):
    person = grant(make_person("Nia", last_login=timezone.now()), "access_admin")
    fields = {"name_email-first_name": "Nia", "name_email-last_name": "S", "name_email-email": NEW}
    choices = {"theme-theme": "system", "theme-contrast": "system", "theme-density": "default"}

    answer = enter(person).post(reverse("wagtailadmin_account"), {**fields, **choices})

    assert (answer.status_code, stored(person), changed_by(person)) == (302, NEW, [person])
    assert told(mailoutbox) == ["nia@members.example"]


@pytest.mark.parametrize("other", ["MIA@members.example", " mia@members.example"])
def test_other_spelling_of_the_address_is_no_change(office_client, used, other, mailoutbox):
    save(office_client, used, email=other)

    assert (history(used), told(mailoutbox)) == ([], [])


@pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="there, every account has an address")
def test_first_address_of_an_account_is_no_change(office_client, mailoutbox):
    person = make_person("Empty", email="", last_login=timezone.now())

    save(office_client, person, email="empty@members.example")

    assert (stored(person), history(person), told(mailoutbox)) == ("empty@members.example", [], [])


def test_new_account_is_no_change(office_client, mailoutbox):
    fields = {"email": "nora@members.example", "first_name": "Nora", "last_name": "S", "username": "nora"}

    office_client.post("/admin/users/new/", {**fields, "member_reset_password": "link"})

    assert history(get_user_model()._base_manager.get(email="nora@members.example")) == ["send"]
    assert told(mailoutbox) == []


def test_script_is_nobody_and_tells_nobody(used, mailoutbox):
    used.email = NEW
    used.save()

    assert (history(used), told(mailoutbox)) == ([], [])


@pytest.mark.parametrize("about", ["another kind", "another request"])
def test_change_of_a_script_is_not_put_down_to_who_saves_something_else_later(used, admin, client, about):
    log_entry = pytest.importorskip("django.contrib.admin.models").LogEntry
    if not apps.is_installed("django.contrib.admin"):
        pytest.skip("This site has no Django admin.")
    used.email = NEW
    used.save()
    if about == "another request":
        client.get(reverse("wagtail_member_reset:password_reset"))
    model = Group if about == "another kind" else get_user_model()
    log_entry.objects.create(
        user=admin,
        content_type=ContentType.objects.get_for_model(model),
        object_id=str(used.pk),
        object_repr="x",
        action_flag=2,
        change_message="",
    )

    assert history(used) == []


def test_refused_form_notes_and_tells_nothing(office_client, used, mailoutbox):
    before = rows()

    answer = save(office_client, used, email=NEW, first_name="")

    assert answer.status_code == 200
    assert (rows(), history(used), told(mailoutbox)) == (before, [], [])


# The copy view


@pytest.mark.parametrize("who", ["adder", "office", "admin"])
def test_post_to_the_copy_view_changes_nothing(enter, request, member, who):
    if who == "adder":
        model = get_user_model()._meta.model_name
        person = grant(make_person("Adder"), "access_admin", f"add_{model}", f"view_{model}")
    else:
        person = request.getfixturevalue(who)
    fields = account_of(member, email=NEW, password1="taken over 123", password2="taken over 123", is_superuser="on")
    person = get_user_model()._base_manager.get(pk=person.pk)
    client, page = enter(person), reverse("wagtailusers_users:copy", args=[member.pk])
    before = rows()

    answers = [client.post(page, {**fields, **choice}) for choice in ({}, {"member_reset_password": "password"})]

    assert [answer.status_code for answer in answers] == [405, 405]
    assert (rows(), history(member)) == (before, [])
    assert client.get(page).status_code == 200


# Who is told


def test_earlier_address_is_told_without_link_new_address_or_user_name(office_client, used, mailoutbox):
    save(office_client, used, email=NEW)
    outbox.drain()

    [mail] = mailoutbox
    said = mail.subject + mail.body + mail.alternatives[0][0]
    assert mail.to == [OLD]
    assert "If not, please tell us at once: office@club.example" in mail.body
    assert not any(word in said for word in ("http", NEW, "elsewhere"))
    assert used.get_username() == OLD or used.get_username() not in said


@pytest.mark.parametrize("way", [FETCH, {}], ids=["fetch", "page"])
def test_correcting_tells_the_earlier_address_beside_the_new_link(office_client, sent, used, mailoutbox, way):
    sent()

    correct(office_client, used, NEW, **way)

    assert told(mailoutbox) == [OLD]
    assert [mail.to[0] for mail in mailoutbox if mail.subject != TOLD] == [OLD, NEW]


def test_script_that_corrects_tells_nobody_unless_it_asks(used, office, mailoutbox):
    other = make_person("Nia", last_login=timezone.now())
    resets.correct(used, address=NEW, by=office)
    silent = told(mailoutbox)

    resets.correct(other, address="two@members.example", by=office, tell_former=True)

    assert (silent, told(mailoutbox)) == ([], ["nia@members.example"])


def test_notice_goes_out_although_the_new_link_does_not(office_client, sent, used, mailoutbox):
    sent()
    correct(office_client, used, NEW)
    resets.revoke(PasswordReset.objects.get(active_for=used), by=None)

    assert told(mailoutbox) == [OLD]
    assert [mail.to[0] for mail in mailoutbox if mail.subject != TOLD] == [OLD]


def test_refused_correction_tells_nobody(office_client, sent, used, mailoutbox, settings):
    sent()
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "1/d", "person": "500/d"}
    before = rows()

    correct(office_client, used, NEW)

    assert rows() == before
    assert "tell" not in history(used)
    assert told(mailoutbox) == []


def test_account_that_nobody_has_used_has_nobody_to_tell(office_client, member, mailoutbox):
    save(office_client, member, email=NEW)

    assert (changed_by(member) != [], told(mailoutbox)) == (True, [])


def test_password_set_by_a_link_is_a_sign_of_life(office_client, sent, imported_member, mailoutbox):
    reset = sent(imported_member)
    token = resets.link(reset).rstrip("/").rpartition("/")[2]
    resets.redeem(resets.open(token), password="chosen by the member 1")

    save(office_client, imported_member, email=NEW)

    assert told(mailoutbox) == ["ida@members.example"]


def reported(kind, *, ago, **said):
    email = ResetEmail.objects.with_link().latest("pk")
    DeliveryEvent.objects.create(
        email=email,
        key=f"{kind}{ago}",
        event_type=kind,
        happened_at=timezone.now() - ago,
        provider=email.provider,
        **said,
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("bounced", {"mta_response": "550 5.1.1 no such user"}),
        ("bounced", {"reject_reason": "invalid"}),
        ("complained", {}),
        ("rejected", {"reject_reason": "bounced"}),
        ("rejected", {"reject_reason": "spam"}),
    ],
)
@pytest.mark.parametrize(("ago", "expected"), [(timedelta(hours=1), []), (timedelta(days=40), [OLD])])
def test_address_from_which_an_email_came_back_since_is_not_told(
    office_client, sent, used, mailoutbox, kind, said, ago, expected
):
    sent()
    reported(kind, ago=ago, **said)

    save(office_client, used, email=NEW)

    assert told(mailoutbox) == expected


def test_email_that_came_back_from_another_address_does_not_count(office_client, sent, used, mailoutbox):
    sent()
    reported("bounced", ago=timedelta(hours=1), reject_reason="invalid")
    ResetEmail.objects.update(recipient="earlier@members.example")

    save(office_client, used, email=NEW)

    assert told(mailoutbox) == [OLD]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("bounced", {"mta_response": "550 5.7.1 sender IP blocked"}),
        ("bounced", {"mta_response": "552 5.2.2 mailbox full"}),
        ("bounced", {"mta_response": "550 rejected"}),
        ("rejected", {"reject_reason": "blocked"}),
        ("failed", {}),
    ],
)
def test_address_is_told_although_an_email_came_back_for_another_cause(
    office_client, sent, used, mailoutbox, kind, said
):
    sent()
    reported(kind, ago=timedelta(hours=1), **said)

    save(office_client, used, email=NEW)

    assert told(mailoutbox) == [OLD]


@pytest.mark.parametrize(
    ("code", "text", "cause", "expected"),
    [
        ("smtp_550", "5.7.1 sender IP blocked", "", [OLD]),
        ("smtp_535", "5.7.8 authentication failed", "login_refused", [OLD]),
        ("smtp_452", "4.5.3 too many emails", "limit", [OLD]),
        ("cancelled", "", "", [OLD]),
        ("smtp_550", "5.1.1 no such user", "", []),
        ("invalid", "", "", []),
    ],
)
def test_only_what_is_the_matter_with_the_address_keeps_the_notice_back(
    office_client, sent, used, mailoutbox, code, text, cause, expected
):
    sent()
    outbox.drain()
    ResetEmail.objects.update(
        state="failed", result_code=code, result_text=text, result_cause=cause, refused_at=timezone.now()
    )

    save(office_client, used, email=NEW)

    assert told(mailoutbox) == expected


def signed_in(member):
    get_user_model()._base_manager.filter(pk=member.pk).update(last_login=timezone.now())


def change(client, member, address):
    save(client, get_user_model()._base_manager.get(pk=member.pk), email=address)


def test_corrections_of_what_nobody_used_meanwhile_are_one_notice(office_client, used, mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    for number in range(4):
        change(office_client, used, f"mia{number}@members.example")
        time_machine.shift(timedelta(minutes=19))

    assert told(mailoutbox) == [OLD]
    assert len(changed_by(used)) == 4


def test_take_over_within_the_hour_of_a_correction_is_told_to_the_member(office_client, used, mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    change(office_client, used, NEW)
    time_machine.shift(timedelta(minutes=10))
    signed_in(used)
    time_machine.shift(timedelta(minutes=10))

    change(office_client, used, "thief@elsewhere.example")

    assert told(mailoutbox) == [OLD, NEW]


@pytest.mark.parametrize(
    ("minutes", "state", "expected"), [(20, "", [OLD]), (61, "", [OLD, OLD]), (20, "failed", [OLD, OLD])]
)
def test_address_is_told_once_an_hour_unless_the_notice_failed(
    office_client, used, mailoutbox, time_machine, minutes, state, expected
):
    time_machine.move_to(timezone.now(), tick=False)
    change(office_client, used, NEW)
    told(mailoutbox)
    if state:
        ResetEmail.objects.update(state=state)
    time_machine.shift(timedelta(minutes=2))
    change(office_client, used, OLD.upper())
    time_machine.shift(timedelta(minutes=2))
    signed_in(used)
    time_machine.shift(timedelta(minutes=minutes))

    change(office_client, used, NEW)

    assert [address.lower() for address in told(mailoutbox)] == expected


def test_addresses_of_one_account_are_told_five_times_a_day(office_client, used, mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    for number in range(7):
        change(office_client, used, f"mia{number}@members.example")
        time_machine.shift(timedelta(minutes=5))
        signed_in(used)
        time_machine.shift(timedelta(minutes=5))
    first = told(mailoutbox)
    time_machine.shift(timedelta(days=1))

    change(office_client, used, NEW)

    assert first == [OLD, *(f"mia{number}@members.example" for number in range(4))]
    assert told(mailoutbox) == [*first, "mia6@members.example"]


def test_one_person_causes_no_more_notices_than_emails(office_client, enter, admin, used, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "20/d", "person": "2/d"}
    for name in ("Nia", "Ole", "Pia"):
        change(office_client, make_person(name, last_login=timezone.now()), f"{name.lower()}@elsewhere.example")
    first = told(mailoutbox)

    change(enter(admin), used, NEW)

    assert first == ["nia@members.example", "ole@members.example"]
    assert told(mailoutbox) == [*first, OLD]


VICTIM = "victim@stranger.example"


def test_address_that_nobody_used_the_account_with_is_not_told(office_client, used, mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    change(office_client, used, VICTIM)
    time_machine.shift(timedelta(hours=2))

    change(office_client, used, NEW)

    assert told(mailoutbox) == [OLD]


def account_page(client, address):
    fields = {"name_email-first_name": "Buy pills", "name_email-last_name": "S", "name_email-email": address}
    choices = {"theme-theme": "system", "theme-contrast": "system", "theme-density": "default"}
    return client.post(reverse("wagtailadmin_account"), {**fields, **choices})


@pytest.mark.parametrize("seconds", [7200, 20])
def test_session_that_goes_on_on_the_account_page_mails_no_stranger(enter, mailoutbox, time_machine, seconds):
    time_machine.move_to(timezone.now(), tick=False)
    person = grant(make_person("Nia"), "access_admin")
    client = enter(person)
    signed_in(person)

    for address in (VICTIM, "nia2@members.example", VICTIM, "nia3@members.example"):
        time_machine.shift(timedelta(seconds=seconds))
        account_page(client, address)

    assert stored(person) == "nia3@members.example"
    assert told(mailoutbox) == ["nia@members.example"]


def test_sign_in_between_two_changes_of_a_minute_is_no_proof_for_the_second(enter, mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    person = grant(make_person("Nia"), "access_admin")
    client = enter(person)

    account_page(client, "nia2@members.example")
    time_machine.shift(timedelta(seconds=20))
    signed_in(person)
    time_machine.shift(timedelta(seconds=20))
    account_page(client, VICTIM)
    time_machine.shift(timedelta(hours=2))
    account_page(client, "nia3@members.example")

    assert VICTIM not in told(mailoutbox)


def test_second_change_in_one_request_tells_nobody_of_the_first(office_client, used, hook, mailoutbox):
    def change_again(request, user):
        get_user_model()._base_manager.filter(pk=user.pk).update(email=NEW)

    hook("after_edit_user", change_again)

    save(office_client, used, email=VICTIM)

    assert (stored(used), told(mailoutbox)) == (NEW, [OLD])


@pytest.mark.parametrize(("is_to_it", "expected"), [(True, [NEW]), (False, [])])
def test_link_is_a_sign_of_life_of_the_address_that_it_went_to(
    office_client, sent, imported_member, mailoutbox, time_machine, is_to_it, expected
):
    time_machine.move_to(timezone.now(), tick=False)
    if is_to_it:
        change(office_client, imported_member, NEW)
    member = get_user_model()._base_manager.get(pk=imported_member.pk)
    reset = sent(member)
    resets.redeem(resets.open(resets.link(reset).rstrip("/").rpartition("/")[2]), password="chosen by the member 1")
    if not is_to_it:
        get_user_model()._base_manager.filter(pk=member.pk).update(email=NEW)
        resets.note_address_changed(member, by=None)
    time_machine.shift(timedelta(hours=2))

    change(office_client, imported_member, "thief@elsewhere.example")

    assert told(mailoutbox) == expected


def test_notice_calls_nobody_by_name(enter, mailoutbox):
    person = grant(make_person("Nia", last_login=timezone.now()), "access_admin")

    account_page(enter(person), NEW)
    outbox.drain()

    [mail] = mailoutbox
    said = mail.subject + mail.body + mail.alternatives[0][0]
    assert mail.body.startswith("Hello,\n")
    assert not any(name in said for name in ("Buy pills", "Nia"))


def test_notice_is_in_the_language_of_the_member(office_client, used, mailoutbox):
    from wagtail.users.models import UserProfile

    profile = UserProfile.get_for_user(used)
    profile.preferred_language = "de"
    profile.save()

    save(office_client, used, email=NEW)

    assert ResetEmail.objects.get().language == "de"


def test_notice_is_neither_the_status_nor_counted_by_a_limit(office_client, sent, used, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "2/d", "person": "2/d"}
    sent()
    save(office_client, used, email=NEW)
    member = get_user_model()._base_manager.get(pk=used.pk)

    assert resets.status(member).email.purpose == Purpose.RESET
    assert resets.send(member, by=None).is_live


# What staff are told of it


def test_history_and_timeline_say_that_the_earlier_address_is_told(office_client, office, sent, used, admin_client):
    sent()
    correct(office_client, used, NEW)

    timeline = words(office_client.get(url("history", used), **FETCH).content.decode())
    log = words(admin_client.get(f"/admin/users/history/{used.pk}/").content.decode())
    assert f"Address changed by {get_user_display_name(office)}: a notice goes to the earlier one" in timeline
    assert "Notice to the earlier email address" in log


def test_edit_form_says_beforehand_that_the_earlier_address_is_told(office_client, member):
    page = words(office_client.get(edit_url(member)).content.decode())

    assert "When you change it, the earlier address gets a short notice" in page


@pytest.mark.parametrize("way", [FETCH, {}], ids=["fetch", "page"])
def test_question_says_beforehand_whether_the_earlier_address_is_told(office_client, sent, member, way):
    sent()
    sentence = "mia@members.example gets a short notice that the address was changed."

    before = words(office_client.get(url("correct", member), **way).content.decode())
    get_user_model()._base_manager.filter(pk=member.pk).update(last_login=timezone.now())
    after = words(office_client.get(url("correct", member), **way).content.decode())

    assert (sentence in before, sentence in after) == (False, True)


# Hooks of the site


def refuse_by_answer(request, user):
    return HttpResponse("The register decides.", status=409)


def refuse_by_exception(request, user):
    raise PermissionDenied


@pytest.mark.parametrize("refusal", [refuse_by_answer, refuse_by_exception])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("way", [FETCH, {}], ids=["fetch", "page"])
def test_refusal_by_a_hook_before_the_edit_refuses_the_correction(
    office_client, sent, used, mailoutbox, hook, refusal, method, way
):
    sent()
    hook("before_edit_user", refusal)
    before = rows(), history(used)

    field = f"member-reset-{used.get_email_field_name()}"
    answer = getattr(office_client, method)(url("correct", used), {field: NEW}, **way)

    expected = 403 if way else 409 if refusal is refuse_by_answer else 302
    assert answer.status_code == expected
    assert "Which address" not in answer.content.decode()
    assert (rows(), history(used), told(mailoutbox)) == (*before, [])


def test_hooks_get_the_member_before_and_after_the_correction(office_client, sent, used, hook):
    sent()
    seen = []
    hook("before_edit_user", lambda request, user: seen.append(("before", request.method, user.email, stored(user))))
    hook("after_edit_user", lambda request, user: seen.append(("after", request.method, user.email, stored(user))))

    correct(office_client, used, "nonsense")
    correct(office_client, used, NEW)

    assert seen == [("before", "POST", OLD, OLD), ("before", "POST", OLD, OLD), ("after", "POST", NEW, NEW)]


def test_answer_of_a_hook_after_the_edit_takes_the_place_of_ours(office_client, sent, used, hook):
    sent()
    hook("after_edit_user", lambda request, user: HttpResponse("Told the register."))

    page = correct(office_client, used, NEW)
    part = correct(office_client, used, "mia@third.example", **FETCH)

    assert (page.content, stored(used)) == (b"Told the register.", "mia@third.example")
    assert "Emails go to mia@third.example" in words(part.content.decode())


# After signing in again


def test_who_signs_in_again_after_asking_for_the_link_comes_to_the_panel(office_client, sent, member):
    sent()
    before = rows(), history(member)

    answer = office_client.get(url("reveal", member))

    assert (answer.status_code, answer["Location"]) == (302, edit_url(member) + "#tab-settings")
    assert (rows(), history(member)) == before
