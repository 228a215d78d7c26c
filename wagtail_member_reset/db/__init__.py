"""The database: transactions that are tried again, and many rows at once."""

from .retry import ATTEMPTS, alias, answers, retried
from .rows import insert, insert_like, like, with_keys

__all__ = ["ATTEMPTS", "alias", "answers", "insert", "insert_like", "like", "retried", "with_keys"]
