"""Programs that Debian has in a package of their name."""

import shutil
from contextlib import contextmanager

import debian


@contextmanager
def gettext(environment):
    """GNU gettext, which finds the messages in the sources."""
    have("xgettext", package="gettext")
    yield {}


@contextmanager
def ffmpeg(environment):
    have("ffmpeg", package="ffmpeg")
    yield {}


def have(program, *, package):
    if not shutil.which(program):
        debian.install(package)
