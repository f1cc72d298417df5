import itertools
import re
import sys
from types import SimpleNamespace

import pytest
import torch
import torchinfo
import yaml
from torch import nn

from foldwise.files.card import LoadedWeights
from foldwise.files.catalogue import TORCHVISION_MODELS, ZOO
from foldwise.nets.card import describe_card, summarise
from foldwise.nets.cost import total_stride
from foldwise.nets.parts import MOST, find_parts
from foldwise.nets.schedule_text import policy_in_words, shorten
from foldwise.nets.shapes import construct_shapes, misfit, smallest_side, square
from foldwise.nets.weights.pretrained import PretrainedWeights

CLASSES = [f"class {index}" for index in range(10)]
SOME = [  # one of each kind of structure
    *("slim_vgg", "lenet5", "alexnet", "resnet18", "googlenet", "densenet121", "squeezenet1_1"),
    *("mobilenet_v3_small", "mnasnet0_5", "shufflenet_v2_x0_5", "regnet_y_400mf", "vit_b_32"),
    *("swin_t", "convnext_tiny"),
]
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


@pytest.fixture
def card_of(network_of):
    def card_of(model, *shape, findings=None, **section):
        return describe_card(
            network_of(model, *shape, **section), findings or PretrainedWeights(), CLASSES
        )[0]

    return card_of


@pytest.fixture
def parts_of(network_of):
    """Return the chain of an architecture, and what is beside it, by name."""

    def parts_of(model, *shape, loaded=(), **section):
        network = network_of(model, *shape, **section)
        parts = find_parts(network, construct_shapes(network), loaded)
        chain = {one.name: one for one in parts if not one.beside}
        beside = {one.name: one for one in parts if one.beside}
        assert len(chain) + len(beside) == len(parts)
        return chain, beside

    return parts_of


@pytest.fixture
def drawn(network_of):
    """Return the parts of any module."""

    def drawn(module, *shape):
        return find_parts(network_of("lenet5", *(shape or (3, 16))), module.to("meta"), [])

    return drawn


def mix(**changes):
    return {"layers": yaml.safe_load(MIX), **changes}


def spoken(chain):
    return {name: (part.kind, part.output_shape) for name, part in chain.items()}


@pytest.mark.parametrize(
    ("model", "side", "factor"),
    [
        ("resnet18", 32, 32),
        ("alexnet", 64, 32),
        ("vgg16", 32, 32),
        ("vit_b_16", 224, 16),
        ("swin_t", 32, 32),
        ("lenet5", 28, 4),
        ("slim_vgg", 28, 4),
        ("vgg_resnet", 8, 4),
        ("googlenet", 32, 32),
        ("mobilenet_v2", 32, 32),
        ("densenet121", 32, 32),
        ("squeezenet1_1", 32, 16),
        ("inception_v3", 299, 32),
        ("maxvit_t", 224, 32),
    ],
)
def test_downsampling_is_that_of_the_last_maps_whatever_the_image(network_of, model, side, factor):
    assert total_stride(network_of(model, 3, side)) == factor


def test_small_stem_downsamples_by_less(network_of):
    assert total_stride(network_of("resnet18", 3, 32, stem="small")) == 8


def test_network_of_one_size_is_seen_on_that_size(network_of, monkeypatch):
    def build(channels, height, width, n_classes):
        if height != 16:
            raise ValueError("of 16 px only")
        return nn.Sequential(nn.Conv2d(channels, 4, 2, 2), nn.Flatten(), nn.Linear(256, n_classes))

    made_up = SimpleNamespace(build=build)
    monkeypatch.setitem(sys.modules, "stages.build.networks.made_up", made_up)
    network = network_of("lenet5", 3, 16).model_copy(update={"builder": "zoo.made_up"})
    assert total_stride(network) == 2


class Windows(nn.Module):
    """Looks at its maps in windows of 2×2, as a batch of their own."""

    def __init__(self, channels, n_classes):
        super().__init__()
        self.conv, self.seen = nn.Conv2d(channels, 4, 2, 2), nn.Identity()
        self.head = nn.Linear(4, n_classes)

    def forward(self, images):
        maps = self.conv(images)
        windows = maps.unfold(2, 2, 2).unfold(3, 2, 2).permute(0, 2, 3, 1, 4, 5)
        windows = self.seen(windows.flatten(0, 2))
        return self.head(windows.mean((2, 3)).reshape(len(images), -1, 4).mean(1))


