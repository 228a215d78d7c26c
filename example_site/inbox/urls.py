from django.urls import path

from . import views

app_name = "inbox"
urlpatterns = [
    path("", views.index, name="index"),
    path("<int:pk>/", views.email, name="email"),
    path("<int:pk>/report/", views.report, name="report"),
    path("<int:pk>/html/", views.html, name="html"),
]
