from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "example_site.inbox"
    default_auto_field = "django.db.models.BigAutoField"
