"""The database: transactions that are tried again or take turns, and many rows at once."""

from .retry import alias, answers, retried
from .rows import copy_of, insert, parts, reaches, with_keys
from .turns import take_turn

__all__ = ["alias", "answers", "copy_of", "insert", "parts", "reaches", "retried", "take_turn", "with_keys"]
