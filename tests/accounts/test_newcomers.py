from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.test.utils import isolate_apps

from wagtail_member_reset.accounts import keeps_last_login


@isolate_apps("tests")
def test_model_may_keep_no_sign_in():
    class Discreet(AbstractBaseUser):
        last_login = None

        class Meta:
            app_label = "tests"

    assert not keeps_last_login(Discreet)
    assert keeps_last_login(get_user_model())
