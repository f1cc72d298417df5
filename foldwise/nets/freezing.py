"""Which parts of a network train, and when: params.yaml's words made into modules."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from torch import nn

from foldwise.core.errors import InputError
from foldwise.files.architecture import ArchitectureSection, ThawSection
from foldwise.files.layers import REFERENCE, Take
from foldwise.files.network import Network, Thaw
from foldwise.nets.network import covers, named
from foldwise.nets.reference import UnknownModuleError, look_up, parse
from foldwise.nets.shapes import construct_shapes
from foldwise.nets.trace import find_cut


def resolve_freezing(
    network: Network, wanted: ArchitectureSection, default: Sequence[str]
) -> Network:
    """Return the network with its heads, what is frozen and thawed, and where it can be cut.

    Args:
        network: One that fits its images; nothing frozen yet.
        wanted: What params.yaml sets for it.
        default: What its own file freezes.

    Raises:
        InputError: If a layer to freeze or thaw does not exist, trains anyway, or thaws before
            one that is nearer to the output.
    """
    module = construct_shapes(network)
    place = f"build.architectures.{network.name}"
    heads = find_heads(network)
    asked = _asked(module, wanted, default, heads, place)
    thaw = [_thaw(module, one, f"{place}.thaw.{i}") for i, one in enumerate(wanted.thaw)]
    thawed = [name for one in thaw for name in one.layers]
    frozen = list(_split(module, asked, thawed))
    _require_order(module, frozen, thaw, place)
    settled = network.model_copy(update={"heads": heads, "frozen": frozen, "thaw": thaw})
    return settled.model_copy(update={"cut": find_cut(settled)})


def find_heads(network: Network) -> list[str]:
    """Return the modules whose width is the number of classes.

    Found by making the network for one class more: whatever changes its shape is a head.
    """
    wider = network.model_copy(update={"n_classes": network.n_classes + 1})
    shapes = [
        {name: one.shape for name, one in construct_shapes(one).named_parameters()}
        for one in (network, wider)
    ]
    changed = [name for name, shape in shapes[0].items() if shapes[1].get(name) != shape]
    return list(dict.fromkeys(name.rpartition(".")[0] for name in changed))


def modules_outside(module: nn.Module, names: Sequence[str], parent: str = "") -> Iterator[str]:
    """Yield the largest modules, and parameters, that hold none of some modules."""
    prefix = f"{parent}." if parent else ""
    for name, _ in module.named_parameters(recurse=False):
        if prefix + name not in names:
            yield prefix + name
    for name, inner in module.named_children():
        path = prefix + name
        if path in names:
            continue
        if any(one.startswith(f"{path}.") for one in names):
            yield from modules_outside(inner, names, path)
        else:
            yield path


def expand_layers(module: nn.Module, text: str, key: str) -> list[str]:
    """Return the modules or the parameter that a text of params.yaml names.

    Args:
        module: The network.
        text: A dotted name, or one with a span as in `take`: "layer2", "features[0:7]",
            "[conv1:layer2]".
        key: Where the text is from.

    Raises:
        InputError: If there is no such layer; says which there are.
    """
    if text in dict(module.named_parameters()):
        return [text]
    written = f"network{'' if text.startswith('[') else '.'}{text}"
    if not REFERENCE.fullmatch(written):
        raise InputError(
            f"{key} is '{text}'; expected a module of the network, such as 'layer2', "
            "'features[0:7]' or '[conv1:layer2]'"
        )
    reference = replace(parse(written), network="the network")
    try:
        part, prefix = look_up(module, reference)
    except UnknownModuleError as error:
        raise InputError(f"{key} is '{text}'; {error}") from None
    if reference.last is None:
        return [prefix.removesuffix(".")]
    return [prefix + name for name, _ in part.named_children()]


def _asked(
    module: nn.Module,
    wanted: ArchitectureSection,
    default: Sequence[str],
    heads: Sequence[str],
    place: str,
) -> list[str]:
    """Return what does not train from the start."""
    if wanted.frozen is not None:
        texts = [expand_layers(module, text, f"{place}.frozen") for text in wanted.frozen]
        asked = [name for names in texts for name in names]
        trains = [head for head in heads if covers(asked, head)]
        if trains:
            raise InputError(
                f"{place}.frozen holds {trains[0]}, the head, which must learn the classes; "
                "leave it out"
            )
    elif wanted.policy == "finetune":
        asked = []
    else:
        asked = list(default) + _frozen_takes(module, wanted)
        if not asked and (wanted.policy == "frozen" or wanted.thaw):
            asked = list(modules_outside(module, heads))
    free = [name for name, _ in module.named_parameters() if not covers([*asked, *heads], name)]
    # With nothing but the head left to train, layers without parameters are fixed, too.
    return list(modules_outside(module, heads)) if asked and not free else asked


def _frozen_takes(module: nn.Module, wanted: ArchitectureSection) -> list[str]:
    children = [name for name, _ in module.named_children()]
    layers = wanted.layers or []
    pairs = zip(children, layers, strict=True) if layers else []
    return [name for name, layer in pairs if isinstance(layer, Take) and layer.frozen]


def _thaw(module: nn.Module, section: ThawSection, key: str) -> Thaw:
    names = [
        name for text in section.names for name in expand_layers(module, text, f"{key}.layers")
    ]
    return Thaw(at_epoch=section.at_epoch, layers=names, learning_rate=section.learning_rate)


def _split(module: nn.Module, frozen: Sequence[str], thawed: Sequence[str]) -> Iterator[str]:
    """Yield what is frozen, in such parts that what thaws is a part of its own."""
    for name in frozen:
        inner = [one for one in thawed if one.startswith(f"{name}.")]
        if not inner:
            yield name
            continue
        yield from inner
        part = next(named(module, name))
        assert isinstance(part, nn.Module)
        yield from modules_outside(part, inner, name)


def _require_order(
    module: nn.Module, frozen: Sequence[str], thaw: Sequence[Thaw], place: str
) -> None:
    """Stop unless what thaws is frozen, and thaws from the output side down."""
    order = [name for name, _ in module.named_parameters()]
    last = len(order)
    for index, one in enumerate(thaw):
        for name in one.layers:
            if not covers(frozen, name) and not any(covers([name], part) for part in frozen):
                raise InputError(
                    f"{place}.thaw.{index}.layers is '{name}', which is not frozen; freeze it, "
                    "or leave it out"
                )
        mine = [number for number, name in enumerate(order) if covers(one.layers, name)]
        if mine and min(mine) >= last:
            raise InputError(
                f"{place}.thaw.{index}.layers is '{one.layers[0]}', nearer to the output than "
                "what thaws before it; thaw from the output side down"
            )
        last = min(mine, default=last)
