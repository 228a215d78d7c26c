"""
Runs over the mail services that fill in placeholders. Each service is played by a few lines that do to a
call what its documentation says; what comes out must be what each member would have been sent alone.
"""

import json
import re
from urllib.parse import parse_qs

import pytest
from django.contrib.auth import get_user_model
from requests import Response
from requests.adapters import HTTPAdapter

from tests.conftest import make_person, use_backend
from tests.outbox.test_backends import KEYS
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, PasswordReset, ResetEmail
from wagtail_member_reset.outbox import merge, send_many, transport

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]


def fill(text, pattern, values):
    """What a service does with a text: every placeholder, once, as it is."""
    return re.sub(pattern, lambda match: values[match[1]], text)


def mailgun(body):
    said = parse_qs(body)
    variables = json.loads(said["recipient-variables"][0])
    for address in said["to"]:
        values = variables[address]
        yield (
            address,
            [fill(said[part][0], r"%recipient\.([\w:-]+)%", values) for part in ("subject", "text", "html")],
            values["v:member_reset"],
        )


def sendgrid(body):
    said = json.loads(body)
    texts = [said["subject"], *(part["value"] for part in said["content"])]
    for person in said["personalizations"]:
        [to] = person["to"]
        filled = texts
        for place, value in person["substitutions"].items():
            filled = [text.replace(place, value) for text in filled]
        yield to["email"], filled, person["custom_args"]["member_reset"]


def sparkpost(body):
    said = json.loads(body)
    texts = [said["content"][part] for part in ("subject", "text", "html")]
    for person in said["recipients"]:
        values = person["substitution_data"]
        filled = [fill(text, r"\{?\{\{(\w+)\}\}\}?", values) for text in texts]
        assert "{{mr_" not in texts[2].replace("{{{", "")  # two braces would escape once more
        yield person["address"]["email"], filled, person["metadata"]["member_reset"]


def mandrill(body):
    said = json.loads(body)["message"]
    assert said["preserve_recipients"] is False
    texts = [said[part] for part in ("subject", "text", "html")]
    ids = {each["rcpt"]: each["values"]["member_reset"] for each in said["recipient_metadata"]}
    for person in said["merge_vars"]:
        values = {each["name"]: each["content"] for each in person["vars"]}
        filled = [fill(text, r"\*\|(\w+)\|\*", values) for text in texts]
        yield person["rcpt"], filled, ids[person["rcpt"]]


PLAYED = {"mailgun": mailgun, "sendgrid": sendgrid, "sparkpost": sparkpost, "mandrill": mandrill}
# What stands in a call for many alone.
TOGETHER = {
    "mailgun": "recipient-variables",
    "sendgrid": "substitutions",
    "sparkpost": "substitution_data",
    "mandrill": "preserve_recipients",
}


class Service:
    """The other end of the line: keeps what was posted, and answers as told."""

    def __init__(self, name):
        self.name, self.bodies, self.answers = name, [], []

    def __call__(self, adapter, request, **kwargs):
        body = request.body if isinstance(request.body, str) else request.body.decode()
        self.bodies.append(body)
        response = Response()
        response.request, response.url = request, request.url
        answer = self.answers.pop(0) if self.answers else self.usual(body)
        if isinstance(answer, Exception):
            raise answer
        response.status_code, response._content = answer[0], json.dumps(answer[1]).encode()
        response.headers.update(answer[2] if len(answer) > 2 else {"X-Message-Id": "sg-1"})
        return response

    def usual(self, body):
        if self.name == "mailgun":
            return 200, {"id": "<mg-1@club.example>", "message": "Queued. Thank you."}
        if self.name == "sendgrid":
            return 202, {}
        if self.name == "sparkpost":
            number = len(json.loads(body)["recipients"])
            return 200, {"results": {"total_rejected_recipients": 0, "total_accepted_recipients": number, "id": "sp-1"}}
        to = json.loads(body)["message"]["to"]
        return 200, [{"email": each["email"], "status": "sent", "_id": f"md-{n}"} for n, each in enumerate(to)]

    def mails(self):
        together = [body for body in self.bodies if TOGETHER[self.name] in body]
        return {address: (texts, id) for body in together for address, texts, id in PLAYED[self.name](body)}


