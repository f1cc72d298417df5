"""A network is shown to work on the data's shapes, or refused with what to do, before training."""

import torch
from torch import nn

from foldwise.core.errors import InputError
from foldwise.files.network import Network
from foldwise.nets.network import construct, loss_of
from foldwise.nets.shapes import (
    BATCH,
    LARGEST,
    USUAL,
    WHOLE,
    construct_shapes,
    misfit,
    remedy_of,
    require_logits,
    smallest_side,
    square,
    usual_sides,
)
from foldwise.nets.trace import cut_is_exact

MOST_PARAMETERS = 2**30  # 4 GiB, and 12 more in training; torchvision's largest has 645 million


def require_fit(network: Network) -> None:
    """Refuse a network that cannot take the images, before memory is spent on it.

    Raises:
        InputError: If it cannot, with the smallest size that it can take; or if it would be huge.
    """
    reason = misfit(network)
    if reason is not None:
        raise InputError(_refusal(network, reason))
    n = sum(parameter.numel() for parameter in construct_shapes(network).parameters())
    if n > MOST_PARAMETERS:
        raise InputError(
            f"{network.name} has {n:,} parameters for images of {_size(network)} px, over "
            f"{MOST_PARAMETERS:,}; set prepare.image_size to less, or choose resnet18"
        )


def prove_trainable(network: Network, weights: dict[str, torch.Tensor], seed: int) -> Network:
    """Train one step on two random images and evaluate them.

    Returns:
        The network; without its cut, if the two parts do not compute what the whole does.

    Args:
        network: What to prove.
        weights: The pretrained part; empty if there is none.
        seed: Of the fresh weights and of the images.

    Raises:
        InputError: If logits are not (2, n_classes) finite numbers in both modes, or a parameter
            that should train gets no gradient.
    """
    torch.manual_seed(seed)
    module = construct(network, weights)
    images = torch.randn(BATCH, network.channels, network.height, network.width)
    labels = torch.arange(BATCH) % network.n_classes
    output = module(images)
    _require_finite(network, output, "train")
    loss_of(output, labels).backward()  # type: ignore[no-untyped-call]
    _require_gradients(network, module)
    module.eval()
    with torch.no_grad():
        _require_finite(network, module(images), "eval")
    if network.cut is not None and not cut_is_exact(network, network.cut, weights, seed):
        return network.model_copy(update={"cut": None})
    return network


def _require_finite(network: Network, output: object, mode: str) -> None:
    for logits in require_logits(network, output, mode):
        if not logits.isfinite().all():
            raise InputError(
                f"{network.name} gives {int(logits.isfinite().sum())} finite logits of "
                f"{logits.numel()} in {mode} mode; {remedy_of(network)}, or other weights"
            )


def _require_gradients(network: Network, module: nn.Module) -> None:
    idle = [
        name
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]
    if idle:
        raise InputError(
            f"{network.name}: {', '.join(idle)} get no gradient and would never train; use or "
            f"remove them: {remedy_of(network)}"
        )


def _refusal(network: Network, reason: str) -> str:
    """Return the one line that says what the network can take."""
    images, other = f"the images are {_size(network)}", _alternative(network)
    side = smallest_side(network)
    sides = usual_sides(network) if side is None else [one for one in USUAL if one >= side]
    better = _nearest(sides, max(network.height, network.width))
    if better is None or misfit(square(network, better)) is not None:
        return (
            f"{network.name} takes no images of this size; {images}, and squares of up to "
            f"{LARGEST} px do not help ({reason}); choose {other}"
        )
    if side is not None and side > min(network.height, network.width):
        needs = f"needs at least {side}×{side} px"
    elif len(sides) == 1:
        needs = f"takes exactly {better}×{better} px"
    else:
        needs = f"takes certain sizes only, such as {better}×{better} px"
    remedy = f"set prepare.image_size to {better}, or choose {other}"
    return f"{network.name} {needs}; {images}: {remedy}"


def _nearest(sides: list[int], side: int) -> int | None:
    """Return the smallest side of at least this one, or else the largest; None of none."""
    return next((one for one in sides if one >= side), sides[-1] if sides else None)


def _alternative(network: Network) -> str:
    """Return an architecture that takes images of this size."""
    plain = {"builder": "zoo.slim_vgg", "settings": {}, **WHOLE}
    fits = misfit(network.model_copy(update=plain)) is None
    return "slim_vgg" if fits and network.name != "slim_vgg" else "lenet5"


def _size(network: Network) -> str:
    return f"{network.height}×{network.width}"
