"""HTML as a browser reads it: names, attributes and texts of its elements."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "col", "hr", "img", "input", "link", "meta", "source"}


@dataclass
class Node:
    tag: str
    attributes: dict = field(default_factory=dict)
    children: list = field(default_factory=list)

    @property
    def text(self):
        parts = [one if isinstance(one, str) else one.text for one in self.children]
        return "".join(parts)

    def all(self, *tags):
        """Return the elements below with one of these names, in order."""
        found = []
        for one in self.children:
            if not isinstance(one, str):
                found += [one] * (not tags or one.tag in tags) + one.all(*tags)
        return found

    @property
    def shape(self):
        """The names of the elements alone, nested."""
        return self.tag, [one.shape for one in self.children if not isinstance(one, str)]


class _Parser(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = [Node("")]

    def handle_starttag(self, tag, attrs):
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag, f"</{tag}> ends another element"

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parse(text):
    """Return the root of a page or of a piece of it; elements must be nested well."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1, f"<{parser.open[-1].tag}> has no end"
    return parser.open[0]
