"""What architectures.md says."""

import re

import pytest
from html_tree import parse_markdown
from records import loaded

from foldwise.report.pages import architectures_markdown


@pytest.fixture
def page(inputs):
    """Return the page of architectures with these changed facts of their cards."""

    def page(**cards):
        text = architectures_markdown(inputs({name: [[0.5, 0.6]] for name in cards}, cards=cards))
        return text.replace("\N{NO-BREAK SPACE}", " ")

    return page


def test_all_architectures_are_in_one_table(page):
    sizes = {"smallest_side": None, "total_stride": None, "trainable_parameters": 900}
    sources = {"loaded": [loaded("W_1"), loaded("W_1", layer="b"), loaded("w|2.pth", layer="c")]}
    text = page(a={}, b_c={"locked_parameters": 100, **sizes, **sources})
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[2:] == [
        "| a | none | 1,000 | 1,000 | 0 | 5,000 | 0.02 MB | 4×4 | 2 |",
        r"| b\_c | W\_1, w\|2.pth | 1,000 | 900 | 100 | 5,000 | 0.02 MB | certain sizes | – |",
    ]
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == ["# Architectures", "## a", r"## b\_c"]


def test_section_has_policy_weights_and_cautions(page):
    sources = [loaded("w.pth", layer="res", missing_keys=["a"], unexpected_keys=["b", "c"])]
    text = page(a={"policy": "frozen: res", "loaded": sources, "cautions": ["too *small*"]})
    bullets = [line for line in text.splitlines() if line.startswith("- ")]
    assert bullets == [
        "- input 1×8×8, 4 classes",
        "- policy: frozen: res",
        "- memory for training: 500 MB for Python and its libraries, 20 MB for weights, gradients "
        "and optimiser state, 1 MB per image of a batch",
        f"- weights into res: w.pth, SHA-256 {'ab' * 32}; 60 tensors match; 1 missing; "
        "2 unexpected",
        r"- **caution:** too \*small\*",
    ]


def test_layers_are_folded_away(page):
    text = page(a={}, b={})
    assert len(re.findall("<details><summary>Layers</summary>", text)) == 2
    blocks = parse_markdown(text).all("pre")
    assert len(blocks) == 2
    assert all("├─Conv2d" in block.text for block in blocks)
    assert "\n\n\n" not in text
