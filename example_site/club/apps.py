import logging
import re

from django.apps import AppConfig

LINK = re.compile(r"(/account/r/)\S+")


class ClubConfig(AppConfig):
    name = "example_site.club"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        logging.getLogger("django.server").addFilter(without_link)


def without_link(record):
    """A personal link is opened by a request, which runserver would write down whole."""
    record.args = tuple(LINK.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args)
    return True
