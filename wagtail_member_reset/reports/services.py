"""What the site's mail backend is, and what it can tell of a mail that it took."""

from __future__ import annotations

import warnings
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailInsecureWebhookWarning
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.module_loading import import_string

# Mail services that rewrite links as their own settings say, whatever a mail asks for; and where that is set.
CLICK_TRACKING = {
    "Amazon SES": "the configuration set of SES, under event destinations: do not publish clicks and opens",
    "Brevo": "Brevo's settings for transactional emails, under tracking",
    "Mailtrap": "Mailtrap's settings of the sending domain, under tracking",
    "Postal": "the settings of Postal's server, under tracking domains",
    "Resend": "Resend's settings of the domain, under click tracking and open tracking",
    "Scaleway": "the settings of Scaleway's Transactional Email, if it offers tracking",
}


# These report to a webhook, of which Anymail has the view.
REPORTING = {
    "Amazon SES",
    "Brevo",
    "MailerSend",
    "Mailgun",
    "Mailjet",
    "Mailtrap",
    "Mandrill",
    "Postal",
    "Postmark",
    "Resend",
    "SendGrid",
    "SparkPost",
    "Unisender Go",
}
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def reports(provider: str) -> bool:
    """
    Whether delivery reports of this provider's mails can come in, so that silence means something.

    `provider` is the name on the mail's row: Anymail's name of the service, or "smtp".
    """
    return bool(webhook(provider))


def webhook(provider: str) -> str:
    """The path of the service's tracking webhook, if Anymail has one and the site has routed it; else empty."""
    slug = provider.lower().replace(" ", "_")
    try:
        return reverse(f"anymail:{slug}_tracking_webhook") if slug else ""
    except NoReverseMatch:
        return ""


def is_open_to_anybody(path: str) -> bool:
    """Whether reports posted there are believed without a secret or a signature, as Anymail itself judges."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            view: Any = resolve(path).func
            view.view_class(**view.view_initkwargs)
        except (AnymailConfigurationError, ImproperlyConfigured, ImportError, Resolver404, AttributeError):
            return False  # it answers nobody, or is none of Anymail's views
    return any(issubclass(found.category, AnymailInsecureWebhookWarning) for found in caught)


def backend_path() -> str:
    """The dotted path of the site's default mail backend, from `MAILERS` or the older setting."""
    return str(_mailer().get("BACKEND", SMTP))


def service() -> str:
    """Anymail's name of the mail service behind the default backend; empty for other backends."""
    try:
        return str(getattr(import_string(backend_path()), "esp_name", ""))
    except ImportError:  # sending says so
        return ""


def timeout() -> Any:
    """How many seconds the default mailer waits for a server; None for ever."""
    return _mailer().get("OPTIONS", {}).get("timeout")


def _mailer() -> dict[str, Any]:
    if hasattr(settings, "MAILERS"):
        return dict(settings.MAILERS.get("default", {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Django 6.1 warns of the older settings wherever they are read
        return {"BACKEND": settings.EMAIL_BACKEND, "OPTIONS": {"timeout": settings.EMAIL_TIMEOUT}}
