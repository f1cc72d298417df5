"""Pages made of any texts, one of each block."""

from hypothesis import strategies as st

from foldwise.report.blocks import (
    Bullets,
    Code,
    CodeBlock,
    Details,
    Document,
    Drawing,
    Figure,
    Link,
    Paragraph,
    Section,
    Strong,
    Table,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "</style></title></main>",
    '" onerror="alert(1)',
    "' onclick='x",
    "<!-- -->",
    "]]>",
    "&lt;b&gt; &amp; &#60;",
    "![x](javascript:alert(1))",
    "](javascript:alert(1))",
    "[x]: http://example.com",
    "a|b",
    "`code` **b** _i_ ~~s~~ $x^2$ $$y$$",
    "```\n# x",
    "~~~",
    "# x",
    "- x",
    "+ x",
    "1. x",
    "12) x",
    "> x",
    "---",
    "===",
    "    x",
    "\tx",
    "a\n\nb\r\nc",
    "| a | b |\n| - | - |",
    "</details>",
    "- [ ] x",
    "[^1]: x",
    "http://example.com www.example.com a@example.com",
    "@person #12 :cat: user/repo#1",
    "\\",
    "\\|",
    "a\\",
    "\x00\x01\x1b[31m\x7f\x85",
    "\u202egnp.exe\u2066",
    "\ud800",
    "\u2028\u2029",
    "مرحبا",
    "é 😀",
    "null",
]
texts = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=()), min_size=1)


def page(text):
    """Return a page with the text in every place that takes one."""
    line = (f"{text} and ", Strong(text), ", ", Link(text, text), ", ", Code(text), ".")
    blocks = [
        Paragraph(line),
        Bullets([text, line]),
        Table(text, ["head", text, "n"], [[text, line, text], [Strong(text), "", text]], 2),
        Figure("a.png", text, text),
        CodeBlock(text, "yaml", text),
        Drawing("flowchart TB", Paragraph(text)),
    ]
    return Document(text, [Paragraph(text), Section(text, [Details(text, blocks), *blocks])])
