"""Run a network on the meta device: whether it takes its images, what its modules pass on.

Tensors on torch's meta device have a shape and no data. A forward and a backward pass takes a
tenth of a second and no memory, so that many sizes can be tried.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from foldwise.core.errors import InputError
from foldwise.files.catalogue import AUXILIARY_SIDES
from foldwise.files.network import Network
from foldwise.nets.from_file import describe_error
from foldwise.nets.network import MISFITS, build, construct, loss_of
from foldwise.nets.start import describe_changes

OWN = ("composition", "from_file")  # builders of networks that the user has described
BATCH = 2  # images; BatchNorm does not train on a single one
# Changes to a description after which all of the network trains.
WHOLE: dict[str, Any] = {"heads": [], "frozen": [], "thaw": [], "cut": None}
_BATCH_NORM = {nn.BatchNorm1d: (2, 3), nn.BatchNorm2d: (4,)}  # dimensions that they take
# Methods that fill a tensor. Skipped, they save a third to most of the time of constructing it.
_FILLING = ("normal_", "uniform_", "erfinv_", "clamp_", "mul_", "add_", "fill_", "zero_")


class _OnMeta(TorchFunctionMode):
    """Creates parameters and buffers on the meta device and does not fill them.

    `torch.device("meta")` would move every tensor there, also those from which RegNet computes
    its widths.
    """

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        keywords = dict(kwargs or {})
        if func in (torch.empty, torch.zeros, torch.ones):
            keywords["device"] = "meta"
        if args and getattr(func, "__name__", "") in _FILLING:
            tensor = args[0]
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **keywords)


def construct_shapes(network: Network, *, computes: bool = False) -> nn.Module:
    """Return the network on the meta device, in train mode, its frozen parts frozen.

    Args:
        network: Its description.
        computes: Whether BatchNorm layers do what they do elsewhere. Otherwise, they only pass on
            their input if its shape is right: on the meta device, torch computes BatchNorm in
            Python, which takes most of the time of a pass.
    """
    with _OnMeta():
        module = construct(network, {})
    if not computes:
        _skip_batch_norm(module)
    return module.to("meta")


def _skip_batch_norm(module: nn.Module) -> None:
    for part in module.modules():
        for kind, dimensions in _BATCH_NORM.items():
            if type(part) is kind:  # one that inherits from it may do more
                vars(part)["forward"] = partial(_pass_on, dimensions, part.num_features)


def _pass_on(dimensions: Collection[int], n_features: int, tensor: Tensor) -> Tensor:
    """Return another tensor of the same shape, if a BatchNorm layer takes it."""
    if tensor.ndim not in dimensions or tensor.shape[1] != n_features:
        raise ValueError(f"BatchNorm of {n_features} channels got {tuple(tensor.shape)}")
    return tensor.clone()


def changes_of(network: Network) -> list[str]:
    """Return what `construct` changes in the network as its source defines it."""
    with _OnMeta():
        module = build(network)
    changes = describe_changes(module, network.restarted)
    if not network.settings.get("auxiliary", True):
        least = AUXILIARY_SIDES[network.settings["name"]]
        changes.append(f"no auxiliary head, which only helps to train and needs {least} px")
    return changes


def empty_images(network: Network, n: int = BATCH) -> Tensor:
    """Return n images of the network's input size on the meta device, (n, c, h, w)."""
    return torch.empty(n, network.channels, network.height, network.width, device="meta")


def misfit(network: Network) -> str | None:
    """Return why the network cannot take its images; None if it trains and evaluates on them.

    Raises:
        InputError: If its output is no logits, or another error has nothing to do with the size.
    """
    labels = torch.empty(BATCH, dtype=torch.int64, device="meta")
    try:
        module = construct_shapes(network)
        output = module(empty_images(network))
        require_logits(network, output, "train")
        loss_of(output, labels).backward()  # type: ignore[no-untyped-call]
        require_logits(network, module.eval()(empty_images(network)), "eval")
    except InputError:
        raise  # the network is wrong at any image size
    except MISFITS as error:
        return describe_error(error)
    except Exception as error:
        if network.builder in OWN:
            raise failure_of(network, error) from None
        raise
    return None


