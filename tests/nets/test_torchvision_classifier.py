import pytest
import torch
import torchvision
from families import FAMILIES, mostly_slow
from torch.nn import functional
from torchvision.models import get_model_builder, list_models

from foldwise.core.errors import InputError
from foldwise.files.catalogue import AUXILIARY_SIDES, TORCHVISION_MODELS
from foldwise.nets.adapt import first_convolution
from foldwise.nets.freezing import find_heads
from foldwise.nets.network import all_logits, construct
from foldwise.nets.proof import prove_trainable, require_fit
from foldwise.nets.shapes import changes_of, construct_shapes, misfit
from foldwise.nets.sides import USUAL, smallest_side, square, usual_sides

PARAMETERS = {  # 1 channel, 10 classes
    "resnet18": 11_175_370,
    "resnet34": 21_283_530,
    "resnet50": 23_522_250,
    "alexnet": 57_029_322,
    "vgg11": 128_806_154,
    "vgg16": 134_300_362,
    "googlenet": 9_954_366,
    "inception_v3": 24_370_868,
    "squeezenet1_1": 726_474,
    "mobilenet_v2": 2_236_106,
    "mobilenet_v3_small": 1_527_818,
    "shufflenet_v2_x1_0": 1_263_422,
    "densenet121": 6_957_834,
    "efficientnet_b0": 4_019_782,
    "convnext_tiny": 27_824_746,
}
SIDES = (28, 32, 64, 224)  # pixels
# Of those that do not take 28 pixels: the smallest side, and what the refusal says of it.
AT_LEAST = {
    "alexnet": 63,
    **dict.fromkeys([name for name in TORCHVISION_MODELS if name.startswith("vgg")], 32),
    **dict.fromkeys([name for name in TORCHVISION_MODELS if name.startswith("densenet")], 29),
    **dict.fromkeys([name for name in TORCHVISION_MODELS if name.startswith("convnext")], 32),
    "inception_v3": 75,  # without its auxiliary head, which needs 299
}
VITS = {"vit_b_16": 16, "vit_b_32": 32, "vit_l_16": 16, "vit_l_32": 32, "vit_h_14": 14}  # patches
FIXED = (*VITS, "maxvit_t")  # that do not take every size above a smallest one
SMALLEST = {"alexnet": 63, "vgg11_bn": 32, "squeezenet1_1": 17, "resnet18": 1}
SLOWLY = {"googlenet": 15, "squeezenet1_0": 21, "densenet121": 29, "convnext_tiny": 32}
BIG = (  # a real pass takes a second or more, gigabytes, or both; without contents half a second
    *("resnext50_32x4d", "efficientnet_v2_s", "convnext_tiny", "swin_v2_t", "swin_v2_b"),
    *("alexnet", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19"),
    *("vgg19_bn", "inception_v3", "resnet152", "wide_resnet50_2", "wide_resnet101_2"),
    *("resnext101_32x8d", "resnext101_64x4d", "efficientnet_v2_l", "regnet_x_32gf"),
    *("regnet_y_16gf", "regnet_y_32gf", "regnet_y_128gf", "convnext_base", "convnext_large"),
    *("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14", "swin_s", "swin_b"),
    "maxvit_t",
)
QUICK = ("alexnet", "vgg11", "vgg11_bn", "googlenet", "resnet18", "squeezenet1_1")
# Heads that are linear or a convolution, alone, last in a row or several; stems of each kind.
ODD = ("alexnet", "googlenet", "inception_v3", "mobilenet_v3_small", "squeezenet1_1", "swin_t")
HEADS = {"googlenet": ["aux1.fc2", "aux2.fc2", "fc"], "inception_v3": ["fc"]}
TRAINED = (
    ("resnet18", 28),
    ("squeezenet1_1", 28),
    *(
        pytest.param(name, side, marks=pytest.mark.slow)
        for name, side in [("googlenet", 28), ("mobilenet_v3_small", 28), ("vgg11_bn", 32)]
    ),
)


def test_catalogue_is_all_that_torchvision_has():
    assert sorted(TORCHVISION_MODELS) == list_models(module=torchvision.models)
    assert len(TORCHVISION_MODELS) == 80


@pytest.mark.every_network
@pytest.mark.parametrize("name", TORCHVISION_MODELS)
def test_paper_is_the_one_that_torchvision_names(name):
    documentation = " ".join(get_model_builder(name).__doc__.split())
    assert TORCHVISION_MODELS[name] in documentation


@pytest.mark.every_network
@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters(network_of, name, parameters):
    module = construct_shapes(network_of(name, 1, AUXILIARY_SIDES.get(name, 28)))
    assert sum(one.numel() for one in module.parameters()) == parameters


def widths(module):
    return [
        getattr(part, "out_features", getattr(part, "out_channels", None))
        for part in module.modules()
    ]


@pytest.mark.parametrize("name", mostly_slow(TORCHVISION_MODELS, (*ODD, "resnet18", "vit_b_32")))
def test_first_convolution_and_every_head_are_those_of_the_data(network_of, name):
    side = smallest_of(name)
    network = network_of(name, 4, side, None, 7)
    module = construct_shapes(network)
    heads = find_heads(network, module)
    assert [widths(module.get_submodule(head)) for head in heads] == [[7]] * len(heads)
    assert heads == HEADS.get(name, heads)
    with torch.no_grad():
        logits = all_logits(module(torch.empty(2, 4, side, side, device="meta")))
    assert {tuple(values.shape) for _, values in logits} == {(2, 7)}
    assert 1000 not in widths(module)
    assert widths(module).count(7) == len(heads) == len(HEADS.get(name, ["one"]))
    convolution = first_convolution(module)
    assert (convolution.in_channels, convolution.weight.shape[1]) == (4, 4)


def smallest_of(name):
    """Return the smallest usual side of an architecture."""
    return next(side for side in SIDES if takes(name, side))


def takes(name, side):
    if name in FIXED:
        return side % VITS.get(name, 224) == 0
    return side >= AT_LEAST.get(name, 1)


def marked(pairs, slow):
    return mostly_slow(pairs, [pair for pair in pairs if not slow(*pair)])


PAIRS = [(name, side) for name in TORCHVISION_MODELS for side in SIDES]


@pytest.mark.parametrize(
    ("name", "side"),
    marked(
        PAIRS,
        lambda name, side: (
            name != "alexnet"
            and (name, side)
            not in [("resnet18", 28), ("vgg11", 28), ("vgg11", 32), ("vit_b_32", 28)]
        ),
    ),
)
def test_size_is_taken_or_not(network_of, name, side):
    assert (misfit(network_of(name, 3, side)) is None) == takes(name, side)


@pytest.mark.parametrize(
    ("name", "side"),
    marked(
        [pair for pair in PAIRS if not takes(*pair)],
        lambda name, side: name not in ("alexnet", "vgg11"),
    ),
)
def test_refusal_is_ours(network_of, name, side):
    with pytest.raises(InputError) as caught:
        require_fit(network_of(name, 3, side))
    least = AT_LEAST.get(name)
    better = next(
        larger for larger in sorted((*SIDES, 96)) if larger > side and takes(name, larger)
    )
    needs = (
        f"at least {least}×{least}" if least else f"certain sizes only, such as {better}×{better}"
    )
    other = "slim_vgg" if side >= 4 else "lenet5"
    assert str(caught.value) == (
        f"{name} {'needs' if least else 'takes'} {needs} px; the images are {side}×{side}: "
        f"set prepare.image_size to {better}, or choose {other}"
    )


@pytest.mark.parametrize(
    "name", mostly_slow(TORCHVISION_MODELS, {*TORCHVISION_MODELS} - {*BIG, *QUICK})
)
def test_smallest_usual_size_trains_with_real_numbers(network_of, name):
    network = network_of(name, 3, smallest_of(name))
    prove_trainable(network, {}, seed=0)


@pytest.mark.parametrize(
    ("name", "channels"),
    marked(
        [(name, channels) for name in FAMILIES for channels in (1, 2, 4, 5, 8)],
        lambda name, channels: channels != 4 or name not in QUICK,
    ),
)
def test_any_channels_train(network_of, name, channels):
    network = network_of(name, channels, smallest_of(name))
    if name in BIG or name not in QUICK:
        assert misfit(network) is None
    else:
        prove_trainable(network, {}, seed=0)


@pytest.mark.parametrize(("name", "side"), SMALLEST.items())
def test_smallest_images_of_torchvision(network_of, name, side):
    assert smallest_side(network_of(name, 1, 28)) == side


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), [*SLOWLY.items(), ("inception_v3", 75)])
def test_smallest_images_of_others(network_of, name, side):
    assert smallest_side(network_of(name, 1, 28)) == side


