"""Prints the public interface: every item's declaration, methods and traits.

usage: public_api.py target/doc/digit_recognizer

`cargo doc --no-deps` makes the pages that are read. `tests/public_api.txt` has what was
printed last, so that a change of the interface shows in review.
"""

import html.parser
import pathlib
import re
import sys

LISTS = {
    "implementations-list": "methods",
    "trait-implementations-list": "traits",
    "synthetic-implementations-list": "auto",
    "blanket-implementations-list": "blanket",
}


class Page(html.parser.HTMLParser):
    """The declarations of a page, in its order."""

    def __init__(self):
        super().__init__()
        self.lines = []
        self.list = "item"
        self.open = []
        self.text = None
        self.hidden = 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        names = (attributes.get("class") or "").split()
        self.list = LISTS.get(attributes.get("id"), self.list)
        if self.text is None:
            is_item = tag == "pre" and "item-decl" in names
            is_header = tag in ("h3", "h4") and "code-header" in names
            if is_item or is_header:
                self.open, self.text = [tag], ""
        elif tag not in ("br", "wbr"):
            self.open.append(tag)
            if tag == "summary":
                self.hidden += 1

    def handle_endtag(self, tag):
        if self.text is None or tag in ("br", "wbr"):
            return
        if self.open[-1] == "summary":
            self.hidden -= 1
        header = self.open[0]
        self.open.pop()
        if not self.open:
            self.keep(header, re.sub(r"[\s\u24d8]+", " ", self.text).strip())
            self.text = None

    def handle_data(self, data):
        if self.text is not None and not self.hidden:
            self.text += data

    def keep(self, header, text):
        is_wanted = {
            "item": True,
            "methods": True,
            # The methods of a trait are known.
            "traits": header == "h3",
            "auto": re.search(r" (Send|Sync|UnwindSafe) for ", text) is not None,
            "blanket": False,
        }
        if is_wanted[self.list]:
            self.lines.append(text if self.list == "item" else f"    {text}")


root = pathlib.Path(sys.argv[1])
links = re.findall(r'<li><a href="([^"]+)">', (root / "all.html").read_text())
assert len(links) > 50, "cargo doc --no-deps comes first"
for link in sorted(links):
    page = Page()
    page.feed((root / link).read_text())
    path = re.sub(r"/?(struct|enum|fn|constant|trait|type|union|static)\.", "/", link)
    print(path.removesuffix(".html").strip("/").replace("/", "::"))
    print("\n".join(f"    {line}" for line in page.lines))
