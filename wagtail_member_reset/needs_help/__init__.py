"""
Who needs help: kept in a table, one row a person, so that a list of a million costs a page.

Whoever changes what a reason is made of says `NeedsHelp.objects.look_at(…)`, which is a statement or two; `refresh`
reads what those people's links and emails say now. `sweep` adds what time brings, and looks at everybody once a day,
which heals whatever was missed.
"""

from .table import deal_with, put_off, rebuild, refresh, refresh_due, reopen, sweep

__all__ = ["deal_with", "put_off", "rebuild", "refresh", "refresh_due", "reopen", "sweep"]