@pytest.mark.parametrize("name", mostly_slow(VITS, ["vit_b_32"]))
def test_vit_is_made_for_the_images_that_its_patches_divide(network_of, name):
    network, patch = network_of(name, 3, 28), VITS[name]
    module = construct_shapes(square(network, 2 * patch))
    assert module.encoder.pos_embedding.shape[1] == 1 + 2 * 2
    assert misfit(square(network, 2 * patch)) is None
    assert misfit(network.model_copy(update={"height": patch, "width": 2 * patch})) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", VITS)
def test_usual_sizes_of_a_vit(network_of, name):
    network = network_of(name, 3, 28)
    assert smallest_side(network) is None
    assert usual_sides(network) == [side for side in USUAL if not side % VITS[name]]


@pytest.mark.slow
def test_maxvit_takes_224_only(network_of):
    network = network_of("maxvit_t", 3, 28)
    assert smallest_side(network) is None
    assert usual_sides(network) == [224]


def loss_of(module, images):
    """Return the loss under one draw of dropout, so that steps compare."""
    torch.manual_seed(1)
    labels = torch.arange(len(images))
    return sum(
        weight * functional.cross_entropy(logits, labels)
        for weight, logits in all_logits(module(images))
    )


def step_down(module, images):
    """Step as far as would lower the loss by a hundredth if it were a plane; return the loss.

    The length of a step that is small differs by orders of magnitude between architectures.
    """
    module.zero_grad()
    loss = loss_of(module, images)
    loss.backward()
    with torch.no_grad():
        length = 0.01 * loss / sum(one.grad.square().sum() for one in module.parameters())
        for one in module.parameters():
            one -= length * one.grad
    return loss.item()


