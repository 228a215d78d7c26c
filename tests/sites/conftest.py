"""Only `.ci/run sites` has the neighbours; elsewhere nothing here is collected."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("wagtail_localize") else ["test_stories.py"]
