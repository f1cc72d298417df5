"""Known networks for small images, held against what their papers say of them."""

import importlib
import math
from pathlib import Path

import pytest
import torch
import torchinfo
from torch import nn
from torch.nn import functional

from foldwise.core.errors import InputError
from foldwise.nets.proof import require_fit
from foldwise.nets.shapes import construct_shapes, misfit
from foldwise.nets.zoo.resnet20 import PaddedIdentity, ResidualBlock, projection

ROOT = Path(__file__).parents[2]
RESNETS = {"resnet20": 3, "resnet56": 9, "resnet110": 18}  # n, residual blocks a stage
SMALLEST = {"nin": 4, "narrow_vgg": 4, "small_alexnet": 7}  # pixels
CLASSICS = (*RESNETS, *SMALLEST)
PARAMETERS = {  # for colour images of 10 classes
    # He et al. 2016, table 6: 0.27, 0.85 and 1.7 million. Kernels and BatchNorm:
    #   first convolution  27·16 + 2·16 = 464
    #   stage of 16 maps   2 n (9·16·16 + 2·16) = 4,672 n
    #   stage of 32 maps   2 n (9·32·32 + 2·32) - 9·16·32 = 18,560 n - 4,608
    #   stage of 64 maps   2 n (9·64·64 + 2·64) - 9·32·64 = 73,984 n - 18,432
    #   linear layer       64·10 + 10 = 650
    #   together           97,216 n - 21,926
    "resnet20": 97_216 * 3 - 21_926,
    "resnet56": 97_216 * 9 - 21_926,
    "resnet110": 97_216 * 18 - 21_926,
    # As published, 966,986 with biases:
    #   25·3·192 + 192, 192·160 + 160, 160·96 + 96      = 60,928
    #   25·96·192 + 192, 192·192 + 192, 192·192 + 192   = 535,104
    #   9·192·192 + 192, 192·192 + 192, 192·10 + 10     = 370,954
    # and a scale of BatchNorm for each of the 192 + 160 + 96 + 5·192 maps.
    "nin": 60_928 + 535_104 + 370_954 + 1_408,
    # 27·32 + 9·32·32 + 9·32·64 + 9·64·64 + 9·64·128 + 9·128·128 kernels, 2·2·(32 + 64 + 128) of
    # BatchNorm, 128·10 + 10.
    "narrow_vgg": 286_560 + 896 + 1_290,
    # 75·48 + 25·48·128 + 9·128·192 + 9·192·192 + 9·192·128 kernels, 2·(48 + 128 + 192 + 192 + 128)
    # of BatchNorm, 9·128·512 + 512, 512·512 + 512, 512·10 + 10.
    "small_alexnet": 931_344 + 1_376 + 590_336 + 262_656 + 5_130,
}


def module_of(model):
    return importlib.import_module(f"foldwise.nets.zoo.{model}")


def n_parameters(module):
    return sum(one.numel() for one in module.parameters())


def sizes_of(module, kind, side, channels=3):
    """Return the sizes of what the layers of a kind give for a square image."""
    sizes = []
    for part in module.modules():
        if isinstance(part, kind):
            part.register_forward_hook(lambda *call: sizes.append(tuple(call[2].shape[1:])))
    module.eval()(torch.zeros(1, channels, side, side))
    return sizes


@pytest.mark.parametrize("model", CLASSICS)
def test_parameters(model):
    assert n_parameters(module_of(model).build(3, 32, 32, 10)) == PARAMETERS[model]


def test_parameters_are_those_of_the_papers():
    table_6 = {"resnet20": 0.27, "resnet56": 0.85, "resnet110": 1.7}
    for model, millions in table_6.items():
        digits = len(str(millions)) - 2
        assert round(PARAMETERS[model] / 1e6, digits) == millions
    assert (PARAMETERS["resnet20"], PARAMETERS["resnet56"]) == (269_722, 853_018)
    assert PARAMETERS["resnet110"] == 1_727_962
    module = module_of("nin").build(3, 32, 32, 10)
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    assert n_parameters(module) - sum(len(norm.weight) for norm in norms) == 966_986


def test_multiply_adds_of_resnet20(network_of):
    table = torchinfo.summary(
        construct_shapes(network_of("resnet20", 3, 32)),
        input_data=torch.empty(1, 3, 32, 32, device="meta"),
        device="meta",
        verbose=0,
    )
    stages = [6 * 9 * 16**2 * 32**2]
    stages += [(9 * 16 * 32 + 5 * 9 * 32**2) * 16**2, (9 * 32 * 64 + 5 * 9 * 64**2) * 8**2]
    kernels = 27 * 16 * 32**2 + sum(stages)
    assert kernels == 40_550_400
    others = 650 + 2 * (7 * 16 + 6 * 32 + 6 * 64)  # the linear layer, and a pair a norm's map
    assert table.total_mult_adds == kernels + others


@pytest.mark.parametrize("model", RESNETS)
def test_resnets_have_as_many_layers_as_their_names_say(model):
    module = module_of(model).build(3, 32, 32, 10)
    layers = [part for part in module.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    assert f"resnet{len(layers)}" == model
    n = RESNETS[model]
    sizes = sizes_of(module, ResidualBlock, 32)
    assert sizes == [(16, 32, 32)] * n + [(32, 16, 16)] * n + [(64, 8, 8)] * n


def test_resnets_start_as_he_et_al_2015():
    torch.manual_seed(0)
    for part in module_of("resnet20").build(3, 32, 32, 10).modules():
        if isinstance(part, nn.Conv2d):
            expected = (2 / (9 * part.out_channels)) ** 0.5
            assert part.weight.std().item() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 5), (1, 2)])
