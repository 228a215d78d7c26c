"""Whether built pages link to what is there and load nothing from elsewhere: FOLDER."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself. Links wait for a click.
LOADED = {"src", "srcset", "poster", "data"}
LOADING_RELATIONS = {
    "stylesheet",
    "icon",
    "shortcut",
    "preload",
    "modulepreload",
    "preconnect",
    "dns-prefetch",
    "prefetch",
}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        self.loaded += [found[name] for name in LOADED & set(found) if tag != "a"]
        if "href" not in found:
            return
        relations = set(found.get("rel", "").split())
        (self.loaded if tag == "link" and relations & LOADING_RELATIONS else self.links).append(found["href"])


def is_elsewhere(address):
    return bool(re.match(r"(?:[a-z]+:)?//", address.strip(), re.IGNORECASE))


def dead(file, address, pages, root):
    """Whether an address on a page leads to no file, or to no place of it."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return False
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if root not in target.parents or not target.exists():
        return True
    return bool(parts.fragment) and target in pages and unquote(parts.fragment) not in pages[target].anchors


def look(root):
    pages = {file: Page(file.read_text("utf-8")) for file in sorted(root.rglob("*.html"))}
    for file, page in pages.items():
        where = file.relative_to(root)
        yield from (f"{where} loads {address}" for address in page.loaded if is_elsewhere(address))
        yield from (
            f"{where} links to {address}, which is not there"
            for address in [*page.links, *page.loaded]
            if not is_elsewhere(address) and dead(file, address, pages, root)
        )
    for file in sorted(root.rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.DOTALL)
        addresses = re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""", text)
        yield from (f"{file.relative_to(root)} loads {address}" for address in addresses if is_elsewhere(address))
    if len(pages) < 20:
        yield f"There are only {len(pages)} pages in {root}."


if __name__ == "__main__":
    [folder] = sys.argv[1:]
    found = list(look(Path(folder).resolve()))
    print(*found, sep="\n")
    sys.exit(bool(found))
