"""HTML as a browser reads it, and Markdown as GitHub reads it: a tree of elements."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

VOID = {"br", "col", "hr", "img", "input", "link", "meta", "source"}
GITHUB = MarkdownIt("gfm-like", {"html": True})
# For GitHub a.b is no address without www, and a@ is none where no letter or digit follows.
GITHUB.linkify.set({"fuzzy_link": False, "fuzzy_email": False})


@dataclass
class Node:
    tag: str
    attributes: dict = field(default_factory=dict)
    children: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    def all(self, *tags):
        """Return the elements below with one of these names, in order."""
        matched = []
        for child in self.children:
            if not isinstance(child, str):
                matched += [child] * (not tags or child.tag in tags) + child.all(*tags)
        return matched

    @property
    def shape(self):
        """The nested names of the elements, without their text."""
        return self.tag, [each.shape for each in self.children if not isinstance(each, str)]


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
    """Return the root of a page or of a part of it; elements must be well nested."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    assert len(parser.open) == 1, f"<{parser.open[-1].tag}> has no end"
    return parser.open[0]


def parse_markdown(text):
    """Return the root of what GitHub makes of Markdown."""
    return parse(GITHUB.render(text))