def test_shortcut_a_is_the_strided_identity_with_zero_maps_after_it(height, width):
    images = torch.randn(2, 16, height, width, requires_grad=True)
    shortcut = PaddedIdentity(16, 32, 2)
    output = shortcut(images)
    assert list(shortcut.parameters()) == []
    assert output.shape == (2, 32, math.ceil(height / 2), math.ceil(width / 2))
    assert torch.equal(output[:, :16], images[:, :, ::2, ::2])
    assert (output[:, 16:] == 0).all()
    output.sum().backward()
    expected = torch.zeros(height, width)
    expected[::2, ::2] = 1
    assert torch.equal(images.grad, expected.expand_as(images))


@pytest.mark.parametrize("shortcut", [PaddedIdentity, projection])
@pytest.mark.parametrize("side", [1, 2, 7, 8])
def test_both_shortcuts_have_the_shape_of_the_residual(shortcut, side):
    images = torch.randn(2, 4, side, side)
    half = math.ceil(side / 2)
    assert ResidualBlock(4, 8, 2, shortcut)(images).shape == (2, 8, half, half)
    assert ResidualBlock(4, 8, 1, shortcut)(images).shape == (2, 8, side, side)
    assert ResidualBlock(4, 4, 1, shortcut).downsample is None


def test_block_adds_the_shortcut_before_its_last_relu():
    block = ResidualBlock(2, 4, 2, PaddedIdentity).eval()
    nn.init.zeros_(block.conv2.weight)
    images = torch.randn(3, 2, 6, 6)
    assert torch.equal(block(images), block.downsample(images).relu())


@pytest.mark.parametrize(
    ("model", "side"),
    [
        pytest.param(model, side, marks=pytest.mark.slow if is_slow else ())
        for model in CLASSICS
        for side in (28, 32, 64, 224)
        for is_slow in [side != 28]
    ],
)
def test_classics_train_on_any_channels_and_classes(network_of, model, side):
    for channels, n_classes in [(1, 2), (3, 100), (8, 10)]:
        module = construct_shapes(network_of(model, channels, side, None, n_classes))
        logits = module(torch.empty(2, channels, side, side, device="meta"))
        assert logits.shape == (2, n_classes)
        logits.sum().backward()
        module.eval()(torch.empty(1, channels, side, side, device="meta"))


@pytest.mark.parametrize("model", CLASSICS)
def test_every_parameter_gets_a_gradient(model):
    torch.manual_seed(0)
    module = module_of(model).build(3, 28, 28, 3)
    labels = torch.tensor([0, 1, 2, 0])
    functional.cross_entropy(module(torch.randn(4, 3, 28, 28)), labels).backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize(("model", "smallest"), SMALLEST.items())
def test_images_under_the_smallest_are_refused(network_of, model, smallest):
    less = smallest - 1
    for height, width in [(less, less), (32, less)]:
        with pytest.raises(InputError, match=f"{model} needs at least {smallest}×{smallest} px"):
            require_fit(network_of(model, 1, height, width))
    assert misfit(network_of(model, 1, smallest)) is None


def test_nin_halves_as_published_and_gives_one_map_a_class():
    module = module_of("nin").build(3, 32, 32, 10)
    assert sizes_of(module, nn.MaxPool2d, 32) == [(96, 16, 16), (192, 8, 8)]
    assert sizes_of(module, nn.Conv2d, 32)[-1] == (10, 8, 8)
    assert not any(isinstance(part, nn.Linear) for part in module.modules())


@pytest.mark.parametrize(
    ("side", "last"),
    [
        *((4, (128, 1, 1)), (8, (128, 2, 2)), (28, (128, 7, 7)), (32, (128, 8, 8))),
        *((55, (128, 13, 13)), (56, (256, 7, 7)), (64, (256, 8, 8)), (111, (256, 13, 13))),
        *((112, (256, 7, 7)), (224, (256, 14, 14))),
    ],
)
def test_narrow_vgg_has_a_block_more_where_maps_of_7_remain(side, last):
    module = module_of("narrow_vgg").build(1, side, side, 10)
    assert sizes_of(module, nn.Conv2d, side, channels=1)[-1] == last
    assert [part.in_features for part in module if isinstance(part, nn.Linear)] == [last[0]]


def test_blocks_of_narrow_vgg_follow_the_shorter_side():
    module = module_of("narrow_vgg").build(1, 224, 28, 10)
    assert sum(isinstance(part, nn.MaxPool2d) for part in module) == 2


@pytest.mark.parametrize("side", [15, 28, 32, 64, 224])
def test_small_alexnet_leaves_3_by_3_positions(side):
    module = module_of("small_alexnet").build(3, side, side, 10)
    assert sizes_of(module, nn.MaxPool2d, side)[-1] == (128, 3, 3)
    assert n_parameters(module) == PARAMETERS["small_alexnet"]


def test_small_alexnet_pools_as_the_paper_does():
    module = module_of("small_alexnet").build(3, 32, 32, 10)
    poolings = [part for part in module if isinstance(part, nn.MaxPool2d)]
    assert [(part.kernel_size, part.stride) for part in poolings] == [
        (3, 2),
        (3, 2),
        ((3, 3), (2, 2)),
    ]


def test_classics_do_without_torchvision(torch_process):
    code = "import importlib, sys\n" + "".join(
        f"importlib.import_module('foldwise.nets.zoo.{model}').build(1, 28, 28, 10)\n"
        for model in CLASSICS
    )
    code += "sys.exit('torchvision' in sys.modules)"
    torch_process.run("-c", code)
