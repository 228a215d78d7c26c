"""GNU gettext, which finds the messages in the sources."""

import shutil
from contextlib import contextmanager

import debian


@contextmanager
def found(environment):
    if not shutil.which("xgettext"):
        debian.install("gettext")
    yield {}
