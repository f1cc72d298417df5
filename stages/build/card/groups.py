"""Modules that are drawn as one part: which join, which are alike, and how they are called."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
