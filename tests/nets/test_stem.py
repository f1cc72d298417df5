import pytest
import torch
from families import mostly_slow
from torch import nn

from foldwise.core.errors import InputError
from foldwise.files.catalogue import TORCHVISION_MODELS
from foldwise.nets.adapt import small_stem
from foldwise.nets.card import describe_card
from foldwise.nets.network import construct
from foldwise.nets.proof import prove_trainable
from foldwise.nets.shapes import construct_shapes, trace_modules
from foldwise.nets.weights.pretrained import PretrainedWeights

RESNETS = [name for name in TORCHVISION_MODELS if name.startswith(("resne", "wide_resnet"))]
DENSENETS = [name for name in TORCHVISION_MODELS if name.startswith("densenet")]
SHUFFLENETS = [name for name in TORCHVISION_MODELS if name.startswith("shufflenet")]
SMALL = ("resnet18", "densenet121", "shufflenet_v2_x0_5")
FIRST = {
    **dict.fromkeys([*RESNETS, *SHUFFLENETS], "conv1"),
    **dict.fromkeys(DENSENETS, "features.conv0"),
}
OTHERS = [name for name in TORCHVISION_MODELS if name not in FIRST]


@pytest.fixture
def small_of(network_of):
    """Resolve an architecture with the small stem."""

    def small_of(name, *shape):
        network = network_of(name, *shape)
        return network.model_copy(update={"settings": {**network.settings, "stem": "small"}})

    return small_of


def test_there_are_18():
    assert (len(RESNETS), len(DENSENETS), len(SHUFFLENETS)) == (10, 4, 4)


@pytest.mark.parametrize("name", mostly_slow(FIRST, ["resnet18", "shufflenet_v2_x0_5"]))
@torch.no_grad()
def test_stem_is_3_by_3_with_stride_1_and_small_images_pass(small_of, name):
    module = construct_shapes(small_of(name, 4, 28))
    stem = module.get_submodule(FIRST[name])
    first = stem[0] if isinstance(stem, nn.Sequential) else stem
    assert (first.in_channels, first.kernel_size) == (4, (3, 3))
    assert (first.stride, first.padding) == ((1, 1), (1, 1))
    assert module(torch.empty(2, 4, 28, 28, device="meta")).shape == (2, 10)


@pytest.mark.parametrize("name", FIRST)
def test_nothing_but_stem_and_pooling_changes(network_of, small_of, name):
    before, after = (construct_shapes(make(name, 3, 32)) for make in (network_of, small_of))
    changed = [
        part
        for part, module in before.named_modules()
        if not list(module.children()) and repr(after.get_submodule(part)) != repr(module)
    ]
    assert len(changed) == 2
    assert changed[0].startswith(FIRST[name])
    assert "pool" in changed[1]
    assert isinstance(after.get_submodule(changed[1]), nn.Identity)


@pytest.mark.parametrize(
    ("name", "side", "before_pooling"),
    [
        ("resnet18", 32, (512, 4, 4)),
        ("resnet18", 28, (512, 4, 4)),
        ("resnet50", 32, (2048, 4, 4)),
        ("resnet18", 8, (512, 1, 1)),
    ],
)
def test_maps_before_the_last_pooling(small_of, name, side, before_pooling):
    module = construct_shapes(small_of(name, 3, side))
    run = trace_modules(module, torch.empty(2, 3, side, side, device="meta"))
    assert run.outputs["layer4"][0].shape == (2, *before_pooling)


def test_large_stem_leaves_one_number_of_small_images(network_of):
    module = construct_shapes(network_of("resnet18", 3, 32))
    run = trace_modules(module, torch.empty(2, 3, 32, 32, device="meta"))
    assert run.outputs["layer4"][0].shape == (2, 512, 1, 1)


def test_resnet18_is_the_one_that_is_common_for_cifar(small_of):
    """Known from elsewhere: 11,173,962 parameters; the multiply-adds are added up here.

    For each convolution of 3×3 or 1×1, weights times the pixels of the map that comes out.
    """
    card, _ = describe_card(small_of("resnet18", 3, 32), PretrainedWeights(), ["class"] * 10)
    stages = [  # weights of a stage's convolutions, pixels
        (4 * 9 * 64 * 64, 32**2),
        (9 * 64 * 128 + 3 * 9 * 128 * 128 + 64 * 128, 16**2),
        (9 * 128 * 256 + 3 * 9 * 256 * 256 + 128 * 256, 8**2),
        (9 * 256 * 512 + 3 * 9 * 512 * 512 + 256 * 512, 4**2),
    ]
    convolutions = 9 * 3 * 64 * 32**2 + sum(weights * pixels for weights, pixels in stages)
    norms = 2 * (64 * 5 + 128 * 5 + 256 * 5 + 512 * 5)  # torchinfo counts two a channel
    assert card.parameters == 11_173_962
    assert card.macs == convolutions + norms + 512 * 10 + 10
    assert round(card.macs / 1e6, 2) == 555.43


@pytest.mark.parametrize("side", mostly_slow([8, 33], [8]))
@pytest.mark.parametrize("name", SMALL)
def test_small_images_train(small_of, name, side):
    prove_trainable(small_of(name, 1, side), {}, seed=0)


@pytest.mark.parametrize(
    "name", mostly_slow(OTHERS, ("alexnet", "googlenet", "mobilenet_v2", "vit_b_32"))
)
def test_others_are_refused(small_of, name):
    with pytest.raises(InputError) as caught:
        construct_shapes(small_of(name, 1, 224))
    assert str(caught.value) == (
        f"{name} has no stem of a 7×7 convolution and a max pooling to make small; leave out "
        "stem, or choose a ResNet, ResNeXt, Wide ResNet, DenseNet or ShuffleNet"
    )


def test_kernel_starts_as_the_other_convolutions_of_a_resnet(small_of):
    torch.manual_seed(0)
    kernel = construct(small_of("resnet18", 3, 32), {}).conv1.weight
    assert kernel.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.05)
    assert kernel.mean().item() == pytest.approx(0, abs=0.005)


class Standardised(nn.Conv2d):
    """Another kind of convolution, for which the plain one is no substitute."""


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(3, 8, 7, stride=1),
        nn.Conv2d(3, 8, 5, stride=2),
        Standardised(3, 8, 7, stride=2),
        nn.Sequential(nn.ReLU(), nn.Conv2d(3, 8, 7, stride=2)),
        nn.Linear(3, 8),
    ],
)
def test_other_beginnings_are_no_such_stem(convolution):
    module = nn.Module()
    module.conv1, module.maxpool = convolution, nn.MaxPool2d(2)
    with pytest.raises(InputError, match=r"mine has no stem"):
        small_stem(module, "mine")


def test_stem_without_pooling_is_no_such_stem():
    module = nn.Module()
    module.conv1 = nn.Conv2d(3, 8, 7, stride=2)
    with pytest.raises(InputError, match=r"mine has no stem"):
        small_stem(module, "mine")


@pytest.mark.parametrize("bias", [True, False])
def test_new_convolution_has_a_bias_as_the_old_one(bias):
    module = nn.Module()
    module.conv1, module.maxpool = nn.Conv2d(3, 8, 7, stride=2, bias=bias), nn.MaxPool2d(2)
    assert (small_stem(module, "mine").conv1.bias is not None) == bias
