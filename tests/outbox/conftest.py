"""A mail server on loopback that can be told to refuse, to hang and to drop."""

import socket
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    """What arrived, and what to answer instead: `answers["DATA"] = "451 4.3.0 later"`."""

    def __init__(self):
        self.messages = []
        self.answers = {}
        self.delay = 0
        self.drop_after_data = False
        self.refuses_logins = False

    def __call__(self, server, session, envelope, mechanism, auth_data):
        return AuthResult(success=not self.refuses_logins, handled=False)

    async def handle_MAIL(self, server, session, envelope, address, options):
        if answer := self.answers.get("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self.answers.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if answer := self.answers.get("DATA"):
            return answer
        if self.delay:
            time.sleep(self.delay)
        self.messages.append(envelope.content.decode())
        if self.drop_after_data:
            server.transport.abort()
        return "250 OK"


class QuietController(Controller):
    def factory(self):
        return SMTP(self.handler, enable_SMTPUTF8=True, authenticator=self.handler, auth_require_tls=False)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def mailbox(settings):
    """A running server, and settings that lead to it."""
    box, port = Mailbox(), free_port()
    controller = QuietController(box, hostname="127.0.0.1", port=port)
    controller.start()
    use_smtp(settings, port)
    yield box
    controller.stop()


@pytest.fixture
def closed_port(settings):
    port = free_port()
    use_smtp(settings, port)
    return port


def use_smtp(settings, port, **options):
    backend = "django.core.mail.backends.smtp.EmailBackend"
    if hasattr(settings, "MAILERS"):
        where = {"host": "127.0.0.1", "port": port, "timeout": 2, **options}
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": where}}
        return
    settings.EMAIL_BACKEND = backend
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 2
