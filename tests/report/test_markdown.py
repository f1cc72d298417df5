import re

import pytest
from html_tree import parse
from hypothesis import example, given
from markdown_it import MarkdownIt
from pages import HOSTILE, page, texts

from foldwise.report.blocks import (
    Bullets,
    CodeBlock,
    Details,
    Document,
    Figure,
    Link,
    Paragraph,
    Section,
    Strong,
    Table,
)
from foldwise.report.markdown import escape, to_markdown
from foldwise.report.visible import visible

GITHUB = MarkdownIt("gfm-like", {"html": True})
# To GitHub a.b is no address without www, and a@ is none where no letter or digit follows.
GITHUB.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
JOINER = "\N{WORD JOINER}"


def read(text):
    """Return what a parser of GitHub's Markdown makes of a text."""
    return parse(GITHUB.render(text))


def shown(node):
    return " ".join(node.text.replace(JOINER, "").replace("\N{NO-BREAK SPACE}", " ").split())


def seen(text):
    return " ".join(visible(text).replace(JOINER, "").replace("\N{NO-BREAK SPACE}", " ").split())


def with_examples(test):
    for text in HOSTILE:
        test = example(text)(test)
    return test


@with_examples
@given(texts)
def test_no_text_becomes_markup(text):
    assert read(to_markdown(page(text))).shape == read(to_markdown(page("x"))).shape


@with_examples
@given(texts)
def test_every_text_shows_as_it_is(text):
    found, said = read(to_markdown(page(text))), seen(text)
    inline = [node for line in found.all("p", "li") for node in line.all("strong", "code")]
    for node in [*found.all("h1", "h2", "summary"), *inline]:
        assert shown(node) == said
    for cell in found.all("td")[::3] + found.all("td")[2::3] + found.all("th")[1::3]:
        assert shown(cell) == said
    for link in found.all("a"):
        assert shown(link) == said
        assert ":" not in link.attributes["href"].split("/")[0]
    for image in found.all("img"):
        alt = image.attributes["alt"].replace(JOINER, "").replace("\N{NO-BREAK SPACE}", " ")
        assert " ".join(alt.split()) == said


@with_examples
@given(texts)
def test_text_of_a_file_stays_as_it_is(text):
    found = read(to_markdown(Document("x", [CodeBlock("x", "yaml", text)])))
    assert found.shape == ("", [("h1", []), ("pre", [("code", [])])])


def test_markup_shows_as_it_is():
    assert escape("a|b *c* _d_ `e` <f> [g](h) # ~i~ \\") == (
        r"a\|b \*c\* \_d\_ \`e\` \<f\> \[g\](h) \# \~i\~ " + "\\\\"
    )


@pytest.mark.parametrize("text", ["@person", "fix #12", ":cat:", "http://a.b", "www.a.b", "a@b.c"])
def test_github_makes_no_link_of_plain_text(text):
    assert re.search(rf"[@#:w]{JOINER}", escape(text))


def test_tables_are_narrow_and_numbers_to_the_right():
    table = Table("All", ["name", "s / epoch"], [["a b", "1 … 2"], [Strong("c"), "–"]])
    assert to_markdown(Document("T", [table])) == (
        "# T\n\n**All**\n\n| name | s\xa0/\xa0epoch |\n| :--- | ---: |\n"
        "| a b | 1\xa0…\xa02 |\n| **c** | – |\n"
    )


def test_blocks_follow_one_another():
    inner = [Bullets(["one", ("two ", Link("three", "a b.md"))]), Figure("f.svg", "alt", "caption")]
    blocks = [Paragraph("first"), Section("A", [Section("B", [Details("more", inner)])])]
    assert to_markdown(Document("T", blocks)) == (
        "# T\n\nfirst\n\n## A\n\n### B\n\n<details><summary>more</summary>\n\n"
        "- one\n- two [three](a%20b.md)\n\n![alt](f.svg)\n\ncaption\n\n</details>\n"
    )
