"""
A minute of film of the demo, from pictures of it: `make film` leaves it at build/film.mp4.

Each scene is a screenshot over a line that says what is seen; ffmpeg joins them.
"""

import base64
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from screenshots import Pictures, demo

FILM = Path(__file__).resolve().parent.parent / "build" / "film.mp4"
SIZE = {"width": 1280, "height": 720}
# Seconds: how long a scene stands, and how long one turns into the next.
SCENE, TURN = 5, 0.5
FRAMES = 25
FRAME = """
<style>
  body {{ margin: 0; background: #17181f; color: #fff; font: 26px/1.3 system-ui, sans-serif; }}
  div {{ height: 640px; overflow: hidden; display: flex; justify-content: center; background: #2e3040; }}
  img {{ height: {height}; object-fit: cover; object-position: top; }}
  p {{ margin: 0; height: 80px; display: flex; align-items: center; justify-content: center; }}
</style>
<div><img src="data:image/png;base64,{picture}"></div><p>{caption}</p>
"""


class Film(Pictures):
    def __init__(self, browser, address, folder):
        super().__init__(browser, address)
        self.folder, self.scenes = folder, []
        self.frame = browser.new_page(viewport=SIZE)

    def scene(self, caption, page=None, *, narrow=False):
        page = page or self.page
        page.wait_for_timeout(700)  # what slides in has arrived
        picture = base64.b64encode(page.screenshot()).decode()
        self.frame.set_content(FRAME.format(picture=picture, caption=caption, height="auto" if narrow else "900px"))
        path = self.folder / f"{len(self.scenes):02}.png"
        self.frame.screenshot(path=path)
        self.scenes.append(path)

    def shoot(self):
        self.staff_send()
        self.member_signs_in()
        self.office_sees()
        self.many()

    def staff_send(self):
        self.go("/admin/users/")
        self.scene("“I can’t sign in”, says Mia. The office opens Users …")
        self.open_tab("Mia Mitchell")
        self.scene("… and her Settings tab: where an email would go, and where she stands.")
        self.page.get_by_role("link", name="Send password reset").click()
        self.page.get_by_label("Personal link").wait_for()
        self.scene("One click sends it. The link is here, too, should the email fail.")

    def member_signs_in(self):
        email = self.newest_email("mia@harbour.example")
        member = self.browser.new_context(viewport={"width": 680, "height": 640}).new_page()
        member.goto(f"{email}html/")
        self.scene("Mia gets an email that says what to do, and until when.", member, narrow=True)
        member.goto(member.get_by_role("link").first.get_attribute("href"))
        member.get_by_label("New password").fill("herons over the harbour")
        self.scene("She chooses a password: one field, no JavaScript needed …", member, narrow=True)
        member.get_by_role("button", name=re.compile("password", re.IGNORECASE)).last.click()
        self.scene("… and is told that it is saved.", member, narrow=True)

    def office_sees(self):
        self.open_tab("Mia Mitchell")
        self.scene("The office sees that she got in.")
        self.open_tab("Will Waiting")
        self.page.get_by_role("link", name=re.compile("again", re.IGNORECASE)).first.click()
        self.page.get_by_label("Personal link").wait_for()
        self.report("no_mailbox", of="will@harbour.example")
        self.open_tab("Will Waiting")
        self.scene("If an address does not exist, the tab says so, and what to do next.")

    def many(self):
        self.go("/admin/member-reset/mailings/new/")
        self.page.fill("input[name=name]", "Renewal 2027")
        self.page.locator("input[name=kind]").first.check()
        self.page.get_by_role("button", name="Preview").click()
        send = self.page.get_by_role("button", name=re.compile("Send .* emails"))
        send.wait_for()
        self.scene("Everybody after an import? A mailing shows beforehand who gets an email, and who does not.")
        send.click()
        self.page.get_by_text("Finished").first.wait_for()
        self.page.reload()
        self.scene("Afterwards it counts what became of each.")
        self.go("/admin/member-reset/needs-help/")
        self.scene("And “Needs help” lists who has not got in yet.")
        self.go("/admin/")
        self.scene("wagtail-member-reset")


def join(scenes):
    """One film of all, each turning into the next."""
    inputs, steps = [], []
    for path in scenes:
        inputs += ["-loop", "1", "-t", str(SCENE + TURN), "-i", str(path)]
    last = "[0:v]"
    for number in range(1, len(scenes)):
        name = f"[v{number}]"
        steps.append(f"{last}[{number}:v]xfade=transition=fade:duration={TURN}:offset={number * SCENE}{name}")
        last = name
    FILM.parent.mkdir(exist_ok=True)
    turns = ["-filter_complex", ";".join(steps), "-map", last]
    form = ["-r", str(FRAMES), "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", *inputs, *turns, *form, str(FILM)], check=True)


def main():
    with tempfile.TemporaryDirectory() as folder, demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        film = Film(browser, address, Path(folder))
        film.shoot()
        browser.close()
        join(film.scenes)
    sys.stdout.write(f"{len(film.scenes)} scenes: {FILM}\n")


if __name__ == "__main__":
    main()
