import pytest
import torch
from torchvision.models import resnet18

from foldwise.engine.optimiser import base_learning_rates
from foldwise.files.network import HyperParameters, Network, Thaw
from foldwise.files.params import TrainSection

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
    depths = {"layer4.1.conv1.weight": 1, "conv1.weight": 9}
    decaying = network(layer_decay=0.5).model_copy(update={"depths": depths})
    rates = base_learning_rates(module, decaying, SECTION)
    assert rates["fc.weight"] == 0.01
    assert {name: rates[name] for name in depths} == {
        "layer4.1.conv1.weight": pytest.approx(0.01 * 0.5),
        "conv1.weight": pytest.approx(0.01 * 0.5**9),
    }


def test_the_first_thaw_of_a_layer_sets_its_rate(module):
    thaw = [
        Thaw(at_epoch=2, layers=["layer4.1"], learning_rate=1e-3),
        Thaw(at_epoch=3, layers=["layer4"], learning_rate=1e-5),
    ]
    rates = base_learning_rates(module, network(["layer4.0", "layer4.1"], thaw), SECTION)
    assert rates["layer4.1.conv1.weight"] == 1e-3
    assert rates["layer4.0.conv1.weight"] == 1e-5
