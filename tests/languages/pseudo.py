"""Every translated message in brackets, so that what stands outside of them was written into code or a template."""

import re
from html.parser import HTMLParser

from django.utils import translation

OPEN, CLOSE = "⟦", "⟧"
UNSEEN = {"script", "style", "template", "svg"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "use", "wbr"}
# What is read out or shown of an attribute. A name of ours with words in it is text for a script to show,
# but for the one that holds fields by their names.
READ = {"title", "aria-label", "placeholder", "alt", "aria-description", "summary", "label"}
SAID = re.compile(r"data-(member-reset|mr-)(?!.*-(target|action|words-value)$)")
WORD = re.compile(r"[^\W\d_]{2,}")


def switch_on(patch=setattr):
    """From here on, for the process; `patch` is that of a test, which takes it back."""
    real = translation._trans
    real.gettext("")  # it is filled at first use

    def bracketed(function):
        def wrapped(*args):
            found = function(*args)
            return f"{OPEN}{found}{CLOSE}" if found and args[0] else found

        return wrapped

    for name in ("gettext", "pgettext", "ngettext", "npgettext"):
        patch(real, name, bracketed(getattr(real, name)))


class Page(HTMLParser):
    """What a reader reads outside of all brackets: words, each with the elements that it stands in."""

    def __init__(self, markup):
        super().__init__()
        self.left, self.open, self.depth = [], [], 0
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        held = dict(attrs)
        for name, value in held.items():
            is_text = name in READ or (SAID.match(name) and " " in (value or ""))
            is_label = tag == "input" and name == "value" and held.get("type") in ("submit", "button")
            if value and (is_text or is_label):
                self.left += [(f"{tag}[{name}]", outside) for outside in outside_of(value)]
        if tag not in VOID:
            classes = held.get("class") or ""
            self.open.append((tag, f"{tag}.{classes.split()[0]}" if classes else tag))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in [name for name, _shown in self.open]:
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, text):
        if UNSEEN & {name for name, _shown in self.open}:
            return
        where = " > ".join(shown for _name, shown in self.open[-3:])
        for piece in re.split(f"([{OPEN}{CLOSE}])", text):
            if piece in (OPEN, CLOSE):
                self.depth += 1 if piece == OPEN else -1
            elif not self.depth and WORD.search(piece):
                self.left.append((where, " ".join(piece.split())))


def outside_of(text):
    """The words of a plain text outside of all brackets."""
    return [" ".join(piece.split()) for piece in re.split(r"⟦|⟧", strip_nested(text)) if WORD.search(piece)]


def strip_nested(text):
    while (shorter := re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", "", text)) != text:
        text = shorter
    return text