@pytest.fixture(autouse=True)
def quiet(settings, monkeypatch):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    settings.ANYMAIL = KEYS
    monkeypatch.setattr(merge, "_taken", {})
    monkeypatch.setattr(transport, "_taken", {})


@pytest.fixture
def service(settings, monkeypatch):
    def plays(name):
        use_backend(settings, f"anymail.backends.{name}.EmailBackend")
        found = Service(name)

        def send(adapter, request, **kwargs):
            return found(adapter, request, **kwargs)

        monkeypatch.setattr(HTTPAdapter, "send", send)
        return found

    return plays


def started(**details):
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None, **details)
    mailings.start(mailing)
    return mailing


def alone(email):
    """What the member would have been sent without the others."""
    email.member, email.reset = get_user_model().objects.get(pk=email.member_id), email.reset
    content = outbox.letter_of(email, member=email.member)
    return [content.subject, content.text, content.html]


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_each_member_gets_in_one_call_what_they_would_have_got_alone(service, name):
    played = service(name)
    for first_name in ("Mia", "Jürgen", "Zoë O'Hara", ""):
        make_person(first_name or "Nobody", first_name=first_name, email=f"m{len(first_name)}@members.example")

    mailing = started()
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over) == ("finished", 4)
    mails = played.mails()
    for email in ResetEmail.objects.select_related("reset__site", "member"):
        texts, public_id = mails.get(email.recipient, (None, None))
        if texts is None:  # the only one without a name, so not worth a call for many
            assert email.member.first_name == ""
            continue
        assert texts == alone(email)
        assert public_id == str(email.public_id)
        assert email.provider.lower() == name
        assert email.message_id
    assert len(mails) == 3
    assert len(played.bodies) == 2


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_service_is_told_not_to_track(service, name):
    from tests.outbox.test_backends import SWITCHED_OFF

    played = service(name)
    make_person("Mia"), make_person("Ole")
    started()
    outbox.drain()

    flat = played.bodies[0] if name != "mailgun" else played.bodies[0].replace("%3A", ":")
    for words in SWITCHED_OFF[name]:
        assert words in flat


def test_names_that_look_like_placeholders_and_shared_addresses_go_alone(service):
    played = service("mailgun")
    make_person("Mia"), make_person("Ole")
    make_person("%recipient.mr_token%", email="sly@members.example")
    make_person("Twin one", email="twins@members.example")
    make_person("Twin two", email="Twins@members.example")
    make_person("Odd", email='"odd one"@members.example')

    mailing = started()
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over) == ("finished", 6)
    first, *rest = played.bodies
    # Of two that differ in case alone, whichever has the smaller key.
    together = sorted(address.lower() for address in parse_qs(first)["to"])
    assert together == ["mia@members.example", "ole@members.example", "twins@members.example"]
    assert len(rest) == 3
    assert not any("recipient-variables" in parse_qs(body) for body in rest)
    [sly] = [body for body in rest if "sly@" in parse_qs(body)["to"][0]]
    assert "/account/r/" in parse_qs(sly)["text"][0]


ODD_NAMES = [
    *(
        "%recipient.mr_token%",
        "-mr_token-",
        "{{mr_token}}",
        "{{{mr_token}}}",
        "*|mr_token|*",
        "[mr_token]",
        "<%mr_token%>",
    ),
    *("<img src=x onerror=alert(1)>", "&lt;b&gt;", '" onload="x', "{% include 'x' %}", "{{ settings.SECRET_KEY }}"),
    *(
        "=1+1",
        "@SUM(A1)",
        "+cmd",
        "-2+3",
        "Mia\r\nBcc: x@evil.example",
        "Mia\u2028To: x",
        "\u202eaiM",
        "Zoë 🙂",
        "O'Hara",
    ),
    *("https://evil.example", "evil.example", "x" * 5000, "\\", "$1", "%(link)s", "%s", "\ufeff", " "),
]


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_odd_names_are_sent_as_they_would_be_alone(service, name):
    played = service(name)
    for number, odd in enumerate(ODD_NAMES):
        make_person("Odd", first_name=odd[:80], email=f"odd{number}@members.example")

    mailing = started()
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over) == ("finished", len(ODD_NAMES))
    mails = played.mails()
    together = ResetEmail.objects.filter(recipient__in=mails).select_related("reset__site", "member")
    assert {email.recipient: alone(email) for email in together} == {to: texts for to, (texts, _id) in mails.items()}
    greeted = {email.member.first_name for email in together}
    assert {"=1+1", "O'Hara", "Zoë 🙂"} <= greeted


