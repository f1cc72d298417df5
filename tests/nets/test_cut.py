import pytest
import torch
import yaml
from families import mostly_slow
from torch import nn

from foldwise.nets.freezing import find_cut
from foldwise.nets.network import construct, extract_features, tail_module
from foldwise.nets.proof import cut_is_exact, prove_trainable
from foldwise.nets.shapes import construct_shapes

STEM = ["conv1", "bn1", "relu", "maxpool"]
CUTS = [
    ("resnet18", {}, None),
    ("resnet18", {"policy": "frozen"}, ([], ["fc"])),
    ("resnet18", {"frozen": ["[conv1:layer2]"]}, ([*STEM, "layer1", "layer2"], [])),
    ("resnet18", {"frozen": ["conv1", "bn1", "layer1"]}, ([*STEM, "layer1"], [])),
    ("resnet18", {"frozen": ["conv1", "layer1"]}, (["conv1"], [])),
    ("resnet18", {"frozen": ["layer1"]}, None),
    ("resnet18", {"frozen": ["conv1", "bn1", "layer1.0"]}, ([*STEM, "layer1.0"], [])),
    (
        "resnet18",
        {"policy": "frozen", "thaw": [{"at_epoch": 2, "layers": ["layer3", "layer4"]}]},
        ([*STEM, "layer1", "layer2"], []),
    ),
    ("vgg11_bn", {"frozen": ["features[0:8]"]}, ([f"features.{i}" for i in range(8)], [])),
    ("vgg11_bn", {"frozen": ["features"]}, (["features", "avgpool"], [])),
    ("mobilenet_v3_small", {"policy": "frozen"}, ([], ["classifier.3"])),
    ("densenet121", {"policy": "frozen"}, ([], ["classifier"])),
    ("squeezenet1_1", {"policy": "frozen"}, (["features", "classifier.0"], [])),
    ("slim_vgg", {"frozen": ["[0:8]"]}, ([str(i) for i in range(8)], [])),
    ("slim_vgg", {"frozen": ["[0:6]"]}, ([str(i) for i in range(7)], [])),
    ("resnet20", {"frozen": ["[0:4]"]}, (["0", "1", "2", "3"], [])),
    ("resnet20", {"frozen": ["[0:4]", "4.0.conv1"]}, (["0", "1", "2", "3"], [])),
    ("resnet18", {"frozen": ["[conv1:layer1]", "layer2.0.conv1"]}, ([*STEM, "layer1"], [])),
    ("resnet18_transfer", {}, ([*STEM, "layer1", "layer2"], [])),
]


QUICK = [*CUTS[1:3], *(case for case in CUTS if case[0] in ("squeezenet1_1", "slim_vgg"))]


@pytest.mark.parametrize(("model", "section", "expected"), CUTS)
def test_the_cut_is_behind_what_never_trains(network_of, model, section, expected):
    """A dropout right behind it trains with what follows; one in between is fixed."""
    network = network_of(model, 3, 32, **section)
    found = None if network.cut is None else (network.cut.prefix, network.cut.tail)
    assert found == expected


@pytest.mark.parametrize(("model", "section", "cut"), mostly_slow([c for c in CUTS if c[2]], QUICK))
def test_the_two_parts_compute_what_the_whole_does(network_of, model, section, cut):
    network = network_of(model, 3, 32, **section)
    torch.manual_seed(0)
    module = construct(network, {}).eval()
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        whole = module(images)
        between = extract_features(module, network.cut, images)
        rest = tail_module(module, network.cut).eval()
        torch.testing.assert_close(rest(between), whole)
    assert prove_trainable(network, {}, seed=0)[0].cut == network.cut


def test_behind_the_cut_trains_what_trained_in_the_whole(network_of):
    network = network_of("resnet18", 3, 32, frozen=["[conv1:layer2]"])
    module = construct(network, {})
    trained = [one for one in module.parameters() if one.requires_grad]
    rest = tail_module(module, network.cut)
    assert all(one is other for one, other in zip(rest.parameters(), trained, strict=True))


class Detour(nn.Module):
    """Adds what went into its second layer to what came out: no chain, though it looks like one."""

    def __init__(self, n_classes):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
        self.third, self.head = nn.Conv2d(4, 4, 1), nn.Linear(4, n_classes)

    def forward(self, images):
        once = self.first(images)
        return self.head(self.third(self.second(once) + once).mean((2, 3)))


def test_a_cut_that_does_not_compute_the_same_is_dropped(network_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    source = "import torch\nfrom torch import nn\n\n\n" + __import__("inspect").getsource(Detour)
    (tmp_path / "nets" / "detour.py").write_text(source)
    network = network_of("net", 3, 8, file="nets/detour.py:Detour", frozen=["first", "second"])
    assert network.cut.prefix == ["first", "second"]
    assert not cut_is_exact(construct(network, {}).eval(), network.cut, torch.randn(2, 3, 8, 8))
    assert prove_trainable(network, {}, seed=0)[0].cut is None


def test_a_composition_is_cut_behind_what_it_took(network_of):
    layers = yaml.safe_load(
        "[{take: 'resnet18[:layer1]', frozen: true}, {take: 'vgg11_bn.features[4]', frozen: true}, "
        "{conv: 8}, global_average_pool, linear]"
    )
    network = network_of("net", 3, 32, layers=layers)
    assert find_cut(network, construct_shapes(network)).prefix == ["resnet18", "vgg11_bn_features"]


class Branches(nn.Module):
    """Two layers take the image; the first alone is frozen."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)
        self.head = nn.Linear(8, 10)

    def forward(self, images):
        return self.head((self.first(images) + self.second(images)).mean((2, 3)))


def test_there_is_no_cut_where_the_rest_takes_the_image_too(network_of, monkeypatch):
    monkeypatch.setattr("foldwise.nets.network.build", lambda _: Branches())
    network = network_of("resnet18", 3, 8).model_copy(
        update={"frozen": ["first"], "heads": ["head"]}
    )
    network = network.model_copy(update={"cut": find_cut(network, construct_shapes(network))})
    assert prove_trainable(network, {}, seed=0)[0].cut is None
