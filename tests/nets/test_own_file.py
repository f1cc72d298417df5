import pytest
import torch

from foldwise.core.errors import InputError
from foldwise.nets.network import construct
from foldwise.nets.proof import prove_trainable, require_fit

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
            "with_more needs n_layers; expected no arguments without a default but",
        ),
        ("empty", MINE, "nets/mine.py: empty returns a str; expected a torch.nn.Module"),
        ("Mine", "1 / 0", "nets/mine.py cannot be imported (ZeroDivisionError: division by zero);"),
        ("Mine", "import nothing_there", "cannot be imported (ModuleNotFoundError: No module nam"),
        ("Mine", "class Mine(:", "nets/mine.py is not Python"),
        ("Mine", None, "nets/mine.py cannot be read (No such file or directory); correct the path"),
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
