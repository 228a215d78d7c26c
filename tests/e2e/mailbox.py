"""A real SMTP server on loopback, and the mails that it took."""

import re
import socket
import threading
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller


class Mailbox:
    host = "127.0.0.1"

    def __init__(self):
        with socket.create_server((self.host, 0)) as probe:
            self.port = probe.getsockname()[1]
        self.mails = []
        self.is_refusing = False
        self._arrival = threading.Condition()
        self._server = None

    def start(self):
        if self._server is None:
            self._server = Controller(self, hostname=self.host, port=self.port, server_hostname="mail.test")
            self._server.start()

    def stop(self):
        if self._server is not None:
            self._server.stop()
            self._server = None

    def empty(self):
        self.mails.clear()

    def take(self, count):
        """The mails, as soon as there are `count` of them; a few seconds are more than enough on one machine."""
        with self._arrival:
            self._arrival.wait_for(lambda: len(self.mails) >= count, timeout=15)
            assert [mail["Subject"] for mail in self.mails[count:]] == []
            assert len(self.mails) == count
            return list(self.mails)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.is_refusing:
            return "550 5.1.1 There is no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        with self._arrival:
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self._arrival.notify_all()
        return "250 OK"


def text_of(mail):
    return "\n".join(mail.get_body(("plain",)).get_content().splitlines())


def html_of(mail):
    return mail.get_body(("html",)).get_content()


def link_in(mail):
    """The personal link, which stands alone on its line."""
    (link,) = re.findall(r"^(http\S+/account/r/\S+)$", text_of(mail), re.MULTILINE)
    return link
