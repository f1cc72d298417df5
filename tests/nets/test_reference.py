import pytest
import torch
from torch import nn
from torchvision.models import resnet18, vgg16_bn

from foldwise.nets.reference import UnknownModuleError, look_up, parse, select


@pytest.fixture(scope="module")
def networks():
    with torch.device("meta"):
        return {"resnet18": resnet18(), "vgg16_bn": vgg16_bn(), "plain": nn.Sequential(nn.ReLU())}


def taken(networks, text):
    reference = parse(text)
    return look_up(networks[reference.network], reference)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("resnet18.layer3", "layer3."),
        ("resnet18.layer3.0.conv1", "layer3.0.conv1."),
        ("resnet18.layer3[0]", "layer3.0."),
        ("resnet18[layer3]", "layer3."),
    ],
)
def test_a_module_is_taken_as_it_is(networks, text, prefix):
    module, found = taken(networks, text)
    assert found == prefix
    assert module is networks["resnet18"].get_submodule(prefix.rstrip("."))


@pytest.mark.parametrize(
    ("text", "prefix", "names"),
    [
        ("vgg16_bn.features[7:14]", "features.", [str(number) for number in range(7, 14)]),
        ("vgg16_bn.features[:2]", "features.", ["0", "1"]),
        ("vgg16_bn.features[42:]", "features.", ["42", "43"]),
        ("resnet18[conv1:layer2]", "", ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2"]),
        ("resnet18[layer4:]", "", ["layer4", "avgpool", "fc"]),
        ("resnet18[:bn1]", "", ["conv1", "bn1"]),
        ("resnet18[0:2]", "", ["conv1", "bn1"]),
        ("resnet18[bn1:bn1]", "", ["bn1"]),
        ("resnet18.layer1[:]", "layer1.", ["0", "1"]),
    ],
)
def test_numbers_slice_as_in_python_and_names_take_both_ends(networks, text, prefix, names):
    module, found = taken(networks, text)
    assert found == prefix
    assert [name for name, _ in module.named_children()] == names
    parent = networks[parse(text).network].get_submodule(prefix.rstrip("."))
    assert all(getattr(module, name) is getattr(parent, name) for name in names)


def test_a_whole_network_is_taken_by_its_name(networks):
    assert taken(networks, "resnet18") == (networks["resnet18"], "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resnet18.layer9", "resnet18 has no module 'layer9'; there are conv1, bn1, relu, maxpool"),
        ("resnet18.layer1.2", "resnet18.layer1 has no module '2'; there are 0, 1"),
        ("resnet18.conv1.weight", "resnet18.conv1 has no module 'weight'; there are none: it is a"),
        ("resnet18[conv1:layer9]", "resnet18 has no module 'layer9'; there are conv1"),
        ("resnet18[layer2:conv1]", "in resnet18, layer2 comes after conv1"),
        ("resnet18.layer1[2]", "resnet18.layer1 has no module '2'; there are 0, 1"),
        (
            "vgg16_bn.features[40:60]",
            "vgg16_bn.features has 44 modules, so that slices lie in [0:4",
        ),
        ("vgg16_bn.features[7:7]", "begin before they end; this one is [7:7]"),
        ("vgg16_bn.features[50:]", "begin before they end; this one is [50:]"),
        ("plain[0:5]", "plain has 1 module,"),
    ],
)
def test_what_is_not_there_is_named_with_what_there_is(networks, text, message):
    with pytest.raises(UnknownModuleError) as caught:
        taken(networks, text)
    assert message in str(caught.value)


def test_every_slice_that_python_takes_is_taken():
    names = ["a", "b", "c", "d"]
    for start in range(4):
        for stop in range(start + 1, 5):
            assert select(names, str(start), str(stop), "net") == names[start:stop]
