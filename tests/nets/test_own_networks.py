import copy
import importlib
import itertools

import pytest
import torch
from families import mostly_slow
from torch import nn
from torch.nn import functional
from torchvision.models import resnet18, vgg16_bn

from foldwise.files.catalogue import NEED_WEIGHTS, ZOO
from foldwise.nets.network import construct
from foldwise.nets.proof import prove_trainable, require_fit
from foldwise.nets.sides import smallest_side

SMALLEST = {  # pixels
    **dict.fromkeys(("lenet5", "resnet18_transfer", "resnet20", "resnet56", "resnet110"), 1),
    **{"narrow_vgg": 4, "nin": 4, "slim_vgg": 4, "small_alexnet": 7, "vgg_resnet": 2},
}


def module_of(model):
    return importlib.import_module(f"foldwise.nets.zoo.{model}")


DEFAULT_SHAPES = ((1, 8), (4, 28))  # channels and side
SHAPES = [
    pytest.param(*shape, marks=() if shape in DEFAULT_SHAPES else pytest.mark.slow)
    for shape in itertools.product((1, 3, 4), (8, 16, 28, 32, 64))
]


# The largest trains in the slow tests only, but for the smallest images.
SMALL = mostly_slow(ZOO, {*ZOO} - {"resnet18_transfer"})


@pytest.mark.parametrize(("channels", "side"), SHAPES)
@pytest.mark.parametrize("model", SMALL)
def test_every_network_trains_on_every_shape(network_of, model, side, channels):
    network = network_of(model, channels, side)
    require_fit(network)
    prove_trainable(network, {}, seed=0)


@pytest.mark.parametrize("model", SMALL)
def test_every_network_trains_on_images_that_are_not_square(network_of, model):
    for height, width in [(9, 33), (50, 7)]:
        prove_trainable(network_of(model, 1, height, width), {}, seed=0)


@pytest.mark.parametrize("model", ZOO)
def test_smallest_images(network_of, model):
    assert smallest_side(network_of(model, 1, 28)) == SMALLEST[model]
    prove_trainable(network_of(model, 1, SMALLEST[model]), {}, seed=0)


@pytest.mark.parametrize("model", ZOO)
def test_every_network_names_its_source_on_one_line(model):
    module = module_of(model)
    assert 10 < len(module.TITLE) < 80
    assert "\n" not in module.TITLE
    assert "Deviations" in module.__doc__


@pytest.mark.parametrize("model", ZOO)
def test_networks_that_take_weights_are_those_with_frozen_parts(model):
    assert bool(getattr(module_of(model), "FROZEN", ())) == (model in NEED_WEIGHTS)


@pytest.mark.parametrize("model", SMALL)
def test_same_seed_same_weights(network_of, model):
    network, states = network_of(model, 1, 8), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        states.append(construct(network, {}).state_dict())
    same = [torch.equal(states[0][name], states[1][name]) for name in states[0]]
    assert all(same)
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


@pytest.mark.parametrize("model", SMALL)
def test_every_network_learns_a_batch_by_heart(network_of, model):
    torch.manual_seed(0)
    module = construct(network_of(model, 1, 8), {})
    images, labels = torch.randn(8, 1, 8, 8), torch.arange(8)
    optimiser = torch.optim.AdamW(module.parameters(), lr=5e-3)
    losses = []
    for _ in range(12):
        loss = functional.cross_entropy(module(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_lenet5_sets_small_images_in_the_middle_of_a_field():
    images = torch.randn(2, 1, 28, 24)
    field = module_of("lenet5").build(1, 28, 24, 10)[0](images)
    assert torch.equal(field, functional.pad(images, (4, 4, 2, 2)))
    assert torch.equal(field[:, :, 2:30, 4:28], images)


def test_lenet5_takes_larger_images_as_they_are():
    module = module_of("lenet5").build(1, 48, 40, 10)
    assert module[0](torch.empty(1, 1, 48, 40)).shape == (1, 1, 48, 40)
    assert module[8].in_features == 16 * 9 * 7


@pytest.fixture(scope="module")
def blocks():
    """The parts of vgg_resnet, and torchvision's parts that they stand for."""
    torch.manual_seed(0)
    ours = module_of("vgg_resnet").build(1, 32, 32, 10)
    with torch.device("meta"):
        vgg = vgg16_bn(weights=None).features[7:14]
    theirs = nn.Sequential(*vgg).to_empty(device="cpu"), resnet18(weights=None).layer3
    return list(zip((ours[1], ours[2]), theirs, strict=True))


def test_vgg_resnet_has_the_structure_of_torchvision(blocks):
    for ours, theirs in blocks:
        shapes = [
            {name: tensor.shape for name, tensor in module.state_dict().items()}
            for module in (ours, theirs)
        ]
        assert shapes[0] == shapes[1]


@pytest.mark.parametrize("train", [True, False])
def test_vgg_resnet_computes_what_torchvision_computes(blocks, train):
    images = torch.randn(2, 64, 16, 16)
    for original, other in blocks:
        ours, theirs = copy.deepcopy(original).train(train), copy.deepcopy(other).train(train)
        theirs.load_state_dict(ours.state_dict())
        outputs = ours(images), theirs(images)
        assert torch.equal(*outputs)
        images = outputs[0]


def test_vgg_resnet_starts_as_torchvision_does(blocks):
    """Kernels are normal with He's deviation by fan out; biases are 0, norms 1 and 0."""
    for ours, _ in blocks:
        for part in ours.modules():
            if isinstance(part, nn.BatchNorm2d):
                assert (part.weight == 1).all()
                assert (part.bias == 0).all()
            elif isinstance(part, nn.Conv2d):
                expected = (2 / (part.out_channels * part.kernel_size[0] ** 2)) ** 0.5
                assert part.weight.std().item() == pytest.approx(expected, rel=0.03)
                assert abs(part.weight.mean().item()) < expected / 30
                assert part.bias is None or (part.bias == 0).all()


def test_resnet18_transfer_is_resnet18_but_for_what_is_frozen():
    names = [f"{kind}{stage}" for kind, stage in itertools.product(("layer",), range(1, 5))]
    module = module_of("resnet18_transfer").build(3, 32, 32, 10)
    assert module.state_dict().keys() == resnet18(num_classes=10).state_dict().keys()
    assert {name for name, _ in module.named_children()} >= {*names, "conv1", "bn1", "fc"}
    assert module_of("resnet18_transfer").FROZEN == ("conv1", "bn1", "layer1", "layer2")