def test_windows_of_maps_are_no_maps(network_of, monkeypatch):
    made_up = SimpleNamespace(build=lambda c, h, w, n: Windows(c, n))
    monkeypatch.setitem(sys.modules, "stages.build.networks.made_up", made_up)
    network = network_of("lenet5", 3, 16).model_copy(update={"builder": "zoo.made_up"})
    assert total_stride(network) == 2


def test_network_without_maps_has_no_downsampling(network_of, monkeypatch):
    made_up = SimpleNamespace(
        build=lambda c, h, w, n: nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, n))
    )
    monkeypatch.setitem(sys.modules, "stages.build.networks.made_up", made_up)
    network = network_of("lenet5", 3, 16).model_copy(update={"builder": "zoo.made_up"})
    assert total_stride(network) is None


@pytest.mark.parametrize("model", ["lenet5", "slim_vgg", "vgg_resnet", "squeezenet1_1", "alexnet"])
def test_one_pixel_less_than_the_smallest_image_does_not_fit(network_of, model):
    network = network_of(model, 3, 64)
    side = smallest_side(network)
    assert misfit(square(network, side)) is None
    assert side == 1 or misfit(square(network, side - 1)) is not None


@pytest.mark.parametrize("model", ["resnet18", "vgg_resnet", "googlenet"])
def test_multiply_adds_of_convolutions_are_those_of_torchinfo(network_of, card_of, model):
    images = torch.empty(1, 3, 32, 32, device="meta")
    module = construct_shapes(network_of(model, 3, 32))
    table = torchinfo.summary(module, input_data=images, device="meta", verbose=0)
    assert card_of(model, 3, 32).macs == table.total_mult_adds
    assert card_of(model, 3, 32).activation_bytes == table.total_output_bytes


@pytest.mark.parametrize("frozen", [{}, {"policy": "frozen"}])
def test_multiply_adds_of_a_transformer_are_those_of_every_place(card_of, frozen):
    places, width = 7 * 7 + 1, 768  # ViT-B/32 on 224 px, and its class token
    linear = width * (3 * width + width + 2 * 4 * width)  # queries, keys, values; out; MLP
    attention = 2 * places * width  # all with all, twice
    patches = 49 * 3 * 32 * 32 * width
    total = patches + 12 * places * (linear + attention) + width * 10
    assert card_of("vit_b_32", 3, 224, **frozen).macs == total


@pytest.mark.parametrize("model", SOME)
def test_every_parameter_is_in_exactly_one_part(network_of, model):
    require_whole(network_of(model, 3, 224))


@pytest.mark.slow
@pytest.mark.parametrize("model", [*ZOO, *TORCHVISION_MODELS])
def test_every_parameter_of_every_architecture_is_in_exactly_one_part(network_of, model):
    require_whole(network_of(model, 3, 299 if model == "inception_v3" else 224))


def require_whole(network):
    module = construct_shapes(network)
    parts = find_parts(network, module, [])
    assert sum(part.parameters for part in parts) == sum(one.numel() for one in module.parameters())
    assert len({part.name for part in parts}) == len(parts)
    assert 4 <= sum(not part.beside for part in parts) <= MOST
    assert parts[-1].beside or parts[-1].output_shape in ([10], [10, 1, 1])


def test_layers_that_change_no_size_are_part_of_the_one_before(parts_of):
    assert spoken(parts_of("slim_vgg", 1, 28)[0]) == {
        "[0:6]": ("2 × (Conv2d, BatchNorm2d, ReLU)", [32, 28, 28]),
        "[6:8]": ("MaxPool2d, Dropout2d", [32, 14, 14]),
        "[8:17]": ("3 × (Conv2d, BatchNorm2d, ReLU)", [64, 14, 14]),
        "[17:20]": ("MaxPool2d, Dropout2d, Flatten", [3136]),
        "[20:23]": ("Linear, BatchNorm1d, ReLU", [256]),
        "23": ("Linear", [10]),
    }


