"""Every mail service that Anymail knows takes the mail that we build, and is told not to track it."""

import base64
import importlib
import json
import pkgutil
from urllib.parse import parse_qs

import anymail.backends
import pytest
from anymail.backends.base import AnymailBaseBackend
from requests import ConnectionError as NoConnection
from requests.adapters import HTTPAdapter

from tests.conftest import use_backend
from wagtail_member_reset.outbox import transport
from wagtail_member_reset.outbox.message import EXTRAS, build
from wagtail_member_reset.outbox.text import Content
from wagtail_member_reset.reports import services

pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")

# What they have in common, what is for tests, and the former name of another.
NOT_A_SERVICE = {"base", "base_requests", "console", "test", "sendinblue"}
SERVICES = sorted(module.name for module in pkgutil.iter_modules(anymail.backends.__path__))
SERVICES = [name for name in SERVICES if name not in NOT_A_SERVICE]
KEYS = {
    "BREVO_API_KEY": "key",
    "MAILERSEND_API_TOKEN": "key",
    "MAILGUN_API_KEY": "key",
    "MAILGUN_SENDER_DOMAIN": "club.example",
    "MAILJET_API_KEY": "key",
    "MAILJET_SECRET_KEY": "key",
    "MAILTRAP_API_TOKEN": "key",
    "MANDRILL_API_KEY": "key",
    "POSTAL_API_KEY": "key",
    "POSTAL_API_URL": "https://postal.example",
    "POSTMARK_SERVER_TOKEN": "key",
    "RESEND_API_KEY": "key",
    "SCALEWAY_SECRET_KEY": "key",
    "SCALEWAY_PROJECT_ID": "project",
    "SENDGRID_API_KEY": "key",
    "SPARKPOST_API_KEY": "key",
    "UNISENDER_GO_API_KEY": "key",
    "UNISENDER_GO_API_URL": "https://go.example",
    "AMAZON_SES_CLIENT_PARAMS": {
        "aws_access_key_id": "key",
        "aws_secret_access_key": "key",
        "region_name": "eu-central-1",
    },
}
# How each is told not to track, as its API spells it.
SWITCHED_OFF = {
    "mailersend": ['"track_clicks": false', '"track_opens": false'],
    "mailgun": ["o:tracking-clicks=no", "o:tracking-opens=no"],
    "mailjet": ['"TrackClicks": "disabled"', '"TrackOpens": "disabled"'],
    "mandrill": ['"track_clicks": false', '"track_opens": false'],
    "postmark": ['"TrackLinks": "None"', '"TrackOpens": false'],
    "sendgrid": ['"click_tracking": {"enable": false}', '"open_tracking": {"enable": false}'],
    "sparkpost": ['"click_tracking": false', '"open_tracking": false'],
    "unisender_go": ['"track_links": 0', '"track_read": 0'],
}
# These have nowhere to put our id: their reports are told by the service's own.
WITHOUT_METADATA = {"mailersend", "postal"}
LINK = "https://club.example/account/r/0123456789abcdefghjkmnpqrstvwxyz01234567/"
CONTENT = Content("Choose a password", f"Hello,\n\n{LINK}\n", f'<p><a href="{LINK}">Choose</a></p>')
PUBLIC_ID = "01939b5e-0000-7000-8000-000000000001"


@pytest.fixture
def posted(settings, monkeypatch):
    """What would have gone over the wire; nobody is there to answer."""
    settings.ANYMAIL = KEYS
    monkeypatch.setattr(transport, "_taken", {})
    bodies = []

    def over_requests(self, request, **kwargs):
        bodies.append(request.body if isinstance(request.body, str) else request.body.decode())
        raise NoConnection

    monkeypatch.setattr(HTTPAdapter, "send", over_requests)
    botocore = pytest.importorskip("botocore")
    session = importlib.import_module("botocore.httpsession")

    def over_boto(self, request):
        bodies.append(request.body if isinstance(request.body, str) else request.body.decode())
        raise botocore.exceptions.BotoCoreError

    monkeypatch.setattr(session.URLLib3Session, "send", over_boto)
    return bodies


def backend_of(service):
    return f"anymail.backends.{service}.EmailBackend"


