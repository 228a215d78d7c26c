"""The database: transactions that are tried again, and many rows at once."""

from .retry import alias, answers, retried
from .rows import copy_of, insert, parts, reaches, with_keys

__all__ = ["alias", "answers", "copy_of", "insert", "parts", "reaches", "retried", "with_keys"]
