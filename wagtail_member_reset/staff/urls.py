app_name = "wagtail_member_reset_admin"
urlpatterns: list[object] = []
