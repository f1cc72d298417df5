"""Text from outside in every place of the pages that shows text."""

import functools
import re
from dataclasses import fields, is_dataclass, replace

import pandas as pd
import pytest
from compared import compared, read_all
from final_records import card_inputs
from html_tree import parse, parse_markdown
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from records import MACHINE, loaded, write_case

from foldwise.report.formats import NO_BREAK_SPACE, WORD_JOINER, visible, visible_lines
from foldwise.report.model_card import card_markdown
from foldwise.report.pages import architectures_markdown, report_markdown, to_html

PLACEHOLDER = "Xq"  # stands in each text from outside
HOSTILE = [
    "<script>alert(1)</script>",
    '" onerror="alert(1)',
    "&lt;b&gt; &amp; &#60;",
    "![x](javascript:alert(1))",
    "[x]: http://example.com",
    "a|b",
    "{{ x }}{% x %}{# x #}",
    "# x",
    "12) x",
    "    x",
    "a\n\nb\r\nc",
    "@person #12 :cat: user/repo#1",
    "a\\",
    "\x00\x01\x1b[31m\x7f\x85",
    "\u202egnp.exe\u2066",
    "a\ufdd0\ufffe\U0010ffff",
    "\ud800",
]
MORE_HOSTILE = [
    "</style></title></main>",
    "' onclick='x",
    "<!-- -->",
    "]]>",
    "](javascript:alert(1))",
    "*code* **b** _i_ ~~s~~ $x^2$ $$y$$",
    "~~~",
    "- x",
    "+ x",
    "1. x",
    "> x",
    "---",
    "===",
    "\tx",
    "| a | b |\n| - | - |",
    "</details>",
    "- [ ] x",
    "[^1]: x",
    "http://example.com www.example.com a@example.com",
    "\\",
    "\\|",
    "\u2028\u2029",
    "مرحبا",
    "é 😀",
    "null",
]
texts = st.text(st.characters(exclude_categories=()), min_size=1)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Return the inputs of a report in which the placeholder is in each text from outside."""
    root = tmp_path_factory.mktemp("hostile")
    texts = dict.fromkeys(("title", "policy"), PLACEHOLDER)
    facts = texts | {"cautions": [PLACEHOLDER], "loaded": [loaded(PLACEHOLDER, layer=PLACEHOLDER)]}
    scores = {f"{PLACEHOLDER}a": [[0.7, 0.6]], f"{PLACEHOLDER}b": [[0.6, None]], "c": [[0.5, 0.4]]}
    machine = {"cpu": PLACEHOLDER, "device": PLACEHOLDER, "versions": {"torch": PLACEHOLDER}}
    write_case(
        root,
        scores,
        classes=[PLACEHOLDER, f"{PLACEHOLDER}dog", f"emu{PLACEHOLDER}", "fox"],
        cards={f"{PLACEHOLDER}a": facts},
        machine=MACHINE.model_copy(update=machine),
    )
    inputs = read_all(compared(root))
    verdict = inputs.verdict.model_copy(update={"text": PLACEHOLDER, "next": [PLACEHOLDER]})
    summaries = dict.fromkeys(inputs.summaries, f"{PLACEHOLDER}\n```\n{PLACEHOLDER}")
    params = f"{inputs.params}\n{PLACEHOLDER}: x"
    # No two recalls are equal: names do not change the order of the classes.
    recalls = inputs.classes.assign(recall=[at / 100 for at in range(len(inputs.classes))])
    return replace(inputs, verdict=verdict, summaries=summaries, params=params, classes=recalls)


def substitute(value, text):
    """Return inputs, a record or a table with the text in place of the placeholder."""
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, text)
    if is_dataclass(value):
        changed = {each.name: substitute(getattr(value, each.name), text) for each in fields(value)}
        return replace(value, **changed)
    if isinstance(value, list | tuple):
        return type(value)(substitute(each, text) for each in value)
    if isinstance(value, dict):
        return {substitute(key, text): substitute(each, text) for key, each in value.items()}
    if isinstance(value, pd.DataFrame):
        return value.map(lambda cell: substitute(cell, text) if isinstance(cell, str) else cell)
    if isinstance(value, BaseModel):
        names = type(value).model_fields
        return value.model_copy(
            update={name: substitute(getattr(value, name), text) for name in names}
        )
    return value


@pytest.fixture(scope="module")
def pages(template):
    """Return all pages as trees, with a text from outside.

    They are report.md, architectures.md, the model card without front matter, and report.html.
    """

    model = card_inputs(template)
    model = replace(model, dataset=model.dataset.model_copy(update={"name": PLACEHOLDER}))

    @functools.cache
    def pages(text):
        inputs = substitute(template, text)
        card = card_markdown(substitute(model, text)).partition("\n---\n")[2]
        markdown = report_markdown(inputs)
        html = to_html(markdown, lambda path: [f"data:image/png,{len(path)}"])
        architectures = architectures_markdown(inputs)
        trees = map(parse_markdown, (markdown, architectures, card))
        return *trees, parse(html)

    return pages


def with_examples(test):
    for text in HOSTILE:
        test = example(text)(test)
    return settings(max_examples=3, deadline=None)(test)


def letters(text):
    """Return what is seen of a text, without spaces."""
    return re.sub(rf"[\s{WORD_JOINER}{NO_BREAK_SPACE}]", "", visible(text))


def check_nothing_becomes_markup(pages, text):
    for page, plain in zip(pages(text), pages(PLACEHOLDER), strict=True):
        assert page.shape == plain.shape


def check_everything_is_shown_literally(pages, text):
    for page, plain in zip(pages(text), pages(PLACEHOLDER), strict=True):
        tags = ("title", "h1", "h2", "p", "li", "td", "th", "figcaption", "strong")
        for node, expected in zip(page.all(*tags), plain.all(*tags), strict=True):
            assert letters(node.text) == letters(expected.text.replace(PLACEHOLDER, text))
        for node, expected in zip(page.all("img"), plain.all("img"), strict=True):
            alt = expected.attributes["alt"].replace(PLACEHOLDER, text)
            assert letters(node.attributes["alt"]) == letters(alt)
        for node, expected in zip(page.all("pre"), plain.all("pre"), strict=True):
            assert node.text == visible_lines(expected.text.replace(PLACEHOLDER, text))


def check_no_address_leaves_the_page_and_its_folder(pages, text):
    for page in pages(text):
        for node in page.all():
            for name in ("href", "src", "srcset"):
                target = node.attributes.get(name, "")
                assert target.startswith("data:image/") or ":" not in target
                assert not target.startswith("//")


@with_examples
@given(texts)
def test_every_text_is_shown_and_nothing_else(pages, text):
    check_no_address_leaves_the_page_and_its_folder(pages, text)
    assume("`" not in text)  # makes code of the next steps
    check_nothing_becomes_markup(pages, text)
    assume(text.strip())
    check_everything_is_shown_literally(pages, text)


@pytest.mark.parametrize("text", ["`", "``` x", "a`b|c`d"])
def test_backticks_are_shown_literally(pages, text):
    page, _, _, html = pages(text)
    for root in (page, html):
        names = [node.text for node in root.all("td", "th")]
        assert f"{text}dog" in names


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.sampled_from(MORE_HOSTILE))
def test_more_texts(pages, text):
    test_every_text_is_shown_and_nothing_else.hypothesis.inner_test(pages, text)


def test_the_placeholder_is_in_every_kind_of_element(pages):
    page, architectures, card, _ = pages(PLACEHOLDER)
    for root, tags in (
        (page, ("h1", "h2", "p", "li", "td", "pre")),
        (architectures, ("h2", "li")),
        (card, ("h1", "p", "li", "td")),
    ):
        for tag in tags:
            assert any(PLACEHOLDER in node.text for node in root.all(tag))
