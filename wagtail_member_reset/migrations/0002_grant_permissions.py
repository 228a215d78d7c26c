from django.conf import settings
from django.db import migrations

# Groups that may change users can set any password already: they gain nothing by these.
GRANTED = {
    "send_passwordreset": "Can send password resets",
    "view_link_passwordreset": "Can see and copy a member's personal link",
    "view_passwordreset": "Can view password resets",
}


def grant(apps, schema_editor):
    using = schema_editor.connection.alias
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    Group = apps.get_model("auth", "Group")
    app_label, model_name = settings.AUTH_USER_MODEL.lower().split(".")
    groups = Group.objects.using(using).filter(
        permissions__content_type__app_label__iexact=app_label,
        permissions__content_type__model=model_name,
        permissions__codename=f"change_{model_name}",
    )
    groups = list(groups.distinct())
    if not groups:
        return
    # Django makes permissions after all migrations, which is too late for us.
    content_type, _ = ContentType.objects.using(using).get_or_create(
        app_label="wagtail_member_reset", model="passwordreset"
    )
    permissions = [
        Permission.objects.using(using).get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )[0]
        for codename, name in GRANTED.items()
    ]
    for group in groups:
        group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_member_reset", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