@pytest.mark.parametrize(
    "odd", ["mi\u212aa@members.example", "mia@\u017fembers.example", "mıa@members.example", "mia@münchen.example"]
)
def test_address_of_another_alphabet_goes_alone(service, odd):
    played = service("mailgun")
    make_person("Mia"), make_person("Ole")
    make_person("Odd", email=odd)

    started()
    outbox.drain()

    assert set(played.mails()) == {"mia@members.example", "ole@members.example"}


def test_half_of_a_call_refused_is_written_down_member_by_member(service):
    played = service("mandrill")
    for name in ("Mia", "Ole", "Ida", "Kim"):
        make_person(name)
    said = {"mia": "sent", "ole": "rejected", "ida": "invalid", "kim": "queued"}
    played.answers = [
        (
            200,
            [{"email": f"{who}@members.example", "status": word, "_id": who} for who, word in said.items()],
        )
    ]

    mailing = started()
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 2, 2)
    found = ResetEmail.objects.values_list("recipient", "state", "result_code", "message_id")
    assert {(to.partition("@")[0], state, code, id) for to, state, code, id in found} == {
        ("mia", EmailState.HANDED_OVER, "sent", "mia"),
        ("ole", EmailState.FAILED, "rejected", "ole"),
        ("ida", EmailState.FAILED, "invalid", "ida"),
        ("kim", EmailState.HANDED_OVER, "queued", "kim"),
    }


def test_service_that_asks_for_patience_gets_it_and_nobody_is_passed_over(service, monkeypatch, time_machine):
    from django.utils import timezone

    monkeypatch.setattr("wagtail_member_reset.mailing.chunks.CHUNK", 2)
    time_machine.move_to(timezone.now(), tick=False)
    played = service("mailgun")
    for name in ("Mia", "Ole", "Ida", "Kim"):
        make_person(name)
    played.answers = [(429, {"message": "too many"}, {"Retry-After": "300"})]

    mailing = started()
    outbox.drain()
    assert len(played.bodies) == 1  # the second chunk waits, too
    time_machine.shift(299)
    outbox.drain()
    assert len(played.bodies) == 1
    time_machine.shift(2)
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 4, 0)
    assert len(played.mails()) == 4
    assert len(played.bodies) == 3


def test_service_that_refuses_the_key_pauses_the_mailing(service, monkeypatch):
    monkeypatch.setattr("wagtail_member_reset.mailing.chunks.CHUNK", 2)
    played = service("mailgun")
    for name in ("Mia", "Ole", "Ida", "Kim"):
        make_person(name)
    played.answers = [(401, {"message": "Forbidden"})]

    mailing = started()
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, mailing.failed) == ("paused", 0, 0)
    assert len(played.bodies) == 1

    mailings.go_on(mailing)
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 4, 0)


def test_service_out_of_order_is_tried_again_with_the_same_links(service, time_machine):
    from django.utils import timezone

    time_machine.move_to(timezone.now(), tick=False)
    played = service("sparkpost")
    make_person("Mia"), make_person("Ole")
    played.answers = [(500, {"errors": [{"message": "oops"}]})]

    mailing = started()
    outbox.drain()
    links = set(PasswordReset.objects.values_list("selector", flat=True))
    time_machine.shift(60)
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 2, 0)
    assert set(PasswordReset.objects.values_list("selector", flat=True)) == links
    one, other = (list(sparkpost(body)) for body in played.bodies)
    assert one == other


def test_call_that_one_member_spoils_is_taken_apart(service):
    played = service("mailgun")
    make_person("Mia"), make_person("Ole")
    refusal = (400, {"message": "'to' parameter is not a valid address"})
    played.answers = [refusal, refusal]

    mailing = started()
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 1, 1)


def test_text_of_the_site_that_looks_like_a_placeholder_is_sent_alone(service, settings):
    played = service("sparkpost")
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = "{{ office }}"
    make_person("Mia"), make_person("Ole")

    started()
    outbox.drain()

    assert len(played.bodies) == 2


