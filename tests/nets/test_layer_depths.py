from torch import nn


def depths_of(network_of, model, side=32):
    return network_of(model, 3, side, layer_decay=0.5).depths


def test_depths_grow_from_the_output_to_the_input(network_of):
    found = depths_of(network_of, "resnet18")
    for layer, depth in (("layer4.1", 1), ("layer4.0", 2), ("layer1.0", 8), ("conv1", 9)):
        inner = {value for name, value in found.items() if name.startswith(f"{layer}.")}
        assert inner == {depth}, layer
    assert found["bn1.weight"] == found["conv1.weight"]
    assert not any(name.startswith("fc.") for name in found)


def test_without_layer_decay_there_are_no_depths(network_of):
    assert network_of("resnet18", 3, 32, learning_rate=0.1).depths == {}
    assert network_of("resnet18", 3, 32, layer_decay=1.0).depths == {}


class HeadFirst(nn.Module):
    """Its head is the first of its modules, and the last that runs."""

    def __init__(self, n_classes):
        super().__init__()
        self.head = nn.Linear(4, n_classes)
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Conv2d(4, 4, 3)

    def forward(self, images):
        return self.head(self.second(self.first(images)).mean((2, 3)))


def test_layers_count_in_the_order_in_which_they_run(network_of, monkeypatch):
    built = {"foldwise.nets.network.build", "foldwise.nets.shapes.build"}
    for name in built:
        monkeypatch.setattr(name, lambda network: HeadFirst(network.n_classes))
    assert depths_of(network_of, "lenet5") == {
        "second.weight": 1,
        "second.bias": 1,
        "first.0.weight": 2,
        "first.0.bias": 2,
        "first.1.weight": 2,
        "first.1.bias": 2,
    }


def test_a_part_that_is_most_of_the_network_is_a_group_of_layers(network_of):
    found = depths_of(network_of, "vit_b_32")
    blocks = {name.split(".")[2]: depth for name, depth in found.items() if "encoder_layer" in name}
    assert blocks == {f"encoder_layer_{index}": 12 - index for index in range(12)}
    assert found["conv_proj.weight"] > blocks["encoder_layer_0"]


def test_auxiliary_heads_are_at_the_output(network_of):
    found = depths_of(network_of, "googlenet")
    heads = {"aux1.fc2.weight", "aux2.fc2.weight", "fc.weight"}
    assert not heads & found.keys()
