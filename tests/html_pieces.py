"""What a notebook shows, read as a browser would."""

from __future__ import annotations

from html.parser import HTMLParser

TAGS = {"div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td"}
MOST_ROWS = 21  # 20, and that of the names


class Reader(HTMLParser):
    """Collects the tags and the text; every tag must be closed, in order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        assert tag in TAGS, tag
        assert {name for name, _ in attributes} <= {"class", "style"}, attributes
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(piece):
    """The text of a piece of HTML that is whole, holds no script, and is a small table."""
    reader = Reader()
    reader.feed(piece)
    reader.close()
    assert not reader.open
    assert reader.tags.count("table") == 1
    assert reader.tags.count("tr") <= MOST_ROWS
    return reader.text
