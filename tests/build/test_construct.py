import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from stages.build.network import all_logits, construct, train_mode

ROOT = Path(__file__).parents[2]
HEAVY = ("torchvision", "torchinfo", "torch._dynamo", "sympy")


@pytest.fixture
def frozen(network_of):
    torch.manual_seed(0)
    network = network_of("resnet18_transfer", 3, 32)
    return network, construct(network, {})


def imports(code):
    """Return which of the heavy packages are imported after running code in a fresh Python."""
    tail = f"import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    command = [sys.executable, "-c", f"{code}\n{tail}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_train_starts_without_heavy_imports():
    assert imports("import stages.build.network") == []


def test_own_networks_of_the_default_run_do_without_torchvision():
    names = ("lenet5", "slim_vgg", "vgg_resnet")
    code = "".join(
        f"import stages.build.networks.{name} as {name}; {name}.build(1, 8, 8, 10)\n"
        for name in names
    )
    assert imports(code) == []


def test_network_is_in_train_mode(network_of):
    module = construct(network_of("slim_vgg", 1, 8), {})
    assert all(part.training for part in module.modules())
    assert all(one.requires_grad for one in module.parameters())


def test_pretrained_part_is_loaded_and_the_rest_fresh(network_of, trained_state):
    network = network_of("resnet18_transfer", 3, 32)
    weights = {name: one for name, one in trained_state.items() if name.startswith("layer1")}
    torch.manual_seed(0)
    fresh = construct(network, {}).state_dict()
    torch.manual_seed(0)
    module = construct(network, weights).state_dict()
    for name in fresh:
        assert torch.equal(module[name], weights.get(name, fresh[name]))


def test_frozen_parts_do_not_move_in_training(frozen):
    network, module = frozen
    before = {name: one.clone() for name, one in module.state_dict().items()}
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(2):
        train_mode(module, network.frozen)
        module(torch.randn(4, 3, 32, 32)).square().sum().backward()
        optimiser.step()
        module.eval()
    for name, tensor in module.state_dict().items():
        moved = not torch.equal(tensor, before[name])
        assert moved == (name.split(".")[0] not in network.frozen), name


def test_train_mode_leaves_frozen_parts_in_eval_mode(frozen):
    network, module = frozen
    module.eval()
    assert train_mode(module, network.frozen) is module
    for name, part in module.named_modules():
        assert part.training == (name.split(".")[0] not in network.frozen), name


def test_one_head_has_the_whole_loss():
    logits = torch.zeros(2, 3)
    assert all_logits(logits) == [(1.0, logits)]


def test_main_head_comes_first_and_missing_heads_are_left_out():
    heads = namedtuple("Heads", "logits near far")("main", None, "aux")
    assert all_logits(heads) == [(1.0, "main"), (0.3, "aux")]
