"""The parts of a network as a person would draw them, in the order in which they run.

Sequential containers are opened; a convolution is one part with the BatchNorm, activation and
dropout behind it; neighbours that are alike are one part with their number.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from stages.build.card.groups import Group, collapsed, extended, shrunk
from stages.build.card.plan import trains_from
from stages.build.chains import Run, watch
from stages.build.network import covers
from stages.build.shapes import BATCH
from stages.contracts.card import Loaded, Part
from stages.contracts.network import Network


class _View:
    """A network that was watched while it ran.

    Attributes:
        run: What each module got and gave.
        modules: By name.
        names: Of the parameters, by their id.
        epochs: From which they train, likewise.
        taken: What each taken layer of a composition names.
        n_parameters: Of all.
    """

    def __init__(self, network: Network, module: nn.Module, run: Run) -> None:
        self.run = run
        self.modules = dict(module.named_modules())
        self.names = {id(one): name for name, one in module.named_parameters()}
        self.epochs = {key: trains_from(network, name) for key, name in self.names.items()}
        self.taken = _taken(network, module)
        self.n_parameters = sum(one.numel() for one in module.parameters())
        self._calls: dict[str, list[tuple[str, int]]] = {}
        n_calls: dict[str, int] = {}
        for name in filter(None, run.order):
            number = n_calls.get(name, 0)
            n_calls[name] = number + 1
            self._calls.setdefault(self._caller(name), []).append((name, number))

    def calls(self, parent: str) -> list[tuple[str, int]]:
        """Return the calls of the modules directly below one, each with its number."""
        return self._calls.get(parent, [])

    def tensors(self, name: str, number: int) -> tuple[Tensor | None, Tensor | None]:
        """Return what went into a call and what came out."""
        return self.run.given[name][number], self.run.gave[name][number]

    def kind(self, name: str) -> str:
        """Return the class of a module, as one says it."""
        return type(self.modules[name]).__name__.lstrip("_")

    def _caller(self, name: str) -> str:
        """Return the nearest module above that ran; a ModuleList does not."""
        parent = name.rpartition(".")[0]
        while parent and not self.run.given[parent]:
            parent = parent.rpartition(".")[0]
        return parent


@torch.no_grad()
def find_parts(network: Network, module: nn.Module, loaded: Iterable[Loaded]) -> list[Part]:
    """Return the parts of a network, then what is beside the chain.

    Every parameter counts in exactly one of them. Bare parameters and auxiliary heads, which run
    in training only, are beside the chain.

    Args:
        network: Frozen and thawed as it will be.
        module: Made of it, on the meta device; put into eval mode.
        loaded: Where its weights are from.
    """
    size = (BATCH, network.channels, network.height, network.width)
    view = _View(network, module, watch(module.eval(), torch.empty(size, device="meta")))
    weights = {one.into: one.source for one in loaded}
    seen: set[int] = set()
    chain = [_part(view, one, weights, seen) for one in shrunk(_groups(view, ""))]
    return chain + list(_beside(view, seen))


def _taken(network: Network, module: nn.Module) -> dict[str, str]:
    layers = network.settings.get("layers", [])
    assert isinstance(layers, list)
    children = [name for name, _ in module.named_children()]
    pairs = zip(children, layers, strict=True) if layers else ()
    return {name: str(layer["take"]) for name, layer in pairs if "take" in layer}


def _groups(view: _View, parent: str) -> list[Group]:
    """Return what runs in a module, containers opened."""
    groups: list[Group] = []
    for name, number in view.calls(parent):
        inner = _inner(view, parent, name)
        if len(inner) > 1:
            groups += inner
        else:
            groups = extended(groups, _group(view, name, number, inner))
    return collapsed(groups)


def _inner(view: _View, parent: str, name: str) -> list[Group]:
    """Return the groups of a container; a single one if that says what the container is."""
    module = view.modules[name]
    if len(view.run.given[name]) != 1:
        return []
    if type(module) is nn.Sequential:
        return _groups(view, name)
    if isinstance(module, nn.Sequential):
        # Classes of their own are known by name, but for stages of blocks: say of which.
        inner = _groups(view, name)
        return inner if len(inner) == 1 and not inner[0].is_open else []
    if _holds_most(view, parent, name) and _is_chain(view, name):
        inner = _groups(view, name)
        return inner if len(inner) > 1 else []
    return []


def _holds_most(view: _View, parent: str, name: str) -> bool:
    """Return whether a module has over half of all parameters, and is none of several alike."""
    kind = type(view.modules[name])
    alike = sum(type(view.modules[one]) is kind for one, _ in view.calls(parent))
    n_parameters = sum(one.numel() for one in view.modules[name].parameters())
    return alike == 1 and 2 * n_parameters > view.n_parameters


def _is_chain(view: _View, name: str) -> bool:
    """Return whether the modules in one run after each other, with at most one thing between."""
    calls = view.calls(name)
    if any(number for _, number in calls):
        return False
    breaks = [
        view.tensors(*one)[1] is not view.tensors(*other)[0]
        for one, other in itertools.pairwise(calls)
    ]
    return sum(breaks) <= 1


def _group(view: _View, name: str, number: int, inner: list[Group]) -> Group:
    module = view.modules[name]
    given, gave = view.tensors(name, number)
    keeps = given is not None and gave is not None and given.numel() == gave.numel()
    kind = inner[0].kind if inner else view.kind(name)
    # Pooling keeps maps of one pixel as they are, and is drawn all the same.
    light = keeps and "pool" not in kind.lower()
    is_light = light and all(one.ndim <= 1 for one in module.parameters())
    top = name.partition(".")[0]
    return Group(
        modules=(name,),
        heads=(name,),
        kinds=() if isinstance(module, nn.Identity) else (kind,),
        shape=tuple(gave.shape[1:]) if gave is not None and gave.shape[:1] == (BATCH,) else None,
        parent=name.rpartition(".")[0],
        owner=top if top in view.taken else "",
        epochs=frozenset(view.epochs[id(one)] for one in module.parameters()),
        is_open=is_light or next(module.children(), None) is None,
        is_light=is_light,
    )


def _part(view: _View, group: Group, weights: Mapping[str, str], seen: set[int]) -> Part:
    fresh = {
        id(one): one
        for name in group.modules
        for one in view.modules[name].parameters()
        if id(one) not in seen
    }
    seen.update(fresh)
    return Part(
        name=group.title,
        kind=group.kind or "Identity",
        output_shape=None if group.shape is None else list(group.shape),
        parameters=sum(one.numel() for one in fresh.values()),
        trainable_parameters=_trainable(view, fresh),
        trains_from=_first_epoch(view, fresh),
        source=view.taken.get(group.owner),
        weights=weights.get(group.owner) if group.owner else None,
        beside=False,
    )


def _beside(view: _View, seen: set[int]) -> Iterator[Part]:
    """Yield what holds parameters and is not in the chain."""
    found: dict[str, dict[int, nn.Parameter]] = {}
    for key, name in view.names.items():
        if key not in seen:
            found.setdefault(_idle(view, name) or name, {})[key] = _parameter(view, name)
    for name, parameters in found.items():
        shape = "×".join(map(str, next(iter(parameters.values())).shape))
        yield Part(
            name=name,
            kind=view.kind(name) if name in view.modules else f"Parameter {shape}",
            output_shape=None,
            parameters=sum(one.numel() for one in parameters.values()),
            trainable_parameters=_trainable(view, parameters),
            trains_from=_first_epoch(view, parameters),
            source=view.taken.get(name.partition(".")[0]),
            weights=None,
            beside=True,
        )


def _trainable(view: _View, parameters: Mapping[int, nn.Parameter]) -> int:
    return sum(one.numel() for key, one in parameters.items() if view.epochs[key] is not None)


def _first_epoch(view: _View, parameters: Iterable[int]) -> int | None:
    epochs = [view.epochs[key] for key in parameters]
    return min((epoch for epoch in epochs if epoch is not None), default=None)


def _parameter(view: _View, name: str) -> nn.Parameter:
    parent, _, last = name.rpartition(".")
    parameter: nn.Parameter = getattr(view.modules[parent], last)
    return parameter


def _idle(view: _View, name: str) -> str | None:
    """Return the largest module around a parameter in which nothing ran."""
    steps = name.split(".")[:-1]
    paths = [".".join(steps[: n + 1]) for n in range(len(steps))]
    ran = [path for path in paths if any(covers([path], one) for one in view.run.order)]
    return paths[len(ran)] if len(ran) < len(paths) else None
