import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from foldwise.engine.optimiser import base_learning_rates, layer_depths
from foldwise.files.network import HyperParameters, Network, Thaw
from foldwise.files.params import TrainSection
from foldwise.nets.shapes import construct_shapes

SECTION = TrainSection(epochs=5, batch_size=8, learning_rate=0.01, weight_decay=0.0, warmup=0.1)


@pytest.fixture(scope="module")
def module():
    with torch.device("meta"):
        return resnet18(num_classes=10)


def network(frozen=(), thaw=(), **training):
    return Network(
        name="resnet18",
        builder="from_library",
        settings={"name": "resnet18"},
        channels=3,
        height=32,
        width=32,
        n_classes=10,
        heads=["fc"],
        frozen=list(frozen),
        thaw=list(thaw),
        cut=None,
        normalisation=None,
        training=HyperParameters(**training),
        keep_weights=False,
        code={},
        weights_sha256=None,
    )


def test_one_rate_for_all_if_nothing_else_is_said(module):
    rates = base_learning_rates(module, network(), SECTION)
    assert rates.keys() == dict(module.named_parameters()).keys()
    assert set(rates.values()) == {0.01}
    assert set(base_learning_rates(module, network(learning_rate=0.5), SECTION).values()) == {0.5}


def test_body_and_head_have_rates_of_their_own(module):
    rates = base_learning_rates(
        module, network(learning_rate=0.1, body_learning_rate=0.001), SECTION
    )
    heads = {name for name, rate in rates.items() if rate == 0.1}
    assert heads == {"fc.weight", "fc.bias"}
    assert set(rates.values()) == {0.1, 0.001}


def test_what_never_trains_has_no_rate_and_what_thaws_has_its_own(module):
    thaw = [Thaw(at_epoch=2, layers=["layer4"], learning_rate=1e-5)]
    rates = base_learning_rates(
        module, network(["conv1", "bn1", "layer1", "layer4"], thaw), SECTION
    )
    children = {name.split(".")[0]: rate for name, rate in rates.items()}
    assert children == {"layer2": 0.01, "layer3": 0.01, "layer4": 1e-5, "fc": 0.01}


def test_what_thaws_without_a_rate_takes_the_body_s(module):
    thaw = [Thaw(at_epoch=2, layers=["layer4"], learning_rate=None)]
    rates = base_learning_rates(
        module, network(["layer4"], thaw, body_learning_rate=0.003), SECTION
    )
    assert rates["layer4.0.conv1.weight"] == 0.003


def test_rates_fall_by_a_factor_for_each_layer_from_the_output(module):
    rates = base_learning_rates(module, network(layer_decay=0.5), SECTION)
    assert rates["fc.weight"] == 0.01
    for layer, depth in (("layer4.1", 1), ("layer4.0", 2), ("layer1.0", 8), ("conv1", 9)):
        inner = [rate for name, rate in rates.items() if name.startswith(f"{layer}.")]
        assert inner == [pytest.approx(0.01 * 0.5**depth)] * len(inner), layer
        assert inner
    assert rates["bn1.weight"] == rates["conv1.weight"]


class HeadFirst(nn.Module):
    """Its head is the first of its modules, and the last that runs."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 10)
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Conv2d(4, 4, 3)

    def forward(self, images):
        return self.head(self.second(self.first(images)).mean((2, 3)))


def test_layers_count_in_the_order_in_which_they_run(monkeypatch):
    monkeypatch.setattr("foldwise.nets.network.build", lambda _: HeadFirst())
    found = layer_depths(network().model_copy(update={"heads": ["head"]}))
    assert found == {
        "second.weight": 1,
        "second.bias": 1,
        "first.0.weight": 2,
        "first.0.bias": 2,
        "first.1.weight": 2,
        "first.1.bias": 2,
    }


def library(name, heads, side=32):
    settings = {"settings": {"name": name}, "height": side, "width": side, "heads": heads}
    return network().model_copy(update=settings)


def test_a_part_that_is_most_of_the_network_is_a_group_of_layers():
    found = layer_depths(library("vit_b_32", ["heads.head"]))
    blocks = {name.split(".")[2]: depth for name, depth in found.items() if "encoder_layer" in name}
    assert blocks == {f"encoder_layer_{index}": 12 - index for index in range(12)}
    assert found["conv_proj.weight"] > blocks["encoder_layer_0"]


def test_auxiliary_heads_are_as_near_to_the_output_as_the_main_one():
    heads = ["aux1.fc2", "aux2.fc2", "fc"]
    googlenet = library("googlenet", heads).model_copy(
        update={"training": HyperParameters(layer_decay=0.5)}
    )
    module = construct_shapes(googlenet)
    rates = base_learning_rates(module, googlenet, SECTION)
    assert {rates[f"{head}.weight"] for head in heads} == {0.01}


def test_the_first_thaw_of_a_layer_sets_its_rate(module):
    thaw = [
        Thaw(at_epoch=2, layers=["layer4.1"], learning_rate=1e-3),
        Thaw(at_epoch=3, layers=["layer4"], learning_rate=1e-5),
    ]
    rates = base_learning_rates(module, network(["layer4.0", "layer4.1"], thaw), SECTION)
    assert rates["layer4.1.conv1.weight"] == 1e-3
    assert rates["layer4.0.conv1.weight"] == 1e-5
