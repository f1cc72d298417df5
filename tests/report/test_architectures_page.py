import html
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import card, loaded

from foldwise.report.architectures_page import architectures_page as page_of
from foldwise.report.diagram import quoted
from foldwise.report.markdown import to_markdown

HOSTILE = [
    '"]; click n0 "javascript:alert(1)"',
    "end",
    "```\n# x",
    "<img src=x onerror=alert(1)>",
    "#quot;",
    "a|b",
    "1. one",
    "- two",
    "`code` **b** _i_",
    "%% c",
    "{x}[y](z)",
    r"C:\nets",
    "$$x^2$$",
    "fa:fa-car",
    "&lt;b&gt;",
    "é 😀",
]


def architectures_page(cards):
    return to_markdown(page_of(cards))


def shown(label):
    """Return what Mermaid makes of a label; spaces of no width are not seen."""
    return html.unescape(re.sub(r"#(\d+);", r"&#\1;", label)).replace("\N{ZERO WIDTH SPACE}", "")


def test_all_architectures_are_in_one_table():
    fixed = {"smallest_side": None, "total_stride": None, "trainable_parameters": 900}
    found = {"loaded": [loaded("W_1"), loaded("W_1", layer="b"), loaded("w|2.pth", layer="c")]}
    page = architectures_page([card("a"), card("b_c", locked_parameters=100, **fixed, **found)])
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert rows[2:] == [
        "| a | scratch | 1,000 | 1,000 | 0 | 5,000 | 0.02\N{NO-BREAK SPACE}MB | 4×4 | 2 |",
        r"| b\_c | W\_1, w\|2.pth | 1,000 | 900 | 100 | 5,000 | 0.02"
        "\N{NO-BREAK SPACE}MB | certain\N{NO-BREAK SPACE}sizes | – |",
    ]
    titles = [line for line in page.splitlines() if line.startswith("#")]
    assert titles == ["# Architectures", "## a", r"## b\_c"]


def test_section_says_policy_weights_and_cautions():
    found = [loaded("w.pth", layer="res", missing_keys=["a"], unexpected_keys=["b", "c"])]
    page = architectures_page(
        [card("a", policy="frozen: res", loaded=found, cautions=["too *small*"])]
    )
    bullets = [line for line in page.splitlines() if line.startswith("- ")]
    assert bullets == [
        "- input 1×8×8, 4 classes",
        "- policy: frozen: res",
        "- memory to train: 500 MB for Python and its libraries, 20 MB for weights, gradients and "
        "moments, 1 MB an image of a batch",
        f"- weights into res: w.pth, SHA-256 {'ab' * 32}; "
        "60 tensors match; 1 missing; 2 unexpected",
        r"- **caution:** too \*small\*",
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_become_markup(name):
    loads = [loaded(name, layer=name)]
    clean = architectures_page([card("a")])
    page = architectures_page([card("a", title=name, policy=name, cautions=[name], loaded=loads)])
    assert "```" not in clean
    assert not re.search(r"(?<!\\)[<`]", page)
    assert not re.search(r"^#+ x", page, re.MULTILINE)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"])))
def test_labels_show_the_text_as_it_is(text):
    label = quoted(text)
    assert shown(label) == " ".join(text.split())
    assert not re.search(r'["\[\]<>`{}|;\\$%&*]', re.sub(r"#\d+;", "", label))


def test_what_mermaid_sees_through_codes_is_broken_up():
    assert quoted(r"\n") == "#92;#8203;n"  # would end the line
    assert quoted("$$x$$") == "#36;#8203;#36;#8203;x#36;#8203;#36;#8203;"  # would be a formula
    assert quoted("fa:fa-car") == "fa#58;#8203;fa-car"  # would be a picture


def test_same_cards_same_page():
    cards = [card("a"), card("b")]
    assert architectures_page(cards) == architectures_page(list(cards))


def test_page_imports_no_torch():
    code = "import sys, foldwise.report.architectures_page\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
