"""A network is shown to work on the data's shapes, or refused with what to do, before training."""

import torch
from torch import nn

from stages.build.network import all_logits, construct
from stages.build.shapes import (
    BATCH,
    LARGEST,
    USUAL,
    construct_shapes,
    misfit,
    smallest_side,
    takes_usual_side_only,
    training_loss,
)
from stages.contracts.command import InputError
from stages.contracts.network import Network

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


def prove(network: Network, weights: dict[str, torch.Tensor], seed: int) -> None:
    """Train one step on two random images and evaluate them.

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
    _require_logits(network, output, "train")
    training_loss(output, labels).backward()  # type: ignore[no-untyped-call]
    _require_gradients(network, module)
    module.eval()
    with torch.no_grad():
        _require_logits(network, module(images), "eval")


def _require_logits(
    network: Network, output: torch.Tensor | tuple[torch.Tensor | None, ...], mode: str
) -> None:
    expected = (BATCH, network.n_classes)
    for _, logits in all_logits(output):
        if logits.shape != expected or not logits.isfinite().all():
            raise InputError(
                f"{network.name} gives logits of shape {tuple(logits.shape)} with "
                f"{int(logits.isfinite().sum())} finite numbers in {mode} mode; "
                f"expected {expected}, all finite; mend stages/build/networks/{network.builder}.py"
                " or its weights"
            )


def _require_gradients(network: Network, module: nn.Module) -> None:
    idle = [
        name
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]
    if idle:
        raise InputError(
            f"{network.name}: {', '.join(idle)} get no gradient and would never train; "
            f"use or remove them in stages/build/networks/{network.builder}.py"
        )


def _refusal(network: Network, reason: str) -> str:
    """Return the one line that says what the network can take."""
    images, other = f"the images are {_size(network)}", _alternative(network)
    side = smallest_side(network)
    if side is not None and side > min(network.height, network.width):
        return (
            f"{network.name} needs at least {side}×{side} px; {images}: "
            f"set prepare.image_size to {side} or more, or choose {other}"
        )
    if side is None and takes_usual_side_only(network):
        return (
            f"{network.name} takes exactly {USUAL}×{USUAL} px; {images}: "
            f"set prepare.image_size to {USUAL}, or choose {other}"
        )
    return (
        f"{network.name} takes no images of this size; {images}, and squares of up to "
        f"{LARGEST} px do not help ({reason}); choose {other}"
    )


def _alternative(network: Network) -> str:
    """Return an architecture that takes images of this size."""
    fits = misfit(network.model_copy(update={"builder": "slim_vgg", "settings": {}, "frozen": []}))
    return "lenet5" if fits is not None or network.name == "slim_vgg" else "slim_vgg"


def _size(network: Network) -> str:
    return f"{network.height}×{network.width}"
