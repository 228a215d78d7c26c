"""
What emails say: the words that editors wrote, else those of the templates, compiled into pieces that are filled.

`problems` and the marks are pure: text in, text out. `published` and `of_mailing` read, `freeze` writes.
"""

from .default import default_words, offered_words
from .fit import Problems, holds_link, personal_link, placeholders, problems, too_long
from .own import OwnPages
from .pieces import SLOTS, Compiled, Content
from .published import Texts, freeze, of_mailing, published, used_without
from .template import compile_template
from .words import FIELDS, MOST_BYTES, Words
from .written import Written, can_be_made, compile_written

__all__ = [
    "FIELDS",
    "MOST_BYTES",
    "SLOTS",
    "Compiled",
    "Content",
    "OwnPages",
    "Problems",
    "Texts",
    "Words",
    "Written",
    "can_be_made",
    "compile_template",
    "compile_written",
    "default_words",
    "freeze",
    "holds_link",
    "of_mailing",
    "offered_words",
    "personal_link",
    "placeholders",
    "problems",
    "published",
    "too_long",
    "used_without",
]
