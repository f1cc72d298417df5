import re
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

import pytest
from html_tree import parse
from hypothesis import example, given
from pages import HOSTILE, page, texts

from foldwise.report.blocks import Details, Document, Paragraph, Section, Table, figures
from foldwise.report.embed import Picture, chart, png
from foldwise.report.page import to_html
from foldwise.report.page_style import CSS
from foldwise.report.visible import visible, visible_lines

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 0 0\nL 1 1"/>%</svg>'


def render(document):
    pictures = {figure.path: png(b"\x89PNG") for figure in figures(document.blocks)}
    return to_html(document, pictures)


def strings(node):
    """Return the texts and attributes of a page, in order."""
    found = []
    for one in node.children:
        found += [one] if isinstance(one, str) else [*one.attributes.items(), *strings(one)]
    return found


def with_examples(test):
    for text in HOSTILE:
        test = example(text)(test)
    return test


@with_examples
@given(texts)
def test_no_text_becomes_an_element(text):
    assert parse(render(page(text))).shape == parse(render(page("x"))).shape


@with_examples
@given(texts)
def test_every_text_comes_back_as_it_was(text):
    found, said = parse(render(page(text))), visible(text)
    for node in found.all("title", "h1", "h2", "summary", "caption", "figcaption", "strong"):
        assert node.text == said
    mixed = f"{visible(f'{text} and')} {said}, {said}, {said}."
    for node in found.all("p", "li", "td")[:1] + found.all("p", "li", "td")[2:]:
        assert node.text in (said, "", mixed)
    assert {node.text for node in found.all("pre")} == {visible_lines(text)}
    labels = {node.attributes["alt"] for node in found.all("img")}
    assert labels | {one.attributes["aria-label"] for one in found.all("div")} == {said}


@with_examples
@given(texts)
def test_no_address_leaves_the_page_and_its_folder(text):
    for node in parse(render(page(text))).all():
        for name in ("href", "src", "srcset"):
            target = node.attributes.get(name, "")
            assert target.startswith("data:image/") or ":" not in target
            assert not target.startswith("//")


def test_page_needs_no_script_and_no_other_file():
    found = parse(render(page("x")))
    used = {node.tag for node in found.all()}
    assert not used & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert not [name for node in found.all() for name in node.attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|http", CSS)
    [policy] = [one for one in found.all("meta") if "http-equiv" in one.attributes]
    assert policy.attributes["content"].startswith("default-src 'none'")


def test_page_can_be_read_without_eyes_or_mouse():
    found = parse(render(page("x")))
    [html] = found.all("html")
    assert html.attributes["lang"] == "en"
    assert len(found.all("title")) == len(found.all("h1")) == len(found.all("main")) == 1
    first = found.all("body")[0].all()[0]
    [main] = found.all("main")
    assert first.attributes == {"href": f"#{main.attributes['id']}", "class": "skip"}
    assert [node.attributes["aria-label"] for node in found.all("nav")] == ["Contents"]
    assert all(node.attributes["scope"] in ("col", "row") for node in found.all("th"))
    assert all(node.all("caption") for node in found.all("table"))
    for node in found.all("div"):  # scroll sideways
        assert node.attributes["tabindex"] == "0"
        assert node.attributes["aria-label"]
        assert node.attributes["role"] in ("region", "group")


def test_headings_go_down_one_level_at_a_time_and_contents_lead_to_them():
    inner = Section("C", [Details("d", [Section("D", [Paragraph("x")])])])
    found = parse(render(Document("A", [Paragraph("x"), Section("B", [inner]), Section("E", [])])))
    headings = found.all("h1", "h2", "h3", "h4")
    assert [(one.tag, one.text) for one in headings] == [
        *(("h1", "A"), ("h2", "B"), ("h3", "C"), ("h4", "D"), ("h2", "E"))
    ]
    ids = {one.attributes.get("id"): one.text for one in headings}
    links = {one.text: one.attributes["href"] for one in found.all("nav")[0].all("a")}
    assert list(links) == ["B", "E"]
    assert all(ids[href.removeprefix("#")] == title for title, href in links.items())


def test_first_block_stands_above_the_contents():
    found = parse(render(Document("A", [Paragraph("the verdict"), Section("B", [])])))
    assert [one[0] for one in found.all("main")[0].shape[1]] == ["h1", "p", "nav", "section"]


def test_numbers_are_told_from_text():
    table = Table("T", ["a", "b", "n"], [["x", "y", "1"]], n_text=2)
    found = parse(render(Document("A", [table])))
    cells = [(one.tag, one.attributes["class"]) for one in found.all("th", "td")[3:]]
    assert cells == [("th", "text"), ("td", "text"), ("td", "number")]


def test_chart_is_dark_on_a_dark_page():
    picture = chart(SVG, SVG.replace("0", "7"))
    figure = next(figures(page("x").blocks))
    document = Document("A", [figure])
    found = parse(to_html(document, {figure.path: picture}))
    [source], [image] = found.all("source"), found.all("img")
    assert source.attributes["media"] == "(prefers-color-scheme: dark)"
    assert "M7%207L1%201" in source.attributes["srcset"]
    assert "M0%200L1%201" in image.attributes["src"]


def test_address_of_a_picture_has_no_space_or_quote():
    light, dark = chart(SVG, SVG)
    assert light == dark
    assert not re.search(r"[\s\"<>#]", light)
    assert light.endswith("%25%3C/svg%3E")


def test_picture_in_an_address_is_the_same_drawing():
    styled = f"<?xml version='1.0'?>\n{SVG}"
    for svg in (SVG, styled):
        light, _ = chart(svg, svg)
        found = fromstring(unquote(light.removeprefix("data:image/svg+xml,")))
        assert [one.attrib for one in found] == [{"d": "M0 0L1 1"}]
        assert found[0].tail == "%"


def test_png_is_embedded_as_it_is():
    assert png(b"\x00") == Picture("data:image/png;base64,AA==", None)


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("block", range(3), ids=["light", "dark", "print"])
def test_text_stands_out_from_its_ground(block):
    # WCAG 2.2, success criterion 1.4.3: a contrast of 4.5
    colours = dict(re.findall(r"--(\w+): (#\w{6})", re.findall(r":root \{[^}]*\}", CSS)[block]))
    grounds = [colours["ground"], colours.get("shade", colours["ground"])]
    for name in ("text", "faint", "link"):
        for ground in grounds:
            low, high = sorted((luminance(colours[name]), luminance(ground)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)
