"""In which order a network runs its modules, found out by watching it run.

What a module prints of itself says which children it has, not what happens between them. Here
a chain is one only if each child gets the very tensor that the one before gave.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.files.network import Cut, Network
from foldwise.nets.network import construct, covers, extract_features, frozen_at, tail_module
from foldwise.nets.reference import Reference, parse, take
from foldwise.nets.shapes import BATCH, WHOLE, construct_shapes

LAST = 10**9  # epoch; whatever is frozen then never trains
COLOURS = 3  # channels of the images on which networks are watched from which something is taken
SIDE = 224  # pixels of these images
_WATCHED = {**WHOLE, "channels": COLOURS, "height": SIDE, "width": SIDE}


@dataclass
class ModuleTrace:
    """What each module got and gave in one forward pass, by name, in the order of the calls.

    Attributes:
        order: Names of the modules, as they began.
        given: What went in, one entry a call; None if that was not a single tensor.
        gave: What came out, likewise.
    """

    order: list[str] = field(default_factory=list)
    given: dict[str, list[Tensor | None]] = field(default_factory=dict)
    gave: dict[str, list[Tensor | None]] = field(default_factory=dict)

    def children(self, parent: str) -> list[str]:
        """Return the children of a module in the order in which they ran first."""
        mine = [name for name in self.order if name and name.rpartition(".")[0] == parent]
        return list(dict.fromkeys(mine))

    def follows(self, name: str, given: Tensor | None) -> bool:
        """Return whether a module ran once, on this very tensor, and gave one."""
        calls = self.given[name]
        return len(calls) == 1 and calls[0] is given is not None and self.gave[name][0] is not None


def trace_modules(module: nn.Module, images: Tensor) -> ModuleTrace:
    """Run a network and return what its modules got and gave."""
    run, handles = ModuleTrace(), []
    for name, part in module.named_modules():
        run.given[name], run.gave[name] = [], []
        handles.append(part.register_forward_pre_hook(_before(run, name)))
        handles.append(part.register_forward_hook(_after(run, name)))
    try:
        module(images)
    finally:
        for handle in handles:
            handle.remove()
    return run


def _before(run: ModuleTrace, name: str) -> Callable[[nn.Module, tuple[object, ...]], None]:
    def hook(_: nn.Module, given: tuple[object, ...]) -> None:
        run.order.append(name)
        run.given[name].append(_only(given))

    return hook


def _after(run: ModuleTrace, name: str) -> Callable[[nn.Module, tuple[object, ...], object], None]:
    def hook(_: nn.Module, __: tuple[object, ...], gave: object) -> None:
        run.gave[name].append(_only((gave,)))

    return hook


def _only(values: tuple[object, ...]) -> Tensor | None:
    return values[0] if len(values) == 1 and isinstance(values[0], Tensor) else None


def find_cut(network: Network) -> Cut | None:
    """Return where the network can be cut behind what never trains; None if nowhere.

    Args:
        network: Frozen and thawed as it will be.
    """
    fixed = frozen_at(network, LAST)
    if not fixed:
        return None
    module = construct_shapes(network)
    size = (BATCH, network.channels, network.height, network.width)
    images = torch.empty(size, device="meta")
    run = trace_modules(module, images)
    tail = _tail(network, module, run, fixed)
    prefix = [] if tail else list(_prefix(module, run, fixed, images))
    return Cut(prefix=prefix, tail=tail) if prefix or tail else None


def cut_is_exact(network: Network, cut: Cut, weights: dict[str, Tensor], seed: int) -> bool:
    """Return whether the two parts compute what the whole network does.

    Args:
        network: The whole.
        cut: Where it is cut.
        weights: What starts pretrained.
        seed: Of the fresh weights and two images.
    """
    torch.manual_seed(seed)
    module = construct(network, weights).eval()
    images = torch.randn(BATCH, network.channels, network.height, network.width)
    with torch.no_grad():
        whole = module(images)
        between = extract_features(module, cut, images)
        parts = tail_module(module, cut).eval()(between)
    return whole.shape == parts.shape and torch.allclose(whole, parts, rtol=1e-4, atol=1e-5)


def require_connected_spans(network: Network) -> None:
    """Refuse spans between whose modules the network that they are from does something else.

    Raises:
        InputError: If so; names the two modules.
    """
    layers, sources = network.settings.get("layers", []), network.settings.get("sources", {})
    for index, layer in enumerate(layers):
        if layer["kind"] != "take":
            continue
        reference, key = parse(layer["take"]), f"build.architectures.{network.name}.layers.{index}"
        source = network.model_copy(update=sources[reference.network] | _WATCHED)
        module = construct_shapes(source)
        span, _ = take(module, layer["take"], f"{key}.take")
        gap = _gap(module, span, reference)
        if gap is not None:
            raise InputError(
                f"{key}.take is '{layer['take']}'; between {gap[0]} and {gap[1]} "
                f"{reference.network} does what no module of it does: take up to {gap[0]} and go "
                "on with layers of your own"
            )


def _gap(module: nn.Module, span: nn.Module, reference: Reference) -> tuple[str, str] | None:
    """Return the first two modules of a span that do not follow each other; None if all do."""
    parent = module.get_submodule(reference.path)
    if reference.last is None or isinstance(parent, nn.Sequential):
        return None
    run = trace_modules(module.eval(), torch.empty(1, COLOURS, SIDE, SIDE, device="meta"))
    prefix = f"{reference.path}." if reference.path else ""
    names = [name for name, _ in span.named_children()]
    for name, following in itertools.pairwise(names):
        before = run.gave[prefix + name]
        after = run.given[prefix + following]
        if len(before) != 1 or len(after) != 1 or before[0] is None or before[0] is not after[0]:
            return name, following
    return None


def _tail(network: Network, module: nn.Module, run: ModuleTrace, fixed: list[str]) -> list[str]:
    """Return the only head, if nothing else trains and the network ends with it."""
    if len(network.heads) != 1:
        return []
    head = network.heads[0]
    free = [
        name
        for name, _ in module.named_parameters()
        if not covers(fixed, name) and not covers([head], name)
    ]
    ends = run.gave[""][0] is run.gave[head][0] is not None
    return [head] if not free and ends and run.given[head][0] is not None else []


def _prefix(module: nn.Module, run: ModuleTrace, fixed: list[str], given: Tensor) -> Iterator[str]:
    """Yield the modules from the input on that never train, as long as they form a chain."""
    waiting: list[str] = []  # without parameters; they belong to what never trains if more follows
    for name, part in _chain(module, run, fixed, given):
        if any(True for _ in part.parameters()):
            yield from waiting
            yield name
            waiting = []
        else:
            waiting.append(name)
    for name in waiting:
        is_random = any(_is_random(one) for one in module.get_submodule(name).modules())
        if is_random and not covers(fixed, name):
            return
        yield name


def _chain(
    module: nn.Module, run: ModuleTrace, fixed: list[str], given: Tensor | None, parent: str = ""
) -> Iterator[tuple[str, nn.Module]]:
    """Yield modules from the input on, down to where something trains or the chain breaks."""
    for name in run.children(parent):
        if not run.follows(name, given):
            return
        part = module.get_submodule(name)
        names = [f"{name}.{inner}" for inner, _ in part.named_parameters()]
        if not all(covers(fixed, one) for one in names):
            yield from _chain(module, run, fixed, given, name)
            return
        yield name, part
        given = run.gave[name][0]


def _is_random(part: nn.Module) -> bool:
    return "drop" in type(part).__name__.lower() or "stochastic" in type(part).__name__.lower()
