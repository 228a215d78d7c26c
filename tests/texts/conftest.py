import pytest

from wagtail_member_reset.models import EmailText
from wagtail_member_reset.texts import FIELDS, default_words

PREFIX = "/admin/snippets/wagtail_member_reset/emailtext/"


def words_of(text):
    return {field: getattr(text, field) for field in FIELDS}


@pytest.fixture
def written(db):
    """`written("welcome", "de", body="…")`: a text that is published, from the default on."""

    def publish(purpose="welcome", language="en", *, site=None, live=True, **fields):
        words = {field: getattr(default_words(purpose, language), field) for field in FIELDS}
        return EmailText.objects.create(purpose=purpose, language=language, site=site, live=live, **{**words, **fields})

    return publish