def test_stages_are_told_by_their_blocks_and_not_opened(parts_of):
    assert spoken(parts_of("resnet18", 3, 32)[0]) == {
        "conv1": ("Conv2d, BatchNorm2d, ReLU", [64, 16, 16]),
        "maxpool": ("MaxPool2d", [64, 8, 8]),
        "layer1": ("2 × BasicBlock", [64, 8, 8]),
        "layer2": ("2 × BasicBlock", [128, 4, 4]),
        "layer3": ("2 × BasicBlock", [256, 2, 2]),
        "layer4": ("2 × BasicBlock", [512, 1, 1]),
        "avgpool": ("AdaptiveAvgPool2d", [512, 1, 1]),
        "fc": ("Linear", [10]),
    }


def test_classes_of_their_own_are_not_opened(parts_of):
    chain = spoken(parts_of("densenet121", 3, 64)[0])
    assert chain["features.transition1"] == ("Transition", [128, 8, 8])
    assert chain["features.conv0"] == ("Conv2d, BatchNorm2d, ReLU", [64, 32, 32])


class Stage(nn.Module):
    def __init__(self, given, width):
        super().__init__()
        self.down, self.mix = nn.Conv2d(given, 8 * width, 2, 2), nn.Conv2d(8 * width, width, 1)

    def forward(self, maps):
        return self.mix(self.down(maps))


def test_stage_that_holds_most_is_opened_only_if_it_is_the_only_one(drawn):
    several = drawn(nn.Sequential(Stage(3, 4), Stage(4, 64)))
    assert [(part.name, part.kind) for part in several] == [("0", "Stage"), ("1", "Stage")]
    single = drawn(nn.Sequential(nn.Conv2d(3, 4, 1), Stage(4, 64)))
    assert [part.name for part in single] == ["0", "1.down", "1.mix"]


def test_containers_are_opened_and_blocks_alike_are_one(parts_of):
    chain = spoken(parts_of("mobilenet_v2", 3, 64)[0])
    assert list(chain)[:4] == ["features.0", "features.1", "features[2:4]", "features[4:7]"]
    assert chain["features[4:7]"] == ("3 × InvertedResidual", [32, 8, 8])
    assert list(chain)[-2:] == ["features.18", "classifier"]


def test_module_around_most_of_a_network_is_opened(parts_of):
    chain, beside = parts_of("vit_b_32", 3, 224)
    assert spoken(chain)["encoder.layers"] == ("12 × EncoderBlock", [50, 768])
    assert {name: part.kind for name, part in beside.items()} == {
        "class_token": "Parameter 1×1×768",
        "encoder.pos_embedding": "Parameter 1×50×768",
    }


def test_auxiliary_heads_are_beside_the_chain(parts_of):
    chain, beside = parts_of("googlenet", 3, 32)
    assert {name: part.kind for name, part in beside.items()} == {
        "aux1": "InceptionAux",
        "aux2": "InceptionAux",
    }
    assert spoken(chain)["inception4a … inception4c"] == ("3 × Inception", [512, 2, 2])
    assert list(chain)[-2:] == ["avgpool", "fc"]  # pools of one pixel change no size, and are drawn


def test_what_normalises_first_is_part_of_the_next_layer_with_parameters(drawn):
    module = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 2, 2))
    )
    assert [(part.name, part.kind) for part in drawn(module)] == [
        ("0", "Conv2d"),
        ("1", "BatchNorm2d, ReLU, Conv2d"),
    ]


class Twice(nn.Module):
    """Runs its layers in an order of its own, some twice and one never."""

    def __init__(self):
        super().__init__()
        self.head, self.pool, self.idle = nn.Linear(3, 10), nn.MaxPool2d(2), nn.Linear(2, 2)
        self.conv, self.scale = nn.Conv2d(3, 3, 3, padding=1), nn.Parameter(torch.ones(1))
        self.blocks = nn.ModuleList([nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU())])

    def forward(self, images):
        for _ in range(2):
            images = self.pool(self.conv(images))
        return self.head(self.blocks[0](images).mean((2, 3)) * self.scale)


