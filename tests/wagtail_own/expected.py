"""
The failures that are the feature itself, each with its reason, by the user model that Wagtail's tests run with.

One that is not listed fails the run, and so does one that is listed and passes.
"""

VIEWSET = "wagtail.users.tests.test_admin_views.TestUserViewSet."
LISTING = "wagtail.users.tests.test_admin_views.TestUserIndexView."
BUTTON = "asserts the very entries of a row's menu, to which this app adds its own"
COMPOSED = "asserts the very class of the user viewset, which this app composes with its own"

EXPECTED = {
    "custom": {LISTING + "test_default_buttons": BUTTON, VIEWSET + "test_get_viewset_cls_custom": COMPOSED},
    "email": {LISTING + "test_default_buttons": BUTTON, VIEWSET + "test_get_viewset_cls_default": COMPOSED},
}