@pytest.mark.parametrize(("name", "side"), TRAINED)
def test_small_images_are_learnt(network_of, name, side):
    network = network_of(name, 1, side)
    require_fit(network)
    torch.manual_seed(0)
    module, images = construct(network, {}), torch.randn(4, 1, side, side)
    before = first_convolution(module).weight.detach().clone()
    losses = [step_down(module, images) for _ in range(2)]
    assert losses[1] < losses[0]
    assert not torch.equal(before, first_convolution(module).weight)


def test_auxiliary_heads_learn_from_small_images(network_of):
    module = construct(network_of("googlenet", 1, 28), {})
    heads = all_logits(module(torch.randn(2, 1, 28, 28)))
    assert [(weight, logits.shape) for weight, logits in heads] == [
        (1.0, (2, 10)),
        (0.3, (2, 10)),
        (0.3, (2, 10)),
    ]
    assert len(all_logits(module.eval()(torch.randn(2, 1, 28, 28)))) == 1


@pytest.mark.parametrize(("side", "heads"), [(299, ["AuxLogits.fc", "fc"]), (298, ["fc"])])
def test_inception_has_its_auxiliary_head_where_the_images_are_large_enough(
    network_of, side, heads
):
    network = network_of("inception_v3", 3, side)
    assert find_heads(network, construct_shapes(network)) == heads
    assert misfit(network) is None
    assert [change for change in changes_of(network) if "299 px" in change] == changes_of(network)
    assert len(changes_of(network)) == (side < 299)


def test_colour_network_is_torchvision_own(network_of):
    torch.manual_seed(0)
    ours = construct(network_of("resnet18", 3, 32), {})
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(weights=None, num_classes=10)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in FIXED])
def test_every_size_above_the_smallest_fits(network_of, name):
    network = network_of(name, 1, 28)
    side = smallest_side(network)
    for larger in (side, side + 1, 28, 29, 33, 49, 96, 127, 225, 299):
        assert (misfit(square(network, larger)) is None) == (larger >= side), larger


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "mnasnet0_5", "efficientnet_b5"])
def test_statistics_of_batch_norm_follow_within_a_few_steps(network_of, name):
    module = construct_shapes(network_of(name, 3, 64, 64))
    norms = [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    assert norms
    assert min(norm.momentum for norm in norms) >= 0.1
