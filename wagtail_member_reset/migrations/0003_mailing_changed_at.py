import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wagtail_member_reset", "0002_grant_permissions")]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="changed_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
    ]
