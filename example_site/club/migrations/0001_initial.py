import django.db.models.deletion
import wagtail.fields
from django.db import migrations, models

# Named plainly, since the setting that Wagtail 8 writes here is unknown to earlier ones.
PAGE = "wagtailcore.page"


def page_pointer():
    return models.OneToOneField(
        auto_created=True,
        on_delete=django.db.models.deletion.CASCADE,
        parent_link=True,
        primary_key=True,
        serialize=False,
        to=PAGE,
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [("wagtailcore", "0094_alter_page_locale")]

    operations = [
        migrations.CreateModel(
            name=name,
            fields=[
                ("page_ptr", page_pointer()),
                ("introduction", wagtail.fields.RichTextField(blank=True)),
            ],
            options={"abstract": False},
            bases=(PAGE,),
        )
        for name in ("HomePage", "MembersPage")
    ]
