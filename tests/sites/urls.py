from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls


def always(request):
    return True


to_ours = RedirectView.as_view(pattern_name="wagtail_member_reset:password_reset")
urlpatterns = [
    path("django-admin/", admin.site.urls),
    path("admin/password_reset/", to_ours),
    path("admin/", include(wagtailadmin_urls)),
]
if "debug_toolbar" in settings.HERE:
    urlpatterns += [path("__debug__/", include("debug_toolbar.urls"))]
if "allauth" in settings.HERE:
    urlpatterns += [path("accounts/", include("allauth.urls"))]
if "hijack" in settings.HERE:
    urlpatterns += [path("hijack/", include("hijack.urls"))]

pages = [path("account/", include("wagtail_member_reset.urls")), path("", include(wagtail_urls))]
urlpatterns += i18n_patterns(*pages) if "wagtail_localize" in settings.HERE else pages
