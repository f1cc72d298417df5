"""From network.json to a module that trains: all of build that train imports.

Architectures are imported by name when they are made, so that a change to one retrains no other,
and torchvision, which takes 1.6 s to import, is imported for its own architectures only.
"""

import importlib
from collections.abc import Sequence

from torch import Tensor, nn

from stages.contracts.network import Network

AUXILIARY_WEIGHT = 0.3  # of the loss of an auxiliary head; Szegedy et al. 2015, section 5


def construct(network: Network, weights: dict[str, Tensor]) -> nn.Module:
    """Make the network: fresh weights, then the pretrained ones, then frozen parts.

    Args:
        network: What to make.
        weights: The pretrained part, as `contracts.network.read_weights` returns it. The rest is
            drawn from torch's global generator: seed it first.

    Returns:
        The module in train mode, as `train_mode` sets it.
    """
    builder = importlib.import_module(f"stages.build.networks.{network.builder}")
    sizes = (network.channels, network.height, network.width, network.n_classes)
    module: nn.Module = builder.build(*sizes, **network.settings)
    if weights:  # MnasNet does not load an empty state
        unexpected = module.load_state_dict(weights, strict=False).unexpected_keys
        assert not unexpected, unexpected
    for name in network.frozen:
        module.get_submodule(name).requires_grad_(False)
    return train_mode(module, network.frozen)


def train_mode(module: nn.Module, frozen: Sequence[str]) -> nn.Module:
    """Put the module in train mode, but for frozen parts.

    These stay in eval mode, so that their BatchNorm statistics and dropout are fixed, too.

    Args:
        module: What `construct` returned; it is changed.
        frozen: `Network.frozen`.
    """
    module.train()
    for name in frozen:
        module.get_submodule(name).eval()
    return module


def all_logits(output: Tensor | tuple[Tensor | None, ...]) -> list[tuple[float, Tensor]]:
    """Return the logits of every head with the weight of its loss, the main one first.

    GoogLeNet and Inception have auxiliary heads, in train mode only; all others a single one.

    Args:
        output: What the module returned: (b, n_classes), or a tuple of these.
    """
    if isinstance(output, Tensor):
        return [(1.0, output)]
    main, *auxiliary = output
    assert main is not None
    return [(1.0, main), *((AUXILIARY_WEIGHT, head) for head in auxiliary if head is not None)]
