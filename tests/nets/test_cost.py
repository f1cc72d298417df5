import sys
from types import SimpleNamespace

import pytest
import torch
import torchinfo
from torch import nn

from foldwise.nets.card import describe_card
from foldwise.nets.cost import count_macs, total_stride
from foldwise.nets.shapes import construct_shapes, misfit
from foldwise.nets.sides import smallest_side, square
from foldwise.nets.weights.pretrained import PretrainedWeights

CLASSES = [f"class {index}" for index in range(10)]


@pytest.fixture
def card_of(network_of):
    def card_of(model, *shape, **section):
        return describe_card(network_of(model, *shape, **section), PretrainedWeights(), CLASSES)[0]

    return card_of


@pytest.mark.parametrize(
    ("model", "side", "stride"),
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
        pytest.param("maxvit_t", 224, 32, marks=pytest.mark.slow),
    ],
)
def test_total_stride_is_that_of_the_last_maps_whatever_the_image_size(
    network_of, model, side, stride
):
    assert total_stride(network_of(model, 3, side)) == stride


def test_small_stem_has_a_smaller_total_stride(network_of):
    assert total_stride(network_of("resnet18", 3, 32, stem="small")) == 8


def test_network_of_a_fixed_size_is_measured_at_that_size(network_of, monkeypatch):
    def build(channels, height, width, n_classes):
        if height != 16:
            raise ValueError("of 16 px only")
        return nn.Sequential(nn.Conv2d(channels, 4, 2, 2), nn.Flatten(), nn.Linear(256, n_classes))

    synthetic = SimpleNamespace(build=build)
    monkeypatch.setitem(sys.modules, "foldwise.nets.zoo.synthetic", synthetic)
    network = network_of("lenet5", 3, 16).model_copy(update={"builder": "zoo.synthetic"})
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
    synthetic = SimpleNamespace(build=lambda c, h, w, n: Windows(c, n))
    monkeypatch.setitem(sys.modules, "foldwise.nets.zoo.synthetic", synthetic)
    network = network_of("lenet5", 3, 16).model_copy(update={"builder": "zoo.synthetic"})
    assert total_stride(network) == 2


def test_network_without_maps_has_no_total_stride(network_of, monkeypatch):
    synthetic = SimpleNamespace(
        build=lambda c, h, w, n: nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, n))
    )
    monkeypatch.setitem(sys.modules, "foldwise.nets.zoo.synthetic", synthetic)
    network = network_of("lenet5", 3, 16).model_copy(update={"builder": "zoo.synthetic"})
    assert total_stride(network) is None


@pytest.mark.parametrize("model", ["lenet5", "slim_vgg", "vgg_resnet", "squeezenet1_1", "alexnet"])
def test_one_pixel_less_than_the_smallest_image_does_not_fit(network_of, model):
    network = network_of(model, 3, 64)
    side = smallest_side(network)
    assert misfit(square(network, side)) is None
    assert side == 1 or misfit(square(network, side - 1)) is not None


@pytest.mark.parametrize(
    "model", ["resnet18", "vgg_resnet", pytest.param("googlenet", marks=pytest.mark.slow)]
)
def test_macs_of_convolutions_are_those_of_torchinfo(network_of, card_of, model):
    images = torch.empty(1, 3, 32, 32, device="meta")
    module = construct_shapes(network_of(model, 3, 32))
    table = torchinfo.summary(module, input_data=images, device="meta", verbose=0)
    card = card_of(model, 3, 32)
    assert card.macs == table.total_mult_adds
    assert card.activation_bytes == table.total_output_bytes


@pytest.mark.parametrize("frozen", [{}, pytest.param({"policy": "frozen"}, marks=pytest.mark.slow)])
def test_macs_of_a_transformer_count_every_token(card_of, frozen):
    tokens, width = 7 * 7 + 1, 768  # ViT-B/32 on 224 px, and its class token
    linear = width * (3 * width + width + 2 * 4 * width)  # queries, keys, values; out; MLP
    attention = 2 * tokens * width  # all with all, twice
    patches = 49 * 3 * 32 * 32 * width
    total = patches + 12 * tokens * (linear + attention) + width * 10
    assert card_of("vit_b_32", 3, 224, **frozen).macs == total


def test_macs_of_transposed_convolutions_are_counted_once(network_of, monkeypatch):
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False),
        nn.ConvTranspose2d(4, 4, 2, stride=2, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10, bias=False),
    )
    monkeypatch.setattr("foldwise.nets.network.build", lambda _: module)
    per_pixel = 4 * 16 * 16 * 3 * 9, 4 * 4 * 16 * 16 * 4  # a pixel comes in, four go out
    assert count_macs(network_of("resnet18", 3, 32), 10**9) == sum(per_pixel) + 40
