from pathlib import Path

import pytest
import torch

from foldwise.core.errors import InputError
from foldwise.files.architecture import BuildSection
from foldwise.nets.network import construct
from foldwise.nets.proof import prove_trainable, require_connected_spans, require_fit
from foldwise.nets.resolve import resolve

MINE = """
import torch
from torch import nn


class Mine(nn.Module):
    def __init__(self, n_classes, width=None, depth=3):
        super().__init__()
        self.body = nn.Conv2d(3, 8, 3)
        self.head = nn.Linear(8, n_classes)

    def forward(self, images):
        return self.head(self.body(images).mean((2, 3)))


def whole(channels, height, width, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, n_classes))


def with_more(channels, n_classes, n_layers):
    return None


def empty():
    return "no module"


BROKEN = 3
"""


@pytest.fixture
def own(network_of, tmp_path, monkeypatch):
    """Resolve a network in a file of the user's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()

    def own(attribute, *shape, source=MINE, file="mine.py"):
        if source is not None:
            (tmp_path / "nets" / file).write_text(source)
        return network_of("net", *shape, file=f"nets/{file}:{attribute}")

    return own


def test_a_class_without_channels_is_adapted_to_those_of_the_images(own):
    network = own("Mine", 5, 8)
    require_fit(network)
    prove_trainable(network, {}, seed=0)
    assert construct(network, {}).body.in_channels == 5
    assert network.heads == ["head"]


def test_a_function_gets_what_it_takes(own):
    module = construct(own("whole", 2, 4, 6), {})
    assert module[1].in_features == 2 * 4 * 6


def test_its_source_counts_and_its_comments_do_not(own):
    before = own("Mine").code
    assert own("Mine", source="# a comment\n" + MINE).code == before
    after = own("Mine", source=MINE.replace("8, 3)", "8, 5)")).code
    assert {name for name in after if after[name] != before[name]} == {"nets/mine.py"}


@pytest.mark.parametrize(
    ("attribute", "source", "message"),
    [
        (
            "Yours",
            MINE,
            "nets/mine.py has no class or function 'Yours'; it has Mine, empty, whole,",
        ),
        ("BROKEN", MINE, "nets/mine.py has no class or function 'BROKEN'"),
        (
            "with_more",
            MINE,
            "with_more: missing a required argument: 'n_layers'; expected no arguments",
        ),
        ("empty", MINE, "nets/mine.py: empty returns a str; expected a torch.nn.Module"),
        (
            "Mine",
            "1 / 0",
            "(ZeroDivisionError: division by zero, in line 1 of mine.py); mend it",
        ),
        (
            "Mine",
            "import nothing_there",
            "No module named 'nothing_there', in line 1 of mine.py); mend it, or install",
        ),
        (
            "Mine",
            "import mine",
            "named 'mine', in line 1 of mine.py); mend it, or install",
        ),
        ("Mine", "class Mine(:", "nets/mine.py: not Python"),
        ("Mine", None, "nets/mine.py is missing; put the network there, or correct the path"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(own, attribute, source, message):
    with pytest.raises(InputError) as caught:
        require_fit(own(attribute, source=source))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_that_ignores_the_classes_is_refused(own):
    source = (
        "from torch import nn\ndef Fixed():\n    return nn.Sequential(nn.Conv2d(1, 9, 3),"
        " nn.AdaptiveAvgPool2d(1), nn.Flatten())"
    )
    network = own("Fixed", source=source)
    with pytest.raises(InputError, match=r"shape \(2, 9\).*mend nets/mine.py"):
        prove_trainable(network, {}, seed=0)


def test_making_it_leaves_the_random_numbers_of_others_alone(own):
    network = own("Mine")
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        states.append(construct(network, {}).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


BLOCKS = """
from torch import nn

from nets.widths import WIDTH


class Block(nn.Conv2d):
    def __init__(self):
        super().__init__(3, WIDTH, 3)
"""
IMPORTS = ("from nets.blocks import Block", "from .blocks import Block", "from . import blocks")


@pytest.fixture
def with_blocks(own, tmp_path):
    """Resolve a network whose file imports nets/blocks.py, which imports nets/widths.py."""

    def with_blocks(statement, blocks=BLOCKS, width=8):
        (tmp_path / "nets" / "blocks.py").write_text(blocks)
        (tmp_path / "nets" / "widths.py").write_text(f"WIDTH = {width}\n")
        block = "blocks.Block" if statement.endswith("blocks") else "Block"
        source = MINE.replace("import torch\n", f"{statement}\n", 1)
        source = source.replace("nn.Conv2d(3, 8, 3)", f"{block}()")
        return own("Mine", source=source.replace("nn.Linear(8,", f"nn.Linear({width},"))

    return with_blocks


@pytest.mark.parametrize("statement", [*IMPORTS, "import nets.blocks as blocks"])
def test_a_file_imports_others_of_its_folder(with_blocks, statement):
    network = with_blocks(statement)
    require_fit(network)
    assert construct(network, {}).body.out_channels == 8
    assert set(network.code) >= {"nets/mine.py", "nets/blocks.py", "nets/widths.py"}


@pytest.mark.parametrize("statement", IMPORTS)
def test_a_change_of_an_imported_file_changes_the_network(with_blocks, statement):
    before = with_blocks(statement).code
    assert with_blocks(statement, "# a comment\n" + BLOCKS).code == before
    changed = with_blocks(statement, BLOCKS.replace("WIDTH, 3)", "WIDTH, 5)")).code
    assert {name for name in changed if changed[name] != before[name]} == {"nets/blocks.py"}
    changed = with_blocks(statement, width=16).code
    assert {name for name in changed if changed[name] != before[name]} == {
        "nets/mine.py",
        "nets/widths.py",
    }


def test_a_changed_import_is_used_in_the_same_process(with_blocks):
    assert construct(with_blocks(IMPORTS[0]), {}).body.out_channels == 8
    assert construct(with_blocks(IMPORTS[0], width=16), {}).body.out_channels == 16


def test_a_file_may_define_dataclasses_with_postponed_annotations(own):
    source = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Sizes:\n    width: int = 8\n"
        + MINE.replace("8, 3)", "Sizes().width, 3)")
    )
    assert construct(own("Mine", source=source), {}).body.out_channels == 8


def test_layers_are_taken_from_an_own_network_with_imports(with_blocks, info_of):
    own = with_blocks(IMPORTS[0])
    sections = {
        "mine": {"file": "nets/mine.py:Mine"},
        "net": {"layers": [{"take": "mine.body"}, "global_average_pool", "linear"]},
    }
    build = BuildSection.model_validate({"architectures": sections})
    network = resolve("net", build, info_of(3, 8))
    assert own.code.items() <= network.code.items()


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("error", ["ValueError", "KeyError"])
def test_an_own_network_from_which_layers_are_taken_fails_in_one_line(info_of, error):
    Path("nets/mine.py").write_text(f"def whole():\n    raise {error}('no such size')\n")
    sections = {"mine": {"file": "nets/mine.py:whole"}, "net": {"layers": [{"take": "mine.body"}]}}
    build = BuildSection.model_validate({"architectures": sections})
    with pytest.raises(InputError) as caught:
        require_connected_spans(resolve("net", build, info_of(3, 8)))
    message = str(caught.value)
    assert "no such size" in message
    assert "in line 2 of mine.py; mend " in message
    assert "\n" not in message
