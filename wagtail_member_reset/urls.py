from django.urls import path, register_converter

from .member import views


class AnythingConverter:
    """Even a line break: a link that does not match would be a 404, and a 404 is logged with its address."""

    regex = r"(?s:.+)"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(AnythingConverter, "wagtail_member_reset_anything")

app_name = "wagtail_member_reset"
urlpatterns = [
    path("password-reset/", views.password_reset, name="password_reset"),
    path("password-reset/sent/", views.password_reset_done, name="password_reset_done"),
    path("password-reset/set/", views.password_reset_set, name="password_reset_set"),
    path("password-reset/complete/", views.password_reset_complete, name="password_reset_complete"),
    path("r/<wagtail_member_reset_anything:token>", views.password_reset_confirm, name="password_reset_confirm"),
]
