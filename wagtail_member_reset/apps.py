from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WagtailMemberResetConfig(AppConfig):
    name = "wagtail_member_reset"
    label = "wagtail_member_reset"
    verbose_name = _("Member password resets")
    default_auto_field = "django.db.models.BigAutoField"
