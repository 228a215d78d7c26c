from django.conf import settings
from django.core.management.base import BaseCommand

from example_site.club import people


class Command(BaseCommand):
    help = "Say where the demo is and who may sign in."

    def handle(self, *args, **options):
        base = f"http://127.0.0.1:{settings.PORT}"
        lines = [
            f"  Site      {base}/",
            f"  Members   {base}/members/   (sign in: {' / '.join(people.MEMBER)})",
            f"  Admin     {base}/admin/",
            f"    administrator   {' / '.join(people.ADMIN)}",
            f"    office          {' / '.join(people.OFFICE)}",
            f"    help desk       {' / '.join(people.JUNIOR)}   (sends, but sees no link and changes no account)",
            f"  Inbox     {base}/inbox/   (every email that the site sends; it can play the mail service)",
            "",
            "  To begin: Admin, Settings, Users, Mia Mitchell, tab Settings. Ctrl+C ends the demo.",
        ]
        self.stdout.write("\n" + "\n".join(lines) + "\n")
