"""A browser that runs: Ubuntu's chromium-browser is a stub where the snap behind it is missing."""

import os
import platform
import shutil
import subprocess
import sys
from contextlib import contextmanager

import debian

# The first has no window that would be drawn, and costs two thirds of the processor.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome")


@contextmanager
def found(environment):
    if environment.get("SKIP_BROWSER_TESTS"):
        if environment.get("CI"):
            sys.exit("SKIP_BROWSER_TESTS is set, but CI must run the browser tests: unset it.")
        print("*** SKIP_BROWSER_TESTS is set: the browser tests do NOT run. ***", file=sys.stderr, flush=True)
        yield {}
        return
    if named := environment.get("CHROMIUM"):
        browser = path_if_it_runs(named)
        if not browser:
            sys.exit(f"CHROMIUM is {named}, which does not run: set it to the path of a Chromium.")
    else:
        browser = here() or installed()
    yield {"CHROMIUM": browser}


def here():
    return next(filter(None, map(path_if_it_runs, (*NAMES, playwrights()))), None)


def path_if_it_runs(name):
    path = shutil.which(name)
    if not path:
        return None
    try:
        ran = subprocess.run([path, "--version"], capture_output=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        return None
    return None if ran.returncode else path


def playwrights():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return ""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def installed():
    if not is_ubuntu():
        debian.install(SHELL, otherwise="chromium")
    elif os.geteuid():
        sys.exit("Chromium is missing. Please run: sudo snap install chromium\nand then this command again.")
    else:
        # Ubuntu's apt has no Chromium, but has what Playwright's own build needs.
        print("Installing Playwright's Chromium …", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]
        subprocess.run(command, stdout=sys.stderr, check=True)
    browser = here()
    if not browser:
        sys.exit("No Chromium was found. Install it, name it in CHROMIUM, or set SKIP_BROWSER_TESTS=1.")
    return browser


def is_ubuntu():
    try:
        return platform.freedesktop_os_release()["ID"] == "ubuntu"
    except OSError:
        return False
