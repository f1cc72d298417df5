import re

import pytest
import yaml

from foldwise.files.network import LoadedWeights
from foldwise.nets.card import describe_card, describe_in_one_line, describe_policy
from foldwise.nets.shapes import construct_shapes
from foldwise.nets.weights.pretrained import PretrainedWeights

CLASSES = [f"class {index}" for index in range(10)]
MIX = """
- {take: "resnet18[conv1:layer2]", frozen: true, weights: IMAGENET1K_V1}
- conv: 64
- batch_norm
- relu
- {take: "vgg16_bn.features[7:14]", name: vgg}
- {take: resnet18.layer2.1.bn1, name: norm}
- relu
- global_average_pool
- linear
"""


def mix(**changes):
    return {"layers": yaml.safe_load(MIX), **changes}


@pytest.mark.parametrize(
    ("section", "is_pretrained", "words"),
    [
        ({}, False, "trains from scratch"),
        ({}, True, "finetune: all layers train"),
        ({"policy": "frozen"}, True, "frozen except fc"),
        ({"frozen": ["conv1", "bn1"]}, True, "frozen: conv1, bn1"),
        ({"frozen": ["conv1", "layer2"]}, True, "frozen: conv1, layer2"),
        (
            {"frozen": ["layer1", "conv1", "layer3", "bn1"]},
            True,
            "frozen: conv1, bn1, layer1, layer3",
        ),
        (
            {
                "frozen": ["[conv1:layer2]"],
                "thaw": [{"at_epoch": 3, "layers": "layer2", "learning_rate": 1e-5}],
            },
            True,
            "frozen: conv1 … layer2; layer2 trains from epoch 3 at learning rate 1e-05",
        ),
        (
            {
                "policy": "frozen",
                "thaw": [
                    {"at_epoch": 2, "layers": "layer4"},
                    {"at_epoch": 4, "layers": "[layer1:layer3]"},
                ],
            },
            True,
            "frozen except fc; layer4 trains from epoch 2; layer1 … layer3 trains from epoch 4",
        ),
        (
            {"learning_rate": 0.01, "body_learning_rate": 1e-4, "layer_decay": 0.8},
            True,
            "finetune: all layers train; learning_rate 0.01; body_learning_rate 0.0001; "
            "layer_decay 0.8",
        ),
    ],
)
def test_policy_is_described(network_of, section, is_pretrained, words):
    network = network_of("resnet18", 3, 32, **section)
    order = [name for name, _ in construct_shapes(network).named_parameters()]
    assert describe_policy(network, order, is_pretrained=is_pretrained) == words


def test_layers_that_thaw_count_as_trained_and_the_table_shows_the_first_epoch(network_of):
    thaw = [{"at_epoch": 2, "layers": "layer4"}]
    network = network_of("resnet18", 3, 32, policy="frozen", thaw=thaw)
    card, summary = describe_card(network, PretrainedWeights(), CLASSES)
    assert (card.parameters, card.trainable_parameters) == (11_181_642, 8_393_728 + 5_130)
    assert card.locked_parameters == card.parameters - card.trainable_parameters
    assert re.search(r"Conv2d \(conv1\) .* \(9,408\) .* False$", summary, re.MULTILINE)
    assert re.search(r"Linear \(fc\) .* 5,130 .* True$", summary, re.MULTILINE)
    assert "Trainable params: 5,130\n" in summary  # in the first epoch
    assert describe_in_one_line(card) == (
        "resnet18, 11,181,642 parameters (8,398,858 trained), 37.03 M MACs"
    )


def test_facts_follow_the_table(network_of):
    loaded = LoadedWeights(
        source="w.pth",
        sha256="ab" * 32,
        layer="",
        matched=99,
        missing_keys=["conv1.weight"],
        unexpected_keys=[f"fc{index}" for index in range(9)],
        key="ema.module",
        other_keys=["state_dict", ""],
    )
    pretrained = PretrainedWeights(loaded=[loaded], cautions=["of another size"])
    card, summary = describe_card(
        network_of("resnet18", 3, 32, policy="frozen"), pretrained, CLASSES
    )
    assert summary.splitlines()[-9:] == [
        "Parameters: 11,181,642; trained in some epoch 5,130, frozen in all 11,176,512",
        "Multiply-accumulate operations (MACs) per image: 37,026,186",
        "Smallest image: 1×1 px",
        "Total stride: 32 px",
        "Policy: frozen except fc",
        "Weights: w.pth, SHA-256 " + "ab" * 32,
        "  Key in the file: ema.module; also matching: state_dict, '' (set weights_key)",
        "  99 tensors matched; 1 missing: conv1.weight; "
        "9 unexpected: fc0, fc1, fc2, fc3, fc4, fc5 and 3 more",
        "Caution: of another size",
    ]
    assert (card.loaded, card.cautions) == ([loaded], ["of another size"])


@pytest.mark.slow
def test_summary_of_a_fixed_size_from_scratch(network_of):
    _, summary = describe_card(network_of("vit_b_32", 3, 224), PretrainedWeights(), CLASSES)
    assert "\nSmallest image: certain sizes only\n" in summary
    assert summary.endswith("Policy: trains from scratch\nWeights: scratch\n")


def test_summary_shows_shape_parameters_macs_and_trainable_of_each_layer(network_of):
    _, summary = describe_card(network_of("lenet5", 1, 28), PretrainedWeights(), CLASSES)
    header = summary.splitlines()[1].split("  ")
    assert [column.strip() for column in header if column.strip()] == [
        "Layer (type (var_name))",
        "Output Shape",
        "Param #",
        "MACs",
        "Trainable",
    ]
    row = next(line for line in summary.splitlines() if "Conv2d (4)" in line)
    assert re.search(r"\[1, 16, 10, 10\] +2,416 +241,600 +True$", row)


def test_summary_names_the_source_of_taken_layers_and_is_the_same_every_time(network_of):
    network = network_of("mix", 3, 32, **mix())
    card, summary = describe_card(network, PretrainedWeights(), CLASSES)
    assert (card, summary) == describe_card(network, PretrainedWeights(), CLASSES)
    assert "Layer resnet18: taken from resnet18[conv1:layer2]\n" in summary
    assert "Layer vgg: taken from vgg16_bn.features[7:14]\n" in summary
    assert "Layer norm: taken from resnet18.layer2.1.bn1\n" in summary
    assert re.search(r"Conv2d \(conv1\).* False$", summary, re.MULTILINE)
    assert re.search(r"\(vgg\) .* True$", summary, re.MULTILINE)
