import sys

import pytest
import torch
from torch import nn

from foldwise.nets import deferred_init
from foldwise.nets.deferred_init import build_part
from foldwise.nets.from_library import build

# Networks that differ in how they initialise their weights.
PARTS = {
    "resnet18": "layer3",
    "vgg11_bn": "features",
    "googlenet": "inception4a",
    "mobilenet_v3_small": "features",
    "mnasnet0_5": "layers",
    "densenet121": "features.denseblock1",
    "efficientnet_b0": "features",
    "regnet_x_400mf": "trunk_output",
    "swin_t": "features",
    "swin_v2_t": "features",
    "vit_b_32": "encoder",
    "maxvit_t": "stem",
}


def state_and_next(make):
    """Return the state of a module, and the random numbers that are drawn after it is made."""
    torch.manual_seed(3)
    return {**make().state_dict(), "": torch.randn(20)}


def require_equal(whole, path):
    def select(module):
        return module.get_submodule(path)

    expected = state_and_next(lambda: select(whole()))
    deferred = state_and_next(lambda: build_part(whole, select))
    assert expected.keys() == deferred.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, deferred[name]), (
            f"{name} has other random weights than in the whole network; torch draws or records "
            "them in another way than foldwise/nets/deferred_init.py"
        )


QUICK = ("resnet18", "googlenet", "mobilenet_v3_small", "mnasnet0_5", "regnet_x_400mf")


def marked(name, channels):
    slow = name not in QUICK or (channels == 3) != (name == "resnet18")
    marks = pytest.mark.slow if slow else ()
    return pytest.param(name, channels, marks=marks)


@pytest.mark.parametrize(
    ("name", "channels"), [marked(name, channels) for name in PARTS for channels in (1, 3)]
)
def test_a_part_has_the_bits_of_the_whole_network(name, channels, monkeypatch):
    monkeypatch.setattr(deferred_init, "CHUNK", 2**12)
    require_equal(lambda: build(channels, 224, 224, 10, name), PARTS[name])


class Shared(nn.Module):
    """Ties a weight, fills a view, and runs itself."""

    def __init__(self, *, orthogonal):
        super().__init__()
        self.first, self.second = nn.Linear(7, 5), nn.Linear(7, 5, bias=False)
        self.second.weight = self.first.weight
        self.late = nn.Linear(300, 700)
        nn.init.normal_(self.first.weight.data[1:3])
        self.scale = nn.Parameter(self.first(torch.ones(7)).detach())
        if orthogonal:
            nn.init.orthogonal_(self.late.weight)


@pytest.mark.parametrize("orthogonal", [False, True])
def test_views_shared_weights_and_what_cannot_be_recorded(orthogonal):
    require_equal(lambda: nn.Sequential(Shared(orthogonal=orthogonal), nn.Linear(3, 3)), "0")
    part = build_part(lambda: Shared(orthogonal=orthogonal), lambda whole: whole)
    assert part.first.weight is part.second.weight
    assert part.first.weight.requires_grad


def test_frozen_parameters_stay_frozen():
    part = build_part(lambda: nn.Linear(2, 2).requires_grad_(False), lambda whole: whole)
    assert not part.weight.requires_grad


CODE = """
import resource, torch
from torch import nn
from foldwise.nets.deferred_init import build_part
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
layers = lambda: nn.Sequential(nn.Linear(10, 10), nn.Linear(10_000, 10_000))
part = build_part(layers, lambda whole: whole[0])
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux")
def test_only_the_part_takes_memory(torch_process):
    done = torch_process.run("-c", CODE)
    assert int(done.stdout) < 50_000  # kilobytes; the second layer would take 400,000
