"""A network as a torch module: construct it, freeze and thaw parts, compute its loss, cut it."""

import importlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from foldwise.files.network import Cut, Network
from foldwise.nets.start import raise_bn_momentum, restart

# Raised by modules that get tensors of a shape for which they were not made.
MISFITS = (RuntimeError, ValueError, AssertionError, IndexError, ZeroDivisionError)
AUXILIARY_WEIGHT = 0.3  # of the loss of an auxiliary head; Szegedy et al. 2015, section 5
FIRST = 1  # epoch
LAST = 10**9  # epoch; what is frozen then is frozen in all epochs


def construct(network: Network, weights: dict[str, Tensor]) -> nn.Module:
    """Return the module: randomly initialised, then pretrained weights loaded, then parts frozen.

    Args:
        network: The description from network.json.
        weights: Pretrained tensors by name. All others are drawn from torch's global generator:
            seed it first.

    Returns:
        The module as `train_mode` sets it for the first epoch.
    """
    module = build(network)
    raise_bn_momentum(module)
    for name in network.restarted:
        restart(module.get_submodule(name))
    if weights:
        state = module.state_dict()  # with its metadata, without which MnasNet loads nothing
        assert weights.keys() <= state.keys(), weights.keys() - state.keys()
        state.update(weights)
        module.load_state_dict(state)
    if network.contiguous:
        module.register_forward_pre_hook(_make_contiguous)
    return train_mode(module, network, FIRST)


def _make_contiguous(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    # A copy: one channel last in memory is contiguous, too, but its strides are those of the last.
    return tuple(each.clone(memory_format=torch.contiguous_format) for each in args)


def build(network: Network) -> nn.Module:
    """Return the module as its source defines it, randomly initialised."""
    builder = importlib.import_module(f"foldwise.nets.{network.builder}")
    sizes = (network.channels, network.height, network.width, network.n_classes)
    module: nn.Module = builder.build(*sizes, **network.settings)
    return module


def train_mode(module: nn.Module, network: Network, epoch: int) -> nn.Module:
    """Return the module in train mode, except for the parts that are frozen in an epoch.

    Frozen parts get no gradients. They stay in eval mode, which also fixes their BatchNorm
    statistics and their dropout. Parameters that the network's own code does not train never do.

    Args:
        module: The module that `construct` returned; it is changed in place.
        network: Its description.
        epoch: Counted from 1.
    """
    module.train()
    for name, parameter in module.named_parameters(remove_duplicate=False):
        if covers(network.frozen, name):  # it may have thawed
            parameter.requires_grad_(name not in network.fixed)
    frozen = frozen_at(network, epoch)
    for name in frozen:
        for part in named_parts(module, name):
            part.requires_grad_(False)
            if isinstance(part, nn.Module):
                part.eval()
    for name, part in module.named_modules():  # layers of which each parameter is frozen by name
        own = [f"{name}.{inner}" for inner, _ in part.named_parameters(recurse=False)]
        if own and not [*part.children()] and all(covers(frozen, inner) for inner in own):
            part.eval()
    return module


def frozen_at(network: Network, epoch: int) -> list[str]:
    """Return the modules and parameters that do not train in an epoch, counted from 1."""
    thawed = [name for thaw in network.thaw if thaw.at_epoch <= epoch for name in thaw.layers]
    return [name for name in network.frozen if not covers(thawed, name)]


def covers(modules: Iterable[str], name: str) -> bool:
    """Return whether a dotted name is among the modules or lies inside one of them."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def named_parts(module: nn.Module, name: str) -> Iterator[nn.Module | nn.Parameter]:
    """Yield the module or parameter with a dotted name; nothing if training replaced it."""
    parent, _, last = name.rpartition(".")
    try:
        part = getattr(module.get_submodule(parent), last)
    except AttributeError:
        return
    yield part


def all_logits(output: Tensor | tuple[Tensor | None, ...]) -> list[tuple[float, Tensor]]:
    """Return the logits of every head with the weight of its loss, the main head first.

    GoogLeNet and Inception have auxiliary heads in train mode. All others have one head.

    Args:
        output: The module's output: (b, n_classes), or a tuple of such tensors.
    """
    if isinstance(output, Tensor):
        return [(1.0, output)]
    main, *auxiliary = output
    assert main is not None
    return [(1.0, main), *((AUXILIARY_WEIGHT, head) for head in auxiliary if head is not None)]


def loss_of(output: Tensor | tuple[Tensor | None, ...], labels: Tensor) -> Tensor:
    """Return the weighted sum of the cross-entropy of all heads, in float32.

    Args:
        output: The module's output: (b, n_classes), or a tuple of such tensors.
        labels: (b,) true classes; or (b, n_classes) weights of the classes, whose sum is the
            weight of the image.
    """
    losses = [
        weight * functional.cross_entropy(logits.float(), labels)
        for weight, logits in all_logits(output)
    ]
    return torch.stack(losses).sum()


@torch.no_grad()
def extract_features(module: nn.Module, cut: Cut, images: Tensor) -> Tensor:
    """Return the output of the part before the cut.

    Args:
        module: The whole network, in eval mode.
        cut: Where to cut it.
        images: (b, c, h, w), normalised.

    Returns:
        (b, *feature shape).
    """
    if cut.tail:
        return _input_of(module.get_submodule(cut.tail[0]), module, images)
    for name in cut.prefix:
        images = module.get_submodule(name)(images)
    return images


def tail_module(module: nn.Module, cut: Cut) -> nn.Module:
    """Return the part after the cut, which takes features instead of images.

    It shares its parameters with `module`, which is changed in place.

    Args:
        module: The whole network.
        cut: Where to cut it.
    """
    if cut.tail:
        return nn.Sequential(OrderedDict(head=module.get_submodule(cut.tail[0])))
    for name in cut.prefix:
        module.set_submodule(name, nn.Identity())
    return module


def _input_of(part: nn.Module, module: nn.Module, images: Tensor) -> Tensor:
    """Run the whole network and return the input of one of its modules."""
    inputs: list[Tensor] = []
    handle = part.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    try:
        module(images)
    finally:
        handle.remove()
    return inputs[0]