def failure_of(network: Network, error: Exception) -> InputError:
    """Return the error of the user for an error in the code of a network."""
    if isinstance(error, InputError):
        return error
    reason = f"{type(error).__name__}: {describe_error(error)}"
    return InputError(f"{network.name} cannot run: {reason}; {remedy_of(network)}")


def require_logits(network: Network, output: object, mode: str, n: int = BATCH) -> list[Tensor]:
    """Return the logits of all heads, the main head first.

    Args:
        network: The network that ran.
        output: Its output for a batch.
        mode: "train", in which auxiliary heads may follow the main one, or "eval".
        n: Images of the batch.

    Raises:
        InputError: If the output is something else.
    """
    outputs: list[object] = [output]
    if isinstance(output, tuple | list) and output and mode == "train":
        outputs = [output[0], *(head for head in output[1:] if head is not None)]
    expected = (n, network.n_classes)
    wrong = [head for head in outputs if not isinstance(head, Tensor) or head.shape != expected]
    if wrong:
        raise InputError(
            f"{network.name} returns a {_kind(wrong[0])} in {mode} mode; expected logits of shape "
            f"{expected}, in train mode also a tuple of them; {remedy_of(network)}"
        )
    return [head for head in outputs if isinstance(head, Tensor)]


def _kind(output: object) -> str:
    if isinstance(output, Tensor):
        return f"tensor of shape {tuple(output.shape)}"
    return type(output).__name__


def remedy_of(network: Network) -> str:
    """Return what the user can do if a network does not work at any image size."""
    if "file" in network.settings:
        return f"mend {network.settings['file']}"
    if "layers" in network.settings:
        return f"mend build.architectures.{network.name}.layers"
    if network.builder.startswith("zoo."):
        return f"mend foldwise/nets/{network.builder.replace('.', '/')}.py"
    return "choose another architecture"


@dataclass
class ModuleTrace:
    """Inputs and outputs of each module in one forward pass, by module name.

    Attributes:
        order: Names of the modules in the order in which their calls ended.
        inputs: One entry per call; None if the input was not a single tensor.
        outputs: One entry per call; None if the output was not a single tensor.
    """

    order: list[str] = field(default_factory=list)
    inputs: dict[str, list[Tensor | None]] = field(default_factory=dict)
    outputs: dict[str, list[Tensor | None]] = field(default_factory=dict)

    def children(self, parent: str) -> list[str]:
        """Return the children of a module in the order of their first calls."""
        names = (name for name in self.order if name and name.rpartition(".")[0] == parent)
        return list(dict.fromkeys(names))

    def follows(self, name: str, tensor: Tensor | None, later: Iterable[str] = ()) -> bool:
        """Return whether a module ran once, on this very tensor, and returned a tensor.

        And whether none of the later modules takes the tensor, too, as on the two ways of a
        residual block. What a module changed in place is not this tensor any more.
        """
        inputs, outputs = self.inputs[name], self.outputs[name]
        if len(inputs) != 1 or inputs[0] is not tensor or tensor is None or outputs[0] is None:
            return False
        others = chain.from_iterable(self.inputs[each] for each in later)
        return outputs[0] is tensor or all(other is not tensor for other in others)


@torch.no_grad()
def trace_modules(module: nn.Module, images: Tensor) -> ModuleTrace:
    """Run a network on the meta device and return the inputs and outputs of its modules.

    `print(module)` shows the children of a module and not what happens between them. The trace
    does: two children are a chain only if the second gets the tensor that the first returned.
    """
    trace, handles = ModuleTrace(), []
    for name, part in module.named_modules():
        trace.inputs[name], trace.outputs[name] = [], []
        handles.append(part.register_forward_hook(partial(_record, trace, name)))
    try:
        module(images)
    finally:
        for handle in handles:
            handle.remove()
    return trace


def _record(
    trace: ModuleTrace, name: str, _: nn.Module, args: tuple[object, ...], output: object
) -> None:
    trace.order.append(name)
    trace.inputs[name].append(_single_tensor(args))
    trace.outputs[name].append(_single_tensor((output,)))


def _single_tensor(values: tuple[object, ...]) -> Tensor | None:
    return values[0] if len(values) == 1 and isinstance(values[0], Tensor) else None
