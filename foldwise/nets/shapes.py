"""Whether a network can take images of a size, found out without computing a number.

On torch's meta device tensors have shapes and no contents: a forward and a backward pass takes
a tenth of a second and no memory, so sizes can be tried.
"""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from foldwise.core.errors import InputError
from foldwise.files.network import Network
from foldwise.nets.network import construct, loss_of

BATCH = 2  # images; BatchNorm refuses to train on one
LARGEST = 512  # pixels; the largest size that is tried
# Pixels; what data sets, and networks that take certain sizes only, are made for.
USUAL = (32, 64, 96, 128, 160, 192, 224, 240, 256, 288, 299, 320, 384, 448, LARGEST)
# What makes a copy of a network whole: everything trains, whatever the original freezes.
WHOLE: dict[str, object] = {"heads": [], "frozen": [], "thaw": [], "cut": None}
# Its networks need not be made anew for each size that is tried.
_SAME_FOR_ALL_SIZES = ("from_torchvision",)
# Raised by modules that get shapes for which they were not made.
MISFITS = (RuntimeError, ValueError, AssertionError, IndexError, ZeroDivisionError)


# Methods that give a tensor contents: without any, a third to most of the time of making it.
_FILLING = ("normal_", "uniform_", "erfinv_", "clamp_", "mul_", "add_", "fill_", "zero_")


class _WithoutContents(TorchFunctionMode):
    """Makes parameters and buffers on the meta device, and fills none there.

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
        if args and getattr(func, "__name__", "") in _FILLING:
            tensor = args[0]
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **named)


def construct_shapes(network: Network) -> nn.Module:
    """Return the network on the meta device, in train mode, its parts frozen."""
    with _WithoutContents():
        module = construct(network, {})
    return module.to("meta")


def misfit(network: Network) -> str | None:
    """Return why the network cannot take its images; None if it trains and evaluates on them.

    Raises:
        InputError: If what it returns are no logits, or what is wrong has nothing to do with size.
    """
    labels = torch.empty(BATCH, dtype=torch.int64, device="meta")
    try:
        module = construct_shapes(network)
        output = module(_images(network))
        require_logits(network, output, "train")
        loss_of(output, labels).backward()  # type: ignore[no-untyped-call]
        require_logits(network, module.eval()(_images(network)), "eval")
    except InputError:
        raise  # it says what is wrong with the network, whatever the size
    except MISFITS as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None


def require_logits(network: Network, output: object, mode: str) -> list[Tensor]:
    """Return the logits of all heads, the main one first.

    Args:
        network: What ran.
        output: What it returned for a batch of 2.
        mode: "train", where auxiliary heads may follow the main one, or "eval".

    Raises:
        InputError: If it returned something else.
    """
    returned: list[object] = [output]
    if isinstance(output, tuple | list) and output and mode == "train":
        returned = [output[0], *(one for one in output[1:] if one is not None)]
    expected = (BATCH, network.n_classes)
    heads: list[Tensor] = []
    for one in returned:
        if not isinstance(one, Tensor) or one.shape != expected:
            raise InputError(
                f"{network.name} returns {_kind(one)} in {mode} mode; expected logits of shape "
                f"{expected}, in train mode also a tuple of them; {remedy_of(network)}"
            )
        heads.append(one)
    return heads


def _kind(output: object) -> str:
    if isinstance(output, Tensor):
        return f"a tensor of shape {tuple(output.shape)}"
    return "an empty tuple" if output == () else f"a {type(output).__name__}"


def remedy_of(network: Network) -> str:
    """Return what to do where a network does not work, whatever the size of the images."""
    if "file" in network.settings:
        return f"mend {network.settings['file']}"
    if "layers" in network.settings:
        return f"mend build.architectures.{network.name}.layers"
    if network.builder.startswith("zoo."):
        return f"mend foldwise/nets/{network.builder.replace('.', '/')}.py"
    return "choose another architecture"


def smallest_side(network: Network) -> int | None:
    """Return the side in pixels of the smallest square that fits, as every larger one does.

    Returns:
        None if there is no such side: the network takes certain sizes only, or none of up to 512.
    """
    fits = _trial(network)
    largest = LARGEST
    if network.height == network.width and fits(network.height):
        largest = network.height  # it fits itself, as it does where a card is written
    elif not fits(largest):
        return None
    # Half of the architectures take one pixel: tried first, it spares them the search.
    side = 1 if fits(1) else 2 + bisect_left(range(2, largest), True, key=fits)
    larger = (side + 1, LARGEST)  # one that divides by no patch, and one far away
    return side if all(map(fits, larger)) else None


def usual_sides(network: Network) -> list[int]:
    """Return those of the usual sides in pixels that fit, ascending."""
    return list(filter(_trial(network), USUAL))


def square(network: Network, side: int) -> Network:
    """Return the network for square images of another side in pixels."""
    return network.model_copy(update={"height": side, "width": side})


def _trial(network: Network) -> Callable[[int], bool]:
    """Return whether the network takes a square in train mode, the harder one, by its side."""
    module = _for_trial(network) if network.builder in _SAME_FOR_ALL_SIZES else None

    @cache
    @torch.no_grad()
    def fits(side: int) -> bool:
        sized = square(network, side)
        try:
            (module or _for_trial(sized))(_images(sized))
        except MISFITS:
            return False
        return True

    return fits


def _for_trial(network: Network) -> nn.Module:
    """Return the network in train mode but for BatchNorm.

    That takes two images of any size in both modes, and without statistics in half the time.
    """
    module = construct_shapes(network)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.eval()
    return module


def _images(network: Network) -> Tensor:
    size = (BATCH, network.channels, network.height, network.width)
    return torch.empty(size, device="meta")
