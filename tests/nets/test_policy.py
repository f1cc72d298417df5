import pytest
import torch
import yaml

from foldwise.core.errors import InputError
from foldwise.nets.freezing import find_heads, modules_outside
from foldwise.nets.network import construct, train_mode
from foldwise.nets.shapes import construct_shapes

BODY = ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool"]
HEADS = {
    "lenet5": ["12"],
    "slim_vgg": ["23"],
    "vgg_resnet": ["5"],
    "resnet18": ["fc"],
    "googlenet": ["aux1.fc2", "aux2.fc2", "fc"],
    "squeezenet1_1": ["classifier.1"],
    "vgg11_bn": ["classifier.6"],
    "densenet121": ["classifier"],
    "mobilenet_v3_small": ["classifier.3"],
    "vit_b_16": ["heads.head"],
    "swin_t": ["head"],
}


@pytest.mark.parametrize(("model", "heads"), HEADS.items())
def test_heads_are_what_the_number_of_classes_changes(network_of, model, heads):
    network = network_of(model, 3, 224)
    assert find_heads(network, construct_shapes(network)) == heads


def test_heads_of_a_composition(network_of):
    layers = yaml.safe_load("[{conv: 8}, global_average_pool, {linear: 10}, relu, linear]")
    network = network_of("net", 1, 28, layers=layers)
    assert find_heads(network, construct_shapes(network)) == ["linear_2"]


@pytest.mark.parametrize("model", HEADS)
def test_what_is_outside_of_the_heads_and_the_heads_are_the_whole(network_of, model):
    network = network_of(model, 3, 224)
    module = construct_shapes(network)
    heads = find_heads(network, module)
    body = list(modules_outside(module, heads))
    names = [*body, *heads]
    for name, _ in module.named_parameters():
        assert sum(name == one or name.startswith(f"{one}.") for one in names) == 1, name


@pytest.mark.parametrize(
    ("section", "frozen"),
    [
        ({}, []),
        ({"policy": "finetune"}, []),
        ({"policy": "frozen"}, BODY),
        ({"thaw": [{"at_epoch": 2, "layers": "layer4"}]}, BODY),
        ({"frozen": ["conv1", "layer1.0"]}, ["conv1", "layer1.0"]),
        ({"frozen": ["[conv1:layer1]"]}, ["conv1", "bn1", "relu", "maxpool", "layer1"]),
        ({"frozen": ["layer2[0]", "layer3[0:2]"]}, ["layer2.0", "layer3.0", "layer3.1"]),
        ({"frozen": ["fc.bias"]}, ["fc.bias"]),
        ({"frozen": ["conv1", "bn1", "[layer1:layer4]"]}, BODY),
    ],
)
def test_what_does_not_train(network_of, section, frozen):
    assert network_of("resnet18", 3, 32, **section).frozen == frozen


def test_policy_can_undo_what_a_network_s_file_freezes(network_of):
    assert network_of("resnet18_transfer", 3, 32).frozen == ["conv1", "bn1", "layer1", "layer2"]
    assert network_of("resnet18_transfer", 3, 32, policy="finetune").frozen == []
    own = network_of("resnet18_transfer", 3, 32, frozen=["conv1"])
    assert own.frozen == ["conv1"]


def test_layers_of_a_composition_that_are_frozen(network_of):
    layers = yaml.safe_load(
        "[{take: 'resnet18[:layer2]', frozen: true}, {take: resnet18.layer3}, "
        "global_average_pool, linear]"
    )
    network = network_of("net", 3, 32, layers=layers)
    assert network.frozen == ["resnet18"]
    assert network.cut.prefix == ["resnet18"]
    trained = {
        name.split(".")[0]
        for name, one in construct(network, {}).named_parameters()
        if one.requires_grad
    }
    assert trained == {"resnet18_layer3", "linear"}


def test_what_thaws_is_a_part_of_its_own(network_of):
    thaw = [{"at_epoch": 2, "layers": "layer4.1", "learning_rate": 1e-5}]
    network = network_of("resnet18", 3, 32, policy="frozen", thaw=thaw)
    assert "layer4" not in network.frozen
    assert {"layer4.0", "layer4.1"} <= set(network.frozen)
    (one,) = network.thaw
    assert (one.at_epoch, one.layers, one.learning_rate) == (2, ["layer4.1"], 1e-5)


def test_several_layers_thaw_together(network_of):
    thaw = [{"at_epoch": 3, "layers": ["[layer3:layer4]", "bn1"]}]
    network = network_of("resnet18", 3, 32, policy="frozen", thaw=thaw)
    assert network.thaw[0].layers == ["layer3", "layer4", "bn1"]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {"frozen": ["layer9"]},
            "frozen is 'layer9'; the network has no module 'layer9'; there are conv1, bn1, relu,",
        ),
        ({"frozen": ["layer1.7"]}, "the network.layer1 has no module '7'; there are 0, 1"),
        ({"frozen": ["a b"]}, "frozen is 'a b'; expected a module of the network, such as 'layer2"),
        ({"frozen": ["fc"]}, "frozen holds fc, the head, which must learn the classes; leave it o"),
        (
            {"thaw": [{"at_epoch": 2, "layers": "layr4"}]},
            "thaw.0.layers is 'layr4'; the network has no module 'layr4'",
        ),
        (
            {"thaw": [{"at_epoch": 2, "layers": "fc"}]},
            "thaw.0.layers is 'fc', which is not frozen; freeze it, or leave it out",
        ),
        (
            {"thaw": [{"at_epoch": e, "layers": n} for e, n in ((2, "layer3"), (4, "layer4"))]},
            "thaw.1.layers is 'layer4', nearer to the output than the layers that thaw before",
        ),
        (
            {"frozen": ["layer1"], "thaw": [{"at_epoch": 2, "layers": "layer2"}]},
            "thaw.0.layers is 'layer2', which is not frozen",
        ),
    ],
)
def test_layers_that_are_not_there_or_out_of_order_are_named(network_of, section, message):
    with pytest.raises(InputError) as caught:
        network_of("resnet18", 3, 32, **section)
    assert message in str(caught.value)
    assert str(caught.value).startswith("build.architectures.resnet18.")
    assert "\n" not in str(caught.value)


def test_dropout_and_statistics_of_a_fixed_body_are_off(network_of):
    network = network_of("mobilenet_v3_small", 3, 32, policy="frozen")
    module = construct(network, {})
    training = {name for name, part in module.named_modules() if part.training}
    assert training == {"", "classifier", "classifier.3"}
    before = {name: one.clone() for name, one in module.state_dict().items()}
    module(torch.randn(4, 3, 32, 32)).sum().backward()
    assert all(torch.equal(one, before[name]) for name, one in module.state_dict().items())


def test_a_layer_of_which_each_parameter_is_frozen_by_name_is_fixed(network_of):
    both, one = ["bn1.weight", "bn1.bias"], ["bn1.weight"]
    assert not construct(network_of("resnet18", 3, 32, frozen=both), {}).bn1.training
    assert construct(network_of("resnet18", 3, 32, frozen=one), {}).bn1.training
    thaw = [{"at_epoch": 2, "layers": "bn1.weight"}]
    network = network_of("resnet18", 3, 32, policy="frozen", thaw=thaw)
    module = construct(network, {})
    assert not module.bn1.training
    assert train_mode(module, network, 2).bn1.training
