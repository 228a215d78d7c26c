import logging

from django.conf import settings
from django.core.management.base import BaseCommand
from wagtail.models import Page, PageViewRestriction, Site

from example_site.club import people
from example_site.club.models import HomePage, MembersPage
from wagtail_member_reset import needs_help

WELCOME = (
    "<p>Eighty members, four boats and one coffee machine. We row every Tuesday and Saturday, and everybody who can "
    "swim is welcome.</p><h2>Come and try</h2><p>Saturdays at ten, by the red boathouse at the old pier. Bring shoes "
    "that may get wet; we bring the rest.</p><h2>This season</h2><ul><li>4 April: the boats go in</li>"
    "<li>20 June: harbour regatta</li><li>31 October: the boats come out, and there is soup</li></ul>"
)
MEMBERS = (
    "<p>Only members who have signed in see this page.</p><h2>Boat plan</h2><ul><li>Tuesday, 18:00: Gannet and Tern"
    "</li><li>Saturday, 9:00: Gannet, Tern and Heron</li><li>Kittiwake is being repaired until May</li></ul>"
    "<h2>From the board</h2><p>The general meeting is on 12 March at seven, in the boathouse.</p>"
)


class Command(BaseCommand):
    help = "Build the club: its pages, its staff, and a member in every state. A second run changes nothing."

    def handle(self, *args, **options):
        # One member's mail is refused on purpose, which the package warns of.
        logging.getLogger("wagtail_member_reset").setLevel(logging.ERROR)
        self.make_pages()
        people.make_staff()
        people.make_members()
        # Their clocks were set back after everybody was looked at today, and a demo has no nightly job.
        needs_help.rebuild()

    def make_pages(self):
        Site.objects.filter(is_default_site=True).update(hostname="127.0.0.1", port=settings.PORT)
        Site.clear_site_root_paths_cache()
        if HomePage.objects.exists():
            return
        root = Page.get_first_root_node()
        old = Site.objects.get(is_default_site=True).root_page
        home = root.add_child(instance=HomePage(title="Harbour Rowing Club", slug="club", introduction=WELCOME))
        Site.objects.filter(is_default_site=True).update(root_page=home, site_name="Harbour Rowing Club")
        old.delete()
        home = HomePage.objects.get(pk=home.pk)
        members = home.add_child(instance=MembersPage(title="For members", slug="members", introduction=MEMBERS))
        PageViewRestriction.objects.create(page=members, restriction_type=PageViewRestriction.LOGIN)
