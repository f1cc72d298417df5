"""References such as "resnet18.layer3" or "vgg16_bn.features[7:14]" to the modules of a network."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from foldwise.core.errors import InputError, counted
from foldwise.files.layers import REFERENCE


class UnknownModuleError(ValueError):
    """A module that does not exist; the message names it and the existing ones."""


@dataclass(frozen=True)
class Reference:
    """A parsed reference.

    Attributes:
        network: Name of the network.
        path: Dotted name of a module in it; "" for the network itself.
        first: First child of a span of the module's children; None for no span.
        last: End of the span; None for the single child `first`.
    """

    network: str
    path: str
    first: str | None
    last: str | None


def parse(text: str) -> Reference:
    """Parse a reference that matches `foldwise.files.layers.REFERENCE`."""
    match = REFERENCE.fullmatch(text)
    assert match is not None, text
    network, path, first, colon, last = match.groups()
    return Reference(network, path.lstrip("."), first, last if colon else None)


def look_up(module: nn.Module, reference: Reference) -> tuple[nn.Module, str]:
    """Return the referenced module, and the prefix of its tensor names in the whole network.

    A span of children is returned as a Sequential in which they keep their names.

    Args:
        module: The whole network.
        reference: A reference into it.

    Raises:
        UnknownModuleError: If there is no such module, or the span is empty.
    """
    parent = _find(module, reference.path, reference.network)
    prefix = f"{reference.path}." if reference.path else ""
    if reference.first is None:
        return parent, prefix
    children = OrderedDict(parent.named_children())
    place = f"{reference.network}{'.' if reference.path else ''}{reference.path}"
    if reference.last is None:
        name = _child(reference.first, list(children), place)
        return children[name], f"{prefix}{name}."
    names = select(list(children), reference.first, reference.last, place)
    return nn.Sequential(OrderedDict((name, children[name]) for name in names)), prefix


def take(module: nn.Module, reference: Reference, key: str, text: str) -> tuple[nn.Module, str]:
    """Return what `look_up` returns for the text of a key in params.yaml.

    Raises:
        InputError: If there is no such module.
    """
    try:
        return look_up(module, reference)
    except UnknownModuleError as error:
        raise InputError(f"{key} is '{text}'; {error}") from None


def expand_layers(module: nn.Module, texts: Sequence[str], key: str) -> list[str]:
    """Return the names of the modules and parameters that texts in params.yaml name.

    Args:
        module: The network.
        texts: Dotted names, or spans as in `take`: "layer2", "features[0:7]", "[conv1:layer2]".
        key: The key in params.yaml.

    Raises:
        InputError: If there is no such layer; names the existing ones.
    """
    return [name for text in texts for name in _expand(module, text, key)]


def _expand(module: nn.Module, text: str, key: str) -> list[str]:
    if text in dict(module.named_parameters()):
        return [text]
    full = f"network{'' if text.startswith('[') else '.'}{text}"
    if not REFERENCE.fullmatch(full):
        raise InputError(
            f"{key} is '{text}'; expected a module of the network, such as 'layer2', "
            "'features[0:7]' or '[conv1:layer2]'"
        )
    reference = replace(parse(full), network="the network")
    part, prefix = take(module, reference, key, text)
    if reference.last is None:
        return [prefix.removesuffix(".")]
    return [prefix + name for name, _ in part.named_children()]


def _find(module: nn.Module, path: str, place: str) -> nn.Module:
    """Return a module by its dotted name; "" for the module itself."""
    for step in filter(None, path.split(".")):
        children = dict(module.named_children())
        module = children[_child(step, list(children), place)]
        place = f"{place}.{step}"
    return module


def select(names: list[str], first: str, last: str, place: str) -> list[str]:
    """Return the names of a span: as a Python slice if by number, with both ends if by name.

    Args:
        names: Names of all children.
        first: The first child; "" for the first of all.
        last: By number the first child left out, by name the last one taken; "" for the end.
        place: The parent, for the error.
    """
    if all(end == "" or end.isdecimal() for end in (first, last)):
        start, stop = int(first or 0), int(last or len(names))
        if not start < stop <= len(names):
            raise UnknownModuleError(
                f"{place} has {counted(len(names), 'module')}, so that slices lie in "
                f"[0:{len(names)}] and begin before they end; this one is [{first}:{last}]"
            )
        return names[start:stop]
    start = names.index(_child(first, names, place)) if first else 0
    stop = names.index(_child(last, names, place)) if last else len(names) - 1
    if start > stop:
        raise UnknownModuleError(f"in {place}, {first} comes after {last}; swap them")
    return names[start : stop + 1]


def _child(name: str, names: list[str], place: str) -> str:
    if name in names:
        return name
    existing = ", ".join(names) if names else "none: it is a single layer"
    raise UnknownModuleError(f"{place} has no module {name!r}; there are {existing}")
