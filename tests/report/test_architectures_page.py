import html
import itertools
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import card, loaded, part

from foldwise.report.architectures_page import architectures_page as page_of
from foldwise.report.diagram import diagram, quoted
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


def drawing(text):
    """Return the lines of the only diagram on a page."""
    blocks = re.findall(r"^```mermaid\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    return blocks[0].splitlines()


def drawn(text):
    return text.splitlines()


def shown(label):
    """Return what Mermaid makes of a label; spaces of no width are not seen."""
    return html.unescape(re.sub(r"#(\d+);", r"&#\1;", label)).replace("\N{ZERO WIDTH SPACE}", "")


def test_all_architectures_are_in_one_table():
    fixed = {"smallest_side": None, "downsampling": None, "trainable_parameters": 900}
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


def test_diagram_shows_the_parts_in_order():
    parts = [part("conv", kind="2 × (Conv2d, ReLU)"), part("pool", parameters=0, trains_from=None)]
    lines = drawn(diagram(card("a", parts=[*parts, part("fc", output_shape=None)])))
    assert lines[1:] == [
        "flowchart TB",
        'image(["image 1×8×8"])',
        'n0["conv · 2 × (Conv2d, ReLU)<br/>4×8×8 · 900 parameters"]',
        'n1["pool · Conv2d · 4×8×8"]',
        'n2["fc · Conv2d<br/>900 parameters"]',
        'classes(["4 classes"])',
        "image --> n0",
        "n0 --> n1",
        "n1 --> n2",
        "n2 --> classes",
    ]


def test_what_is_frozen_or_thaws_or_does_not_run_looks_different():
    frozen = {"trains_from": None, "trainable_parameters": 0}
    parts = [
        part("a", **frozen),
        part("pool", parameters=0, trains_from=None),
        part("b", **frozen),
        part("c", trains_from=3),
        part("d", trainable_parameters=500),
        part("aux", beside=True, output_shape=None),
    ]
    lines = drawn(diagram(card("a", parts=parts)))
    assert [line for line in lines if line.startswith("class ")] == [
        "class n5 beside",
        "class n0,n2 frozen",
        "class n3 thawed",
    ]
    assert 'n0["a · Conv2d<br/>4×8×8 · 900 frozen"]' in lines
    assert 'n3["c · Conv2d<br/>4×8×8 · 900 parameters, from epoch 3"]' in lines
    assert 'n4["d · Conv2d<br/>4×8×8 · 900 parameters, 400 frozen"]' in lines
    assert "n4 --> classes" in lines
    assert "classes ~~~ n5" in lines


def test_parts_of_a_taken_layer_are_framed_and_named():
    taken = {"source": "resnet18[conv1:layer1]", "weights": "W1"}
    parts = [
        part("new"),
        part("net.conv1", **taken),
        part("net[1:3]", **taken),
        part("net_2.conv1", **taken),
        part("net_2.layer1", **taken),
        part("one", source="vgg11.features.0"),
        part("two", source="vgg11.features.0"),
    ]
    lines = drawn(diagram(card("a", parts=parts)))
    at = lines.index('subgraph s1["from resnet18#91;conv1:layer1#93;, W1"]')
    assert lines[at + 1 : at + 6] == [
        "direction TB",
        'n1["conv1 · Conv2d<br/>4×8×8 · 900 parameters"]',
        'n2["#91;1:3#93; · Conv2d<br/>4×8×8 · 900 parameters"]',
        "n1 --> n2",
        "end",
    ]
    assert 'n5["one · Conv2d<br/>4×8×8 · 900 parameters<br/>from vgg11.features.0"]' in lines
    order = ["image", "n0", "s1", "s3", "n5", "n6", "classes"]
    arrows = [f"{one} --> {other}" for one, other in itertools.pairwise(order)]
    assert [line for line in lines if "-->" in line and line in arrows] == arrows


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_become_markup(name):
    taken = [part(f"t.{index}", kind=name, source=name, weights=name) for index in range(2)]
    found = [loaded(name, layer=name)]
    clean = architectures_page([card("a", parts=[part("p"), *taken, part("q", source="q")])])
    page = architectures_page(
        [
            card(
                "a",
                title=name,
                policy=name,
                cautions=[name],
                loaded=found,
                parts=[part(name, kind=name), *taken, part("q", kind=name, source=name)],
            )
        ]
    )
    assert page.count("```") == clean.count("```") == 2
    lines, expected = drawing(page), drawing(clean)
    assert len(lines) == len(expected)
    form = re.compile(r'"[^"]*"')
    assert [form.sub("", line) for line in lines] == [form.sub("", line) for line in expected]
    outside = re.sub(r"```mermaid.*?```", "", page, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)[<`]", outside)
    assert not re.search(r"^#+ x", outside, re.MULTILINE)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"])))
def test_labels_show_the_text_as_it_is(text):
    label = quoted(text)
    assert shown(label) == " ".join(text.split())
    assert not re.search(r'["\[\]<>`{}|;\\$%&*]', re.sub(r"#\d+;", "", label))


def test_what_mermaid_sees_through_codes_is_broken_up():
    assert quoted(r"\n") == "#92;#8203;n"  # would end the line
    assert quoted("$$x$$") == "#36;#8203;#36;#8203;x#36;#8203;#36;#8203;"  # would be a formula
    assert quoted("fa:fa-car") == "fa#58;#8203;fa-car"  # would be a picture


def test_a_network_without_parts_is_still_drawn():
    assert "image --> classes" in drawn(diagram(card("a", parts=[])))


def test_same_cards_same_page():
    cards = [card("a"), card("b")]
    assert architectures_page(cards) == architectures_page(list(cards))


def test_page_imports_no_torch():
    code = "import sys, foldwise.report.architectures_page\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
