from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wagtail_member_reset", "0002_grant_permissions")]

    operations = [
        migrations.AlterField(
            model_name="mailing",
            name="paused_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("hard_bounces", "Too many addresses do not exist"),
                    ("complaints", "Too many people marked the email as spam"),
                    ("first_wave", "The first wave has left"),
                    ("unwanted", "Members' mail servers refuse this site's emails as unwanted"),
                    ("refused", "This site's emails are refused or cannot be made"),
                ],
                default="",
                max_length=12,
            ),
        ),
    ]
