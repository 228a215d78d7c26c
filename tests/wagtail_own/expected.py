"""
The failures that are the feature itself, each with its reason, by the user model that Wagtail's tests run with.

One that is not listed fails the run, and so does one that is listed and passes.
"""

VIEWSET = "wagtail.users.tests.test_admin_views.TestUserViewSet."
COMPOSED = "asserts the very class of the user viewset, which this app composes with its own"

EXPECTED = {
    "custom": {VIEWSET + "test_get_viewset_cls_custom": COMPOSED},
    "email": {VIEWSET + "test_get_viewset_cls_default": COMPOSED},
}