def test_parts_come_as_they_run_and_count_once(drawn):
    assert [
        (part.name, part.output_shape, part.parameters, part.beside) for part in drawn(Twice())
    ] == [
        ("conv", [3, 16, 16], 84, False),
        ("pool", [3, 8, 8], 0, False),
        ("conv", [3, 8, 8], 0, False),
        ("pool", [3, 4, 4], 0, False),
        ("blocks.0", [3, 4, 4], 12, False),
        ("head", [10], 40, False),
        ("scale", None, 1, True),
        ("idle", None, 6, True),
    ]


def test_long_networks_are_drawn_in_few_parts(drawn):
    widths = [3, *(4 + index % 3 for index in range(60))]
    module = nn.Sequential(*(nn.Conv2d(*pair, 1) for pair in itertools.pairwise(widths)))
    parts = drawn(module)
    assert len(parts) == MOST
    assert sum(part.parameters for part in parts) == sum(one.numel() for one in module.parameters())
    assert [(part.name, part.kind) for part in parts][:2] == [
        ("[0:4]", "4 modules"),
        ("[4:8]", "4 modules"),
    ]
    assert {part.kind for part in parts} == {"2 modules", "4 modules"}


def test_taken_layers_say_from_where_and_stay_apart(parts_of):
    loaded = [
        LoadedWeights(
            source="W1",
            sha256="0" * 64,
            layer="resnet18",
            matched=1,
            missing_keys=[],
            unexpected_keys=[],
        )
    ]
    chain, _ = parts_of("mix", 3, 32, loaded=loaded, **mix())
    assert [(name, part.kind, part.source, part.weights) for name, part in chain.items()] == [
        ("resnet18.conv1", "Conv2d, BatchNorm2d, ReLU", "resnet18[conv1:layer2]", "W1"),
        ("resnet18.maxpool", "MaxPool2d", "resnet18[conv1:layer2]", "W1"),
        ("resnet18.layer1", "2 × BasicBlock", "resnet18[conv1:layer2]", "W1"),
        ("resnet18.layer2", "2 × BasicBlock", "resnet18[conv1:layer2]", "W1"),
        ("conv", "Conv2d, BatchNorm2d, ReLU", None, None),
        ("vgg[7:13]", "2 × (Conv2d, BatchNorm2d, ReLU)", "vgg16_bn.features[7:14]", None),
        ("vgg.13", "MaxPool2d", "vgg16_bn.features[7:14]", None),
        ("norm", "BatchNorm2d", "resnet18.layer2.1.bn1", None),
        ("relu_2", "ReLU", None, None),
        ("global_average_pool", "AdaptiveAvgPool2d, Flatten", None, None),
        ("linear", "Linear", None, None),
    ]
    assert [part.trains_from for part in chain.values()] == [
        *(None, None, None, None, 1, 1, None, 1, None, None, 1)
    ]


def test_layers_taken_one_by_one_stay_apart(parts_of):
    layers = [
        {"conv": 64},
        *({"take": f"resnet18.layer1.{index}"} for index in range(2)),
        "global_average_pool",
        "linear",
    ]
    chain, _ = parts_of("taken", 3, 32, layers=layers)
    assert list(chain)[1:3] == ["resnet18_layer1_0", "resnet18_layer1_1"]


def test_frozen_and_thawed_layers_are_drawn_apart(parts_of):
    thaw = [{"at_epoch": 3, "layers": "layer2.1"}]
    chain, _ = parts_of("resnet18", 3, 32, frozen=["[conv1:layer2]", "layer3.0.conv1"], thaw=thaw)
    facts = {
        name: (part.trains_from, part.parameters - part.trainable_parameters)
        for name, part in chain.items()
        if part.parameters
    }
    assert facts == {
        "conv1": (None, 9_536),
        "layer1": (None, 147_968),
        "layer2.0": (None, 230_144),
        "layer2.1": (3, 0),
        "layer3.0": (1, 294_912),
        "layer3.1": (1, 0),
        "layer4": (1, 0),
        "fc": (1, 0),
    }


