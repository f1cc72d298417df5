from collections import namedtuple
from pathlib import Path

import pytest
import torch

from foldwise.files.network import Thaw
from foldwise.nets.network import all_logits, construct, frozen_at, loss_of, train_mode

ROOT = Path(__file__).parents[2]
HEAVY = ("torchvision", "torchinfo", "torch._dynamo", "sympy")


@pytest.fixture
def frozen(network_of):
    torch.manual_seed(0)
    network = network_of("resnet18_transfer", 3, 32)
    return network, construct(network, {})


@pytest.fixture
def imports(torch_process):
    """Return a function that runs code and returns which of the heavy packages it imports."""
    tail = f"import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    return lambda code: torch_process.run("-c", f"{code}\n{tail}").stdout.split()


def test_train_starts_without_heavy_imports(imports):
    assert imports("import foldwise.nets.network") == []


def test_own_networks_of_the_default_run_do_without_torchvision(imports):
    names = ("lenet5", "slim_vgg", "vgg_resnet")
    code = "".join(
        f"import foldwise.nets.zoo.{name} as {name}; {name}.build(1, 8, 8, 10)\n" for name in names
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
        train_mode(module, network, 1)
        module(torch.randn(4, 3, 32, 32)).square().sum().backward()
        optimiser.step()
        module.eval()
    for name, tensor in module.state_dict().items():
        moved = not torch.equal(tensor, before[name])
        assert moved == (name.split(".")[0] not in network.frozen), name


def test_train_mode_leaves_frozen_parts_in_eval_mode(frozen):
    network, module = frozen
    module.eval()
    assert train_mode(module, network, 1) is module
    for name, part in module.named_modules():
        assert part.training == (name.split(".")[0] not in network.frozen), name


def test_one_head_has_the_whole_loss():
    logits = torch.zeros(2, 3)
    assert all_logits(logits) == [(1.0, logits)]


def test_main_head_comes_first_and_missing_heads_are_left_out():
    heads = namedtuple("Heads", "logits near far")("main", None, "aux")
    assert all_logits(heads) == [(1.0, "main"), (0.3, "aux")]


def test_loss_is_that_of_all_heads_weighted():
    labels = torch.tensor([0, 2])
    main, auxiliary = torch.randn(2, 3), torch.randn(2, 3).bfloat16()
    one, other = (torch.nn.functional.cross_entropy(x.float(), labels) for x in (main, auxiliary))
    torch.testing.assert_close(loss_of(main, labels), one)
    torch.testing.assert_close(loss_of((main, auxiliary), labels), one + 0.3 * other)
    assert loss_of(auxiliary, labels).dtype == torch.float32


def test_what_thaws_trains_from_its_epoch_on(network_of):
    network = network_of("resnet18", 3, 32).model_copy(
        update={
            "frozen": ["conv1", "bn1", "layer1", "layer2.0", "layer2.1"],
            "thaw": [
                Thaw(at_epoch=2, layers=["layer2"], learning_rate=None),
                Thaw(at_epoch=5, layers=["layer1", "bn1"], learning_rate=None),
            ],
        }
    )
    module = construct(network, {})
    expected = {
        1: ["conv1", "bn1", "layer1", "layer2.0", "layer2.1"],
        2: ["conv1", "bn1", "layer1"],
        4: ["conv1", "bn1", "layer1"],
        5: ["conv1"],
    }
    for epoch in (5, 1, 4, 2):
        assert frozen_at(network, epoch) == expected[epoch]
        train_mode(module, network, epoch)
        for name in ("conv1", "bn1", "layer1", "layer2.0", "layer2.1", "layer3", "fc"):
            part = module.get_submodule(name)
            is_frozen = name in expected[epoch]
            assert part.training != is_frozen
            assert all(one.requires_grad != is_frozen for one in part.parameters())


def test_a_parameter_can_be_frozen_by_its_name(network_of):
    network = network_of("resnet18", 3, 32).model_copy(update={"frozen": ["fc.bias"]})
    module = construct(network, {})
    assert not module.fc.bias.requires_grad
    assert module.fc.weight.requires_grad
    assert module.fc.training
