"""One measurement in a process of its own, on the database that BENCH_NAME names."""

from __future__ import annotations

import gc
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import django
from django.db import connections
from django.test import override_settings


def main(order: dict[str, Any]) -> None:
    django.setup()
    # The models are there only now.
    from tests.bench import filling, history, long_files, looks, needs_help, visits, works

    rooms = (works, looks, visits, needs_help, long_files, filling, history)
    work = next(getattr(room, order["work"]) for room in rooms if hasattr(room, order["work"]))
    # As our commands do. It is fair to the others, whose processes last as long as the measurement.
    gc.freeze()
    with override_settings(**order["settings"]):
        found = work(**order["arguments"])
    connections.close_all()
    Path(order["to"]).write_text(json.dumps(found))


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)
    main(json.loads(sys.argv[1]))