def test_layers_that_are_not_frozen_alike_are_no_one_part(parts_of):
    chain, _ = parts_of("resnet18", 3, 32, frozen=["conv1", "layer1.0"])
    facts = [(part.name, part.kind, part.trains_from) for part in chain.values()]
    assert facts[:5] == [
        ("conv1", "Conv2d", None),
        ("bn1", "BatchNorm2d, ReLU", 1),
        ("maxpool", "MaxPool2d", None),
        ("layer1.0", "BasicBlock", None),
        ("layer1.1", "BasicBlock", 1),
    ]


@pytest.mark.parametrize(
    ("section", "is_pretrained", "words"),
    [
        ({}, False, "trains from scratch"),
        ({}, True, "finetune: all layers train"),
        ({"policy": "frozen"}, True, "frozen but for fc"),
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
            "frozen: conv1 … layer2; layer2 trains from epoch 3 on at 1e-05",
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
            "frozen but for fc; layer4 trains from epoch 2 on; "
            "layer1 … layer3 train from epoch 4 on",
        ),
        (
            {"learning_rate": 0.01, "body_learning_rate": 1e-4, "layer_decay": 0.8},
            True,
            "finetune: all layers train; learning rate 0.01; body at 0.0001; "
            "each layer at 0.8 of the rate of the next",
        ),
    ],
)
def test_policy_in_words(network_of, section, is_pretrained, words):
    network = network_of("resnet18", 3, 32, **section)
    module = construct_shapes(network)
    assert policy_in_words(network, module, is_pretrained=is_pretrained) == words


def test_long_lists_of_names_are_cut():
    assert shorten(["a", "b"], 2) == "a, b"
    assert shorten(["a", "b", "c", "d"], 2) == "a, b, 2 more"


def test_layers_that_thaw_count_as_trained_and_are_locked_in_the_table(network_of):
    thaw = [{"at_epoch": 2, "layers": "layer4"}]
    network = network_of("resnet18", 3, 32, policy="frozen", thaw=thaw)
    card, summary = describe_card(network, PretrainedWeights(), CLASSES)
    assert (card.parameters, card.trainable_parameters) == (11_181_642, 8_393_728 + 5_130)
    assert card.locked_parameters == card.parameters - card.trainable_parameters
    assert sum(part.trainable_parameters for part in card.parts) == card.trainable_parameters
    assert re.search(r"Conv2d \(conv1\) .* \(9,408\) ", summary)
    assert "Trainable params: 5,130\n" in summary  # in the first epoch
    assert summarise(card) == (
        "resnet18, 11,181,642 parameters (8,398,858 trained), 37.03 M multiply-adds an image"
    )


def test_summary_says_what_the_table_does_not(network_of):
    loaded = LoadedWeights(
        source="w.pth",
        sha256="ab" * 32,
        layer="",
        matched=99,
        missing_keys=["conv1.weight"],
        unexpected_keys=[f"fc{index}" for index in range(9)],
    )
    findings = PretrainedWeights(loaded=[loaded], cautions=["of another size"])
    card, summary = describe_card(network_of("resnet18", 3, 32, policy="frozen"), findings, CLASSES)
    assert summary.splitlines()[-8:] == [
        "Parameters: 11,181,642; trained at some time 5,130, locked 11,176,512",
        "Multiply-adds of one image: 37,026,186",
        "Smallest image: 1×1 px",
        "Downsampling: 32 px a side to one",
        "Policy: frozen but for fc",
        "Weights: w.pth, SHA-256 " + "ab" * 32,
        "  99 tensors match; 1 missing: conv1.weight; "
        "9 unexpected: fc0, fc1, fc2, fc3, fc4, fc5, 3 more",
        "Caution: of another size",
    ]
    assert (card.loaded, card.cautions) == ([loaded], ["of another size"])


def test_summary_of_a_fixed_size_from_scratch(network_of):
    _, summary = describe_card(network_of("vit_b_32", 3, 224), PretrainedWeights(), CLASSES)
    assert "\nSmallest image: certain sizes only\n" in summary
    assert summary.endswith("Policy: trains from scratch\nWeights: scratch\n")


def test_same_network_same_card_and_summary(network_of):
    network = network_of("mix", 3, 32, **mix())
    assert describe_card(network, PretrainedWeights(), CLASSES) == describe_card(
        network, PretrainedWeights(), CLASSES
    )
