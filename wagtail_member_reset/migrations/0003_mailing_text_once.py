from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_member_reset", "0002_grant_permissions"),
    ]

    operations = [
        migrations.AlterField(
            model_name="mailingtext",
            name="body",
            field=models.TextField(blank=True, verbose_name="body"),
        ),
        migrations.AlterField(
            model_name="mailingtext",
            name="button",
            field=models.CharField(blank=True, max_length=100, verbose_name="button"),
        ),
        migrations.AlterField(
            model_name="mailingtext",
            name="footer",
            field=models.TextField(blank=True, verbose_name="footer"),
        ),
        migrations.AlterField(
            model_name="mailingtext",
            name="heading",
            field=models.CharField(blank=True, max_length=200, verbose_name="heading"),
        ),
        migrations.AlterField(
            model_name="mailingtext",
            name="language",
            field=models.CharField(max_length=16, verbose_name="language"),
        ),
        migrations.AlterField(
            model_name="mailingtext",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("welcome", "Welcome"),
                    ("reset", "Password reset"),
                    ("reminder", "Reminder"),
                    ("password_changed", "Password changed"),
                    ("address_changed", "Address changed"),
                ],
                max_length=20,
                verbose_name="email",
            ),
        ),
        migrations.AlterField(
            model_name="mailingtext",
            name="subject",
            field=models.CharField(blank=True, max_length=200, verbose_name="subject"),
        ),
        migrations.AddConstraint(
            model_name="mailingtext",
            constraint=models.UniqueConstraint(
                fields=("mailing", "purpose", "language", "site_key"), name="mailingtext_once"
            ),
        ),
    ]
