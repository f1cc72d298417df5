import pytest
import torch
import torchvision
from torch.nn import functional
from torchvision.models import get_model_builder, list_models

from stages.build.catalogue import TORCHVISION
from stages.build.channels import first_convolution
from stages.build.network import all_logits, construct
from stages.build.proof import prove, require_fit
from stages.build.shapes import construct_shapes, misfit, smallest_side, takes_usual_side_only

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
SMALLEST = {  # pixels
    "alexnet": 63,
    "vgg11_bn": 32,
    "googlenet": 15,
    "squeezenet1_1": 17,
    "resnet18": 1,
}
SMALLEST_SLOWLY = {"squeezenet1_0": 21, "densenet121": 29, "convnext_tiny": 32, "inception_v3": 299}
FIXED = ("vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32", "maxvit_t")
TRAINED = (
    ("resnet18", 28),
    ("googlenet", 28),
    ("squeezenet1_1", 28),
    ("mobilenet_v3_small", 28),
    ("vgg11_bn", 32),
)


def test_catalogue_is_all_that_torchvision_has():
    assert sorted(TORCHVISION) == list_models(module=torchvision.models)
    assert len(TORCHVISION) == 80


@pytest.mark.parametrize("name", TORCHVISION)
def test_paper_is_the_one_that_torchvision_names(name):
    documentation = " ".join(get_model_builder(name).__doc__.split())
    assert TORCHVISION[name] in documentation


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters(network_of, name, parameters):
    module = construct_shapes(network_of(name, 1, 28))
    assert sum(one.numel() for one in module.parameters()) == parameters


@pytest.mark.parametrize("name", TORCHVISION)
def test_first_convolution_and_every_head_are_those_of_the_data(network_of, name):
    module = construct_shapes(network_of(name, 4, 28, None, 7))
    widths = [
        getattr(part, "out_features", getattr(part, "out_channels", None))
        for part in module.modules()
    ]
    assert 1000 not in widths
    assert widths.count(7) == {"googlenet": 3, "inception_v3": 2}.get(name, 1)
    _, convolution = first_convolution(module)
    assert (convolution.in_channels, convolution.weight.shape[1]) == (4, 4)


@pytest.mark.parametrize(("name", "side"), SMALLEST.items())
def test_smallest_images_of_torchvision(network_of, name, side):
    assert smallest_side(network_of(name, 1, 28)) == side


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), SMALLEST_SLOWLY.items())
def test_smallest_images_of_others(network_of, name, side):
    assert smallest_side(network_of(name, 1, 28)) == side


@pytest.mark.parametrize("name", FIXED)
def test_transformers_of_a_fixed_size_take_224_only(network_of, name):
    network = network_of(name, 3, 28)
    assert smallest_side(network) is None
    assert takes_usual_side_only(network)


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
    before = first_convolution(module)[1].weight.detach().clone()
    losses = [step_down(module, images) for _ in range(2)]
    assert losses[1] < losses[0]
    assert not torch.equal(before, first_convolution(module)[1].weight)


def test_auxiliary_heads_learn_from_small_images(network_of):
    module = construct(network_of("googlenet", 1, 28), {})
    heads = all_logits(module(torch.randn(2, 1, 28, 28)))
    assert [(weight, logits.shape) for weight, logits in heads] == [
        (1.0, (2, 10)),
        (0.3, (2, 10)),
        (0.3, (2, 10)),
    ]
    assert len(all_logits(module.eval()(torch.randn(2, 1, 28, 28)))) == 1


def test_colour_network_is_torchvision_own(network_of):
    torch.manual_seed(0)
    ours = construct(network_of("resnet18", 3, 32), {})
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(weights=None, num_classes=10)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION)
def test_every_size_above_the_smallest_fits(network_of, name):
    network = network_of(name, 1, 28)
    side = smallest_side(network)
    if side is None:
        assert name in FIXED
        return
    for larger in (side, side + 1, 28, 29, 32, 33, 49, 64, 96, 127, 224, 225, 299):
        resized = network.model_copy(update={"height": larger, "width": larger})
        assert (misfit(resized) is None) == (larger >= side), larger


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TORCHVISION if name not in FIXED])
def test_every_architecture_works_on_real_numbers(network_of, name):
    side = 299 if name == "inception_v3" else 64
    prove(network_of(name, 1, side), {}, seed=0)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "mnasnet0_5", "efficientnet_b5"])
def test_statistics_of_batch_norm_follow_within_a_few_steps(network_of, name):
    module = construct_shapes(network_of(name, 3, 64, 64))
    norms = [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    assert norms
    assert min(norm.momentum for norm in norms) >= 0.1
