"""What `take` names: a module of a network, or several of its children in a row."""

from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from foldwise.core.errors import InputError
from foldwise.files.layers import REFERENCE


class UnknownModuleError(ValueError):
    """A module that is not there; the message says which, and which there are."""


@dataclass(frozen=True)
class Reference:
    """A reference, taken apart.

    Attributes:
        network: Name of the network.
        path: Dotted name of a module in it; "" for the network itself.
        first: Where a span of the module's children begins; None for no span.
        last: Where it ends; None for the single child `first`.
    """

    network: str
    path: str
    first: str | None
    last: str | None

    @property
    def slug(self) -> str:
        """Return a name for what is taken, without the span."""
        return f"{self.network}.{self.path}".rstrip(".").replace(".", "_")


def parse(text: str) -> Reference:
    """Take a reference apart.

    Args:
        text: In the form of `contracts.layers.REFERENCE`.
    """
    match = REFERENCE.fullmatch(text)
    assert match is not None, text
    network, path, first, colon, last = match.groups()
    return Reference(network, path.lstrip("."), first, last if colon else None)


def look_up(module: nn.Module, reference: Reference) -> tuple[nn.Module, str]:
    """Return what is referred to, and the prefix of its tensors' names in the whole network.

    Several children come as a Sequential in which they keep their names.

    Args:
        module: The network.
        reference: Into it.

    Raises:
        UnknownModuleError: If there is no such module, or the span holds none.
    """
    parent = find(module, reference.path, reference.network)
    prefix = f"{reference.path}." if reference.path else ""
    if reference.first is None:
        return parent, prefix
    children = OrderedDict(parent.named_children())
    where = f"{reference.network}{'.' if reference.path else ''}{reference.path}"
    if reference.last is None:
        name = _child(reference.first, list(children), where)
        return children[name], f"{prefix}{name}."
    names = select(list(children), reference.first, reference.last, where)
    return nn.Sequential(OrderedDict((name, children[name]) for name in names)), prefix


def take(module: nn.Module, text: str, key: str) -> tuple[nn.Module, str]:
    """Return what a text of params.yaml refers to, as `look_up` does.

    Raises:
        InputError: If there is no such module.
    """
    try:
        return look_up(module, parse(text))
    except UnknownModuleError as error:
        raise InputError(f"{key} is '{text}'; {error}") from None


def find(module: nn.Module, path: str, name: str) -> nn.Module:
    """Return a module by its dotted name.

    Args:
        module: Where to begin.
        path: Of the module; "" for `module` itself.
        name: Of `module`, for the error.

    Raises:
        UnknownModuleError: If there is none; says which there are.
    """
    for step in filter(None, path.split(".")):
        children = dict(module.named_children())
        if step not in children:
            raise UnknownModuleError(_unknown(step, list(children), name))
        module, name = children[step], f"{name}.{step}"
    return module


def select(names: list[str], first: str, last: str, where: str) -> list[str]:
    """Return the names of a span: numbers as Python slices, names with both ends.

    Args:
        names: Of all children.
        first: The first taken; "" for the first of all.
        last: By number the first left out, by name the last taken; "" for the end.
        where: Whose children they are, for the error.

    Raises:
        UnknownModuleError: If there is no such child, or none between the two.
    """
    if all(end == "" or end.isdecimal() for end in (first, last)):
        start, stop = int(first or 0), int(last or len(names))
        if not start < stop <= len(names):
            raise UnknownModuleError(
                f"{where} has {len(names)} modules, so that slices lie in [0:{len(names)}] and "
                f"begin before they end; this one is [{first}:{last}]"
            )
        return names[start:stop]
    start = names.index(_child(first, names, where)) if first else 0
    stop = names.index(_child(last, names, where)) if last else len(names) - 1
    if start > stop:
        raise UnknownModuleError(f"in {where}, {first} comes after {last}")
    return names[start : stop + 1]


def _child(name: str, names: list[str], where: str) -> str:
    """Return the name of a child that is there.

    Raises:
        UnknownModuleError: If it is not; says which there are.
    """
    if name in names:
        return name
    raise UnknownModuleError(_unknown(name, names, where))


def _unknown(name: str, names: list[str], where: str) -> str:
    known = ", ".join(names) if names else "none: it is a single layer"
    return f"{where} has no module {name!r}; there are {known}"