def send(service, settings, *, to="mia@members.example"):
    use_backend(settings, backend_of(service))
    with transport.Mailer() as mailer:
        return mailer.send(CONTENT, to=to, public_id=PUBLIC_ID)


def plain(body):
    """JSON in one spelling, forms as they are read."""
    try:
        return json.dumps(json.loads(body))
    except ValueError:
        pass
    form = parse_qs(body)
    return "\n".join(f"{name}={value}" for name, values in form.items() for value in values) if form else body


def test_list_is_complete():
    classes = [importlib.import_module(f"anymail.backends.{name}").EmailBackend for name in SERVICES]

    assert len(classes) >= 14
    assert all(issubclass(found, AnymailBaseBackend) for found in classes)
    assert set(SWITCHED_OFF) | {name for name in SERVICES if is_in_settings(name)} == set(SERVICES)


def is_in_settings(service):
    return bool(record_of(service).click_tracking)


def record_of(service):
    return services.named(importlib.import_module(f"anymail.backends.{service}").EmailBackend.esp_name)


@pytest.mark.parametrize("service", SERVICES)
def test_mail_is_accepted_without_anything_being_ignored(service, posted, settings):
    assert "IGNORE_UNSUPPORTED_FEATURES" not in settings.ANYMAIL

    result = send(service, settings)

    assert (result.answer, result.code) == (transport.Answer.LATER, "no_answer")  # it got as far as the wire
    assert posted
    assert all(body == posted[0] or service == "amazon_ses" for body in posted)


@pytest.mark.parametrize("service", SERVICES)
def test_tracking_is_off_or_the_check_says_where_to_switch_it_off(service, posted, settings):
    send(service, settings)

    if service in SWITCHED_OFF:
        said = plain(posted[0])
        assert [words for words in SWITCHED_OFF[service] if words not in said] == []
    else:
        assert is_in_settings(service)


@pytest.mark.parametrize("service", SERVICES)
def test_our_id_travels_where_it_can(service, posted, settings):
    send(service, settings)

    said = plain(posted[0])
    if service == "amazon_ses":
        said = base64.b64decode(json.loads(posted[0])["Content"]["Raw"]["Data"]).decode()
        assert f'X-Metadata: {{"member_reset": "{PUBLIC_ID}"}}' in said.replace("\n ", " ")
    elif service not in WITHOUT_METADATA:
        assert "member_reset" in said
        assert PUBLIC_ID in said


@pytest.mark.parametrize("service", sorted(SWITCHED_OFF))
def test_nothing_is_given_up_that_the_service_takes(service, posted, settings):
    use_backend(settings, backend_of(service))
    connection = transport.new_connection()
    wanted = EXTRAS.keys() - ({"metadata"} if service in WITHOUT_METADATA else set())

    message = build(CONTENT, to="mia@members.example", public_id=PUBLIC_ID, extras=frozenset(wanted))

    assert connection.build_message_payload(message, connection.send_defaults)


@pytest.mark.parametrize("service", SERVICES)
def test_first_mail_goes_without_a_detour(service, posted, settings, monkeypatch):
    backend = importlib.import_module(f"anymail.backends.{service}").EmailBackend
    built, build = [], backend.build_message_payload
    monkeypatch.setattr(backend, "build_message_payload", lambda *args: built.append(service) or build(*args))

    send(service, settings)

    assert built == [service]


@pytest.mark.parametrize(
    ("code", "http", "answer", "result_code", "is_certain"),
    [
        ("MessageRejected", 400, transport.Answer.NEVER, "http_400", True),
        ("AccessDeniedException", 403, transport.Answer.NEVER, "login_refused", True),
        ("ThrottlingException", 400, transport.Answer.LATER, "http_429", True),
        ("InternalFailure", 500, transport.Answer.LATER, "http_500", False),
    ],
)
def test_answers_of_amazon_are_told_apart(posted, settings, code, http, answer, result_code, is_certain):
    from botocore.exceptions import ClientError

    def refuse(**params):
        raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": http}}, "SendEmail")

    use_backend(settings, backend_of("amazon_ses"))
    with transport.Mailer() as mailer:
        mailer.connection.client.send_email = refuse
        found = mailer.send(CONTENT, to="mia@members.example", public_id=PUBLIC_ID)

    assert (found.answer, found.code, found.is_certain) == (answer, result_code, is_certain)
