"""The receivers that docs/how-to/neighbours.md tells sites to write, as they stand there."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to" / "neighbours.md"


def of(neighbour):
    """The code under the heading that begins with the package's name, as the namespace of a module."""
    section = re.search(rf"^## django-{neighbour}\b.*?(?=^## |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)[
        0
    ]
    namespace = {"__name__": f"recipe_for_{neighbour}"}
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], namespace)
    return namespace
