"""Modules that are drawn as one part: which join, which are alike, and how they are called."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from foldwise.files.card import CardPart, LoadedWeights
from foldwise.files.network import Network
from foldwise.nets.network import covers
from foldwise.nets.schedule_text import trains_from
from foldwise.nets.shapes import BATCH
from foldwise.nets.trace import ModuleTrace, trace_modules

MOST = 20  # groups; more are not taken in at a glance


@dataclass(frozen=True)
class Group:
    """Modules that are drawn as one part.

    Attributes:
        modules: Their names, in the order in which they run.
        heads: The module that names each repetition: the first that is not light, or the first.
        kinds: Classes of one repetition.
        shape: Of what comes out for one image; None: not a single tensor.
        parent: Of all the modules; None once those of several parents were joined.
        owner: The taken layer of a composition to which they belong; "" for none.
        epochs: In which their parameters begin to train; empty without parameters.
        is_open: Whether it is layers, which others may join, and no block.
        is_light: Whether all of them keep the number of values: activations, BatchNorm, dropout.
    """

    modules: tuple[str, ...]
    heads: tuple[str, ...]
    kinds: tuple[str, ...]
    shape: tuple[int, ...] | None
    parent: str | None
    owner: str
    epochs: frozenset[int | None]
    is_open: bool
    is_light: bool

    @property
    def kind(self) -> str:
        """The classes, and how often they come: "Linear", "2 × (Conv2d, ReLU)"."""
        kind, number = ", ".join(self.kinds), len(self.heads)
        if number == 1:
            return kind
        return f"{number} × {f'({kind})' if ' ' in kind else kind}"

    @property
    def title(self) -> str:
        """The name of its module, a span by number as `take` has it, or first and last."""
        span = _span(self.parent, self.modules)
        if span is not None:
            return span
        if len(self.heads) > 1:
            return f"{self.heads[0]} … {self.heads[-1]}"
        return self.heads[0]

    def may_join(self, other: "Group") -> bool:
        """Return whether another can be of the same part: one origin, frozen alike."""
        alike = self.epochs == other.epochs or not self.epochs or not other.epochs
        return self.owner == other.owner and alike


def extended(groups: list[Group], one: Group) -> list[Group]:
    """Return groups with one more, joined to the last if the two are one layer.

    Light layers belong to the layer before them; those that begin a chain, as in networks that
    normalise first, to the next with parameters.
    """
    if not groups:
        return [one]
    last = groups[-1]
    belongs = one.is_light or (last.is_light and bool(one.epochs))
    if last.parent != one.parent or not (last.is_open and one.is_open and belongs):
        return [*groups, one]
    if not last.may_join(one):
        return [*groups, one]
    joined = replace(
        last,
        modules=last.modules + one.modules,
        heads=one.heads if last.is_light and not one.is_light else last.heads,
        kinds=last.kinds + one.kinds,
        shape=one.shape,
        epochs=last.epochs | one.epochs,
        is_light=last.is_light and one.is_light,
    )
    return [*groups[:-1], joined]


def collapsed(groups: Iterable[Group]) -> list[Group]:
    """Return neighbours that are alike as one; what is only identities is left out."""
    found: list[Group] = []
    for one in groups:
        if found and _are_alike(found[-1], one):
            last = found[-1]
            modules, heads = last.modules + one.modules, last.heads + one.heads
            found[-1] = replace(last, modules=modules, heads=heads)
        elif one.kinds or one.epochs:
            found.append(one)
    return found


def shrunk(groups: list[Group]) -> list[Group]:
    """Return few enough groups: neighbours of the fewest modules become one, if they may."""
    while len(groups) > MOST:
        places = [i for i in range(len(groups) - 1) if groups[i].may_join(groups[i + 1])]
        if not places:
            break
        at = min(places, key=lambda i: len(groups[i].modules) + len(groups[i + 1].modules))
        groups = [*groups[:at], _merged(*groups[at : at + 2]), *groups[at + 2 :]]
    return groups


def _merged(one: Group, other: Group) -> Group:
    modules = one.modules + other.modules
    return replace(
        one,
        modules=modules,
        heads=(f"{modules[0]} … {modules[-1]}",),
        kinds=(f"{len(modules)} modules",),
        shape=other.shape,
        parent=one.parent if one.parent == other.parent else None,
        epochs=one.epochs | other.epochs,
    )


def _are_alike(one: Group, other: Group) -> bool:
    names = ("kinds", "shape", "parent", "owner", "epochs")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _span(parent: str | None, modules: tuple[str, ...]) -> str | None:
    """Return modules numbered one after the other as a span."""
    steps = [name.rpartition(".")[2] for name in modules]
    if parent is None or len(steps) == 1 or not steps[0].isdecimal():
        return None
    first, end = int(steps[0]), int(steps[0]) + len(steps)
    return f"{parent}[{first}:{end}]" if steps == [str(i) for i in range(first, end)] else None


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

    def __init__(self, network: Network, module: nn.Module, run: ModuleTrace) -> None:
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
def find_parts(
    network: Network, module: nn.Module, loaded: Iterable[LoadedWeights]
) -> list[CardPart]:
    """Return the parts of a network, then what is beside the chain.

    Every parameter counts in exactly one of them. Bare parameters and auxiliary heads, which run
    in training only, are beside the chain.

    Args:
        network: Frozen and thawed as it will be.
        module: Made of it, on the meta device; put into eval mode.
        loaded: Where its weights are from.
    """
    size = (BATCH, network.channels, network.height, network.width)
    view = _View(network, module, trace_modules(module.eval(), torch.empty(size, device="meta")))
    weights = {one.layer: one.source for one in loaded}
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


def _part(view: _View, group: Group, weights: Mapping[str, str], seen: set[int]) -> CardPart:
    fresh = {
        id(one): one
        for name in group.modules
        for one in view.modules[name].parameters()
        if id(one) not in seen
    }
    seen.update(fresh)
    return CardPart(
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


def _beside(view: _View, seen: set[int]) -> Iterator[CardPart]:
    """Yield what holds parameters and is not in the chain."""
    found: dict[str, dict[int, nn.Parameter]] = {}
    for key, name in view.names.items():
        if key not in seen:
            found.setdefault(_idle(view, name) or name, {})[key] = _parameter(view, name)
    for name, parameters in found.items():
        shape = "×".join(map(str, next(iter(parameters.values())).shape))
        yield CardPart(
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
