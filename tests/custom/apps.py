from wagtail.users.apps import WagtailUsersAppConfig


class OwnUsersAppConfig(WagtailUsersAppConfig):
    """In place of `wagtail.users`, as Wagtail's documentation tells sites to bring their own viewset."""

    user_viewset = "tests.custom.viewsets.OwnUserViewSet"


class ByHandUsersAppConfig(WagtailUsersAppConfig):
    user_viewset = "tests.custom.viewsets.ByHandUserViewSet"
