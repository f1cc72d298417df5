"""How report.html is built."""

import itertools
import re
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

import pytest
from html_tree import parse, parse_markdown

from foldwise.report.pages import (
    SvgFigure,
    png_picture,
    report_markdown,
    svg_picture,
    to_html,
)

CASE = {"lenet5": [[0.9, 0.92]], "slim_vgg": [[0.95, 0.94]], "bad": [[0.9, None]]}
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 0 0\nL 1 1"/>%</svg>'
MARKDOWN = """# A

the verdict

## B

### C

**T**

| a | b | n |
| :--- | :--- | ---: |
| x | y | 1 |

![alt](figures/x%20y.svg)

caption

## E

```yaml
a: 1
```
"""


def render(markdown, picture=None):
    return to_html(markdown, lambda path: picture or [f"data:{path}"])


@pytest.fixture
def pages(inputs):
    """Return report.md and report.html of the same inputs as trees, and the text of the latter."""
    markdown = report_markdown(inputs(CASE))
    html = render(markdown)
    return parse_markdown(markdown), parse(html), html


def test_both_pages_say_the_same(pages):
    markdown, html, _ = pages
    [main] = html.all("main")
    joined = "\N{WORD JOINER}"
    for tag in ("h1", "h2", "h3", "summary", "code", "strong"):
        expected = [node.text.replace(joined, "") for node in markdown.all(tag)]
        captions = [node.text for node in main.all("caption")] if tag == "strong" else []
        assert sorted([node.text for node in main.all(tag)] + captions) == sorted(expected)
    expected = [plain_spaces(node).replace(joined, "") for node in markdown.all("th", "td")]
    assert [plain_spaces(node) for node in main.all("th", "td")] == expected


def test_page_needs_no_script_and_no_other_file(pages):
    _, page, text = pages
    used = {node.tag for node in page.all()}
    assert not used & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert not [name for node in page.all() for name in node.attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|http:", style_of(text))
    [policy] = [node for node in page.all("meta") if "http-equiv" in node.attributes]
    assert policy.attributes["content"].startswith("default-src 'none'")


def test_page_can_be_read_without_eyes_or_mouse(pages):
    _, page, _ = pages
    [html] = page.all("html")
    assert html.attributes["lang"] == "en"
    assert len(page.all("title")) == len(page.all("h1")) == len(page.all("main")) == 1
    first = page.all("body")[0].all()[0]
    [main] = page.all("main")
    assert first.attributes == {"href": f"#{main.attributes['id']}", "class": "skip"}
    assert [node.attributes["aria-label"] for node in page.all("nav")] == ["Contents"]
    assert all(node.attributes["scope"] in ("col", "row") for node in page.all("th"))
    assert all(node.all("caption")[0].text for node in page.all("table"))
    assert all(node.attributes["alt"] for node in page.all("img"))
    assert all(node.all("figcaption")[0].text for node in page.all("figure"))
    for node in page.all("div"):  # scroll sideways
        assert node.attributes["tabindex"] == "0"
        assert node.attributes["aria-label"]
        assert node.attributes["role"] == "region"


def test_headings_go_down_one_level_at_a_time_and_contents_lead_to_them(pages):
    _, page, _ = pages
    headings = page.all("h1", "h2", "h3", "h4")
    levels = [int(heading.tag[1]) for heading in headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = {node.attributes.get("id"): node.text for node in headings}
    links = {node.text: node.attributes["href"] for node in page.all("nav")[0].all("a")}
    assert list(links) == [node.text for node in headings if node.tag == "h2"]
    assert all(ids[href.removeprefix("#")] == title for title, href in links.items())


def test_the_verdict_stands_above_the_contents():
    [main] = parse(render(MARKDOWN)).all("main")
    assert [tag for tag, _ in main.shape[1]][:5] == ["h1", "p", "nav", "h2", "h3"]


def test_a_table_has_a_caption_and_headers_of_rows_and_columns():
    [table] = parse(render(MARKDOWN)).all("table")
    assert table.all("caption")[0].text == "T"
    cells = [(cell.tag, cell.attributes.get("scope")) for cell in table.all("th", "td")]
    assert cells == [*[("th", "col")] * 3, ("th", "row"), *[("td", None)] * 2]
    sides = [cell.attributes["style"] for cell in table.all("th", "td")]
    assert sides == [f"text-align:{side}" for side in ("left", "left", "right")] * 2


def test_a_picture_is_a_figure_with_the_next_paragraph_as_caption():
    [figure] = parse(render(MARKDOWN)).all("figure")
    assert figure.shape == ("figure", [("img", []), ("figcaption", [])])
    [image] = figure.all("img")
    assert image.attributes == {"src": "data:figures/x y.svg", "alt": "alt"}
    assert figure.all("figcaption")[0].text == "caption"


def test_chart_is_dark_on_a_dark_page():
    picture = svg_picture(SvgFigure(SVG, SVG.replace("0", "7")))
    page = parse(render(MARKDOWN, picture))
    [source], [image] = page.all("source"), page.all("img")
    assert source.attributes["media"] == "(prefers-color-scheme: dark)"
    assert "M7%207L1%201" in source.attributes["srcset"]
    assert "M0%200L1%201" in image.attributes["src"]


def test_address_of_a_picture_has_no_space_or_quote():
    light, dark = svg_picture(SvgFigure(SVG, SVG))
    assert light == dark
    assert not re.search(r"[\s\"<>#]", light)
    assert light.endswith("%25%3C/svg%3E")


def test_picture_in_an_address_is_the_same_drawing():
    styled = f"<?xml version='1.0'?>\n{SVG}"
    for svg in (SVG, styled):
        light, _ = svg_picture(SvgFigure(svg, svg))
        drawing = fromstring(unquote(light.removeprefix("data:image/svg+xml,")))
        assert [element.attrib for element in drawing] == [{"d": "M0 0L1 1"}]
        assert drawing[0].tail == "%"


def test_png_is_embedded_as_it_is(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x00")
    assert png_picture(tmp_path / "a.png") == ["data:image/png;base64,AA=="]


def plain_spaces(node):
    return node.text.replace("\N{NO-BREAK SPACE}", " ")


def test_only_the_headers_of_a_table_wrap():
    table = "**T**\n\n| a | n\xa0m |\n| :--- | ---: |\n| x | 1\xa0k |\n"
    page = parse(render(f"# A\n\n{table}"))
    assert [cell.text for cell in page.all("th", "td")] == ["a", "n m", "x", "1\xa0k"]


def style_of(html):
    return re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("block", range(3), ids=["light", "dark", "print"])
def test_text_stands_out_from_its_background(block):
    # WCAG 2.2, success criterion 1.4.3: a contrast of 4.5
    blocks = re.findall(r":root \{[^}]*\}", style_of(render(MARKDOWN)))
    colours = dict(re.findall(r"--(\w+): (#\w{6})", blocks[block]))
    backgrounds = [colours["ground"], colours.get("shade", colours["ground"])]
    for name in ("text", "faint", "link"):
        for background in backgrounds:
            low, high = sorted((luminance(colours[name]), luminance(background)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, background)


def test_on_a_narrow_screen_charts_fit_and_tables_show_where_they_go_on():
    (narrow,) = re.findall(
        r"@media screen and \(max-width: 40rem\) \{(.*?)\n\}", style_of(render(MARKDOWN)), re.DOTALL
    )
    assert ".wide picture img { min-width: 0; }" in narrow
    assert narrow.count("var(--shadow)") == 2
