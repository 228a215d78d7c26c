import re

from django.urls import reverse

from wagtail_member_reset import outbox
from wagtail_member_reset.models import ResetRequest


def link_in(mail):
    return re.search(r"^https://club\.example(/account/r/\S+)$", mail.body, re.MULTILINE)[1]


def test_member_asks_follows_the_mail_and_sets_a_password(client, member, mailoutbox):
    asked = client.post(reverse("wagtail_member_reset:password_reset"), {"email": "MIA@members.example"})
    outbox.drain()
    opened = client.get(link_in(mailoutbox[0]))
    page = client.get(opened.url)
    saved = client.post(
        opened.url, {"link": page.context["reset"].selector, "new_password1": "a quiet harbour 7"}, follow=True
    )
    outbox.drain()

    member.refresh_from_db()
    assert asked.url == reverse("wagtail_member_reset:password_reset_done")
    assert member.check_password("a quiet harbour 7")
    assert "Your password is saved" in saved.content.decode()
    assert [mail.subject for mail in mailoutbox] == [
        "Choose a new password for Example Club",
        "Your password at Example Club was changed",
    ]
    assert list(ResetRequest.objects.values_list("address", flat=True)) == [""]
