from django.urls import include, path
from wagtail.test.urls import urlpatterns

urlpatterns = [path("account/", include("wagtail_member_reset.urls")), *urlpatterns]
