from django.apps import AppConfig


class ClubConfig(AppConfig):
    name = "example_site.club"
    default_auto_field = "django.db.models.BigAutoField"
