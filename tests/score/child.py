"""One target in a process of its own: its site, its database, and every measure. Writes its figures as JSON."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

from tests.score.figures import Figure, Verdict
from tests.score.targets import TARGETS


def main(order: dict[str, Any]) -> None:
    django.setup()
    with database():
        figures = measured(order)
    Path(order["to"]).write_text(json.dumps(figures))


def measured(order: dict[str, Any]) -> list[dict[str, Any]]:
    # The user model is there only now.
    from tests.score import measures
    from tests.score.adapters import Adapter

    target, figures = TARGETS[order["target"]], []
    adapter = Adapter(target)
    for found in measures.load():
        if order["only"] and found.name not in order["only"]:
            continue
        try:
            run = measures.Run(found.name, target, adapter, **order["size"])
            figures += [figure.as_json() for figure in found.run(run)]
            # What still goes on must not run into the next measure.
            adapter.mails()
        except Exception as error:
            traceback.print_exc()
            broken = Figure(found.name, "the measure broke", 0, Verdict.ERROR, "none", reason=repr(error))
            figures.append(broken.as_json())
    return figures


@contextmanager
def database() -> Iterator[None]:
    """A fresh database that is gone afterwards."""
    from django.db import connection, connections

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connections.close_all()
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