@pytest.mark.parametrize("name", ["brevo", "postmark", "mailjet", "resend"])
def test_services_that_need_a_stored_template_get_a_call_for_each(service, name):
    assert merge.placeholders_of(type("Connection", (), {"esp_name": name.title()})()) is None


def test_single_sends_go_alone(service, member):
    played = service("mailgun")

    resets.send(member, by=None)
    outbox.drain()

    assert "recipient-variables" not in parse_qs(played.bodies[0])


def test_no_token_is_in_the_metadata(service):
    played = service("mailgun")
    make_person("Mia"), make_person("Ole")
    started()
    outbox.drain()

    variables = json.loads(parse_qs(played.bodies[0])["recipient-variables"][0])
    for values in variables.values():
        assert set(values) - {"mr_user"} == {"mr_name", "mr_token", "v:member_reset"}
        assert values["v:member_reset"] not in values["mr_token"]


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_a_name_is_sent_twice_only_where_one_reads_otherwise_in_html(service, name):
    played = service(name)
    make_person("Mia"), make_person("Ole")
    started()
    outbox.drain()
    make_person("Ida"), make_person("Tara", first_name="O'Hara")
    started()
    outbox.drain()

    assert ["mr_name_html" in body for body in played.bodies] == [False, True]


@pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="the address is the username")
@pytest.mark.parametrize("name", sorted(PLAYED))
def test_each_member_is_told_their_own_user_name_in_one_call(service, name):
    played = service(name)
    usernames = {"mia-1": "Mia", "o'hara": "Tara", "علی‌رضا": "علی‌رضا"}
    for number, (username, first_name) in enumerate(usernames.items()):
        make_person(f"Person{number}", username=username, first_name=first_name)
    make_person("Odd", username="*|mr_token|*", first_name="Odd")
    make_person("Address", username="address@members.example", first_name="Address")
    started()
    outbox.drain()

    mails = [mail for body in played.bodies if TOGETHER[name] in body for mail in PLAYED[name](body)]
    told = {to: re.search("Your username: (.*)", text)[1] for to, (_subject, text, _html), _id in mails}
    assert told == {f"person{number}@members.example": username for number, username in enumerate(usernames)}
    assert sum("Your username: <strong><bdi>o&#x27;hara</bdi></strong>" in html for _to, (*_, html), _id in mails) == 1
    assert len(played.bodies) == 3  # who has a name like a placeholder, and who signs in with the address, go apart


def test_many_is_read_in_groups():
    assert (send_many.WRITTEN, send_many.WRITTEN_SECONDS) == (25, 1.0)  # what DESIGN allows a crash to double


PARAGRAPH = 'The <b>season</b> & "https://club.example/spring"\nstarts.'


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_paragraph_is_in_each_email_of_one_call_as_in_one_that_is_sent_alone(service, name):
    played = service(name)
    make_person("Mia"), make_person("Ole")

    started(paragraph=PARAGRAPH)
    outbox.drain()

    mails = played.mails()
    assert len(mails) == 2
    for email in ResetEmail.objects.select_related("reset__site", "member"):
        assert mails[email.recipient][0] == alone(email)
        assert PARAGRAPH in mails[email.recipient][0][1]
        assert "The &lt;b&gt;season&lt;/b&gt; &amp; " in mails[email.recipient][0][2]


@pytest.mark.parametrize(
    ("name", "sly"),
    [
        ("mailgun", "%recipient.mr_token%"),
        ("sendgrid", "-mr_token-"),
        ("sparkpost", "{{mr_token}}"),
        ("mandrill", "*|mr_token|*"),
    ],
)
def test_paragraph_that_looks_like_a_placeholder_is_sent_as_it_is_mail_by_mail(service, name, sly):
    played = service(name)
    make_person("Mia"), make_person("Ole")

    mailing = started(paragraph=f"Look: {sly}")
    outbox.drain()

    mailing.refresh_from_db()
    assert mailing.handed_over == 2
    assert played.mails() == {}


def test_emails_of_two_mailings_are_not_one_call(service):
    played = service("mailgun")
    make_person("Mia"), make_person("Ole")
    started(paragraph="First"), started(paragraph="Second", again=True)
    outbox.drain()
    ResetEmail.objects.update(state=EmailState.QUEUED, lease="", handed_over_at=None)
    played.bodies.clear()

    outbox.drain()

    assert played.bodies
    assert not [body for body in played.bodies if "First" in body and "Second" in body]
