import pytest
import torch
from sourcing import counted, in_front, refusal, saved, weightless
from torch import nn

from foldwise.core.errors import InputError
from foldwise.nets.adapt import adapt_kernel
from foldwise.nets.network import construct
from foldwise.nets.weights.tensors import TrainedOn, write_trained_weights

DIGITS = TrainedOn(data="digits", channels=1, height=28, width=28, mean=[0.3], std=[0.4])


def composed(*layers):
    return {"layers": [*layers, "global_average_pool", "linear"]}


def test_layer_takes_its_tensors_from_where_they_are_in_the_source(
    begin, weights_file, trained_state
):
    said = weights_file(trained_state)
    started = begin(
        "net",
        3,
        32,
        **composed({"conv": 64}, {"take": "resnet18.layer2", **said}, "relu"),
    )
    assert started.weights.keys() == {
        f"resnet18_{name}" for name in in_front(trained_state, "layer2")
    }
    for name, one in started.weights.items():
        assert torch.equal(one, trained_state[name.removeprefix("resnet18_")])
    (loaded,) = started.findings.loaded
    assert loaded.layer == "resnet18_layer2"
    assert loaded.matched == 25
    assert set(loaded.unexpected_keys) == counted(trained_state) - in_front(trained_state, "layer2")


@pytest.mark.parametrize(
    ("take", "layer", "prefix"),
    [
        ("vgg11.features[3:5]", "vgg11_features", "features."),
        ("vgg11.features[3]", "vgg11_features", "features.3."),
        ("vgg11.features.3", "vgg11_features_3", "features.3."),
    ],
)
def test_every_form_of_a_reference_finds_its_tensors(begin, weights_file, take, layer, prefix):
    state = weightless("vgg11")
    kernel = torch.randn(128, 64, 3, 3)
    state["features.3.weight"] = kernel
    taken = {"take": take, **weights_file(state, "w.pt")}
    (name, *_), (tensor, *_) = zip(
        *begin("net", 3, 32, **composed({"conv": 64}, taken)).weights.items(), strict=True
    )
    assert name.startswith(f"{layer}.")
    assert prefix + name.removeprefix(f"{layer}.") == "features.3.weight"
    assert torch.equal(tensor, kernel)


def test_span_and_whole_of_one_source_leave_over_what_neither_takes(
    begin, weights_file, trained_state
):
    said = weights_file(trained_state)
    low = {"take": "resnet18[conv1:layer1]", "frozen": True, "name": "low", **said}
    started = begin("net", 1, 32, **composed(low, {"take": "resnet18.layer2", **said}))
    assert started.weights.keys() == {
        *(f"low.{name}" for name in in_front(trained_state, "conv1", "bn1", "layer1")),
        *(f"resnet18_{name}" for name in in_front(trained_state, "layer2")),
    }
    assert started.weights["low.conv1.weight"].shape == (64, 1, 7, 7)
    unexpected_keys = counted(in_front(trained_state, "layer3", "layer4", "fc"))
    assert [set(one.unexpected_keys) for one in started.findings.loaded] == [unexpected_keys] * 2
    assert not any("mixed" in one for one in started.findings.cautions)
    construct(started.network, started.weights)


def test_only_the_first_layer_sees_the_image(begin, tmp_path, weights_file):
    kernel = torch.randn(64, 1, 7, 7)
    write_trained_weights(tmp_path / "0-0", {"conv1.weight": kernel}, DIGITS)
    content = (tmp_path / "0-0" / "weights.safetensors").read_bytes()
    layer = {"take": "resnet18.conv1", **weights_file(content, "w.safetensors")}
    weights = begin("net", 3, 32, **composed(layer)).weights
    assert torch.equal(weights["resnet18_conv1.weight"], adapt_kernel(kernel, 3))
    message = refusal(begin, "net", 3, 32, at="layers.1.weights", **composed({"conv": 3}, layer))
    assert "0 of the 1 tensor of resnet18.conv1 match (0 %; " in message


def test_weights_of_two_networks_are_loaded_and_warned_of(begin, weights_file, trained_state):
    vgg = weightless("vgg11")
    started = begin(
        "net",
        3,
        32,
        **composed(
            {"take": "vgg11.features[0:5]", **weights_file(vgg, "v.pt")},
            {"take": "resnet18.layer3", **weights_file(trained_state)},
        ),
    )
    assert [one.layer for one in started.findings.loaded] == ["vgg11_features", "resnet18_layer3"]
    (mixed,) = [one for one in started.findings.cautions if "mixed" in one]
    assert "vgg11_features from " in mixed


def test_layer_without_tensors_takes_no_weights(begin, weights_file, trained_state):
    layer = {"take": "resnet18.maxpool", **weights_file(trained_state)}
    message = refusal(begin, "net", 3, 32, at="layers.0.weights", **composed(layer))
    assert "resnet18.maxpool has no weights; remove this key" in message


def test_frozen_layer_that_no_weights_fill_is_named(begin, weights_file, trained_state):
    layer = {"take": "resnet18.layer1", **weights_file(trained_state)}
    with pytest.raises(InputError) as caught:
        begin("net", 3, 32, **composed({"conv": 64}, layer), frozen=["conv", "resnet18_layer1"])
    message = str(caught.value)
    assert message.startswith("build.architectures.net freezes conv.weight, conv.bias, ")
    assert message.endswith("set `weights`, or do not freeze them")


def test_key_of_the_layer_is_named(begin, weights_file, trained_state):
    layer = {"take": "resnet18.layer1", **weights_file(trained_state)}
    layer["weights_sha256"] = "0" * 64
    message = refusal(begin, "net", 3, 32, at="layers.1.weights", **composed({"conv": 64}, layer))
    assert "but weights_sha256 is 000" in message


def test_key_of_a_layer_is_named_where_its_file_would_run_code(begin, weights_file):
    layer = {"take": "resnet18.layer1", **weights_file(saved(nn.Linear(2, 2)), "w.pt")}
    message = refusal(begin, "net", 3, 32, at="layers.1.weights", **composed({"conv": 64}, layer))
    assert "set trust_pickle: true" in message
