"""From a refusal over SMTP to what mailings know of the address."""

import pytest

from wagtail_member_reset import bad_addresses, outbox, resets

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

NO_SUCH = "550 5.1.1 <mia@members.example>: Recipient address rejected: User unknown"


@pytest.mark.parametrize(("answer", "known"), [(NO_SUCH, True), ("552 5.2.2 Mailbox full", False)])
def test_refusal_over_smtp_makes_it_known_only_where_the_address_does_not_exist(
    mailbox, monkeypatch, member, office, answer, known
):
    async def refuse(self, server, session, envelope, *args):
        return answer

    monkeypatch.setattr(type(mailbox), "handle_RCPT", refuse)
    resets.send(member, by=office)
    outbox.drain()

    assert (bad_addresses.known_bad(member.email) is not None) == known
