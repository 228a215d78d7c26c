"""What the package of mailings offers."""

from wagtail_member_reset import mailing


def test_every_name_that_the_package_offers_is_there():
    assert [name for name in mailing.__all__ if not hasattr(mailing, name)] == []
