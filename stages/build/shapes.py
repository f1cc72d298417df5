"""Whether a network can take images of a size, found out without computing a number.

On torch's meta device tensors have shapes and no contents: a forward and a backward pass takes
a tenth of a second and no memory, so sizes can be tried.
"""

from bisect import bisect_left
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from stages.build.network import all_logits, construct
from stages.contracts.network import Network

BATCH = 2  # images; BatchNorm refuses to train on one
LARGEST = 512  # pixels; the largest size that is tried
USUAL = 224  # pixels; the side for which networks of a fixed size are made
# Raised by modules that get shapes for which they were not made.
MISFITS = (RuntimeError, ValueError, AssertionError)


class _WithoutContents(TorchFunctionMode):
    """Makes parameters and buffers on the meta device.

    `torch.device("meta")` would send every tensor there; RegNet computes its widths with some.
    """

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        named = dict(kwargs or {})
        if func in (torch.empty, torch.zeros, torch.ones):
            named["device"] = "meta"
        return func(*args, **named)


def construct_shapes(network: Network) -> nn.Module:
    """Return the network on the meta device, in train mode, its parts frozen."""
    with _WithoutContents():
        module = construct(network, {})
    return module.to("meta")


def training_loss(output: Tensor | tuple[Tensor | None, ...], labels: Tensor) -> Tensor:
    """Return the cross-entropy of all heads, weighted as in training."""
    losses = [
        weight * functional.cross_entropy(logits, labels) for weight, logits in all_logits(output)
    ]
    return torch.stack(losses).sum()


def misfit(network: Network) -> str | None:
    """Return why the network cannot take its images; None if it trains and evaluates on them."""
    size = (BATCH, network.channels, network.height, network.width)
    images = torch.empty(size, device="meta")
    labels = torch.empty(BATCH, dtype=torch.int64, device="meta")
    try:
        module = construct_shapes(network)
        training_loss(module(images), labels).backward()  # type: ignore[no-untyped-call]
        module.eval()
        module(images)
    except MISFITS as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None


def smallest_side(network: Network) -> int | None:
    """Return the side in pixels of the smallest square that fits.

    Supposes that every larger one fits, too, as with all architectures known here.

    Returns:
        None if squares of 512 pixels do not fit.
    """
    if not _takes_square(network, LARGEST):
        return None
    sides = range(1, LARGEST + 1)
    return sides[bisect_left(sides, True, key=lambda side: _takes_square(network, side))]


def takes_usual_side_only(network: Network) -> bool:
    """Return whether the network takes the usual square and neither smaller nor larger ones."""
    # Not one pixel beside: MaxViT takes 223, too, since its first convolution rounds up.
    fits = [_takes_square(network, side) for side in (USUAL - 32, USUAL, USUAL + 32)]
    return fits == [False, True, False]


def _takes_square(network: Network, side: int) -> bool:
    return misfit(network.model_copy(update={"height": side, "width": side})) is None
