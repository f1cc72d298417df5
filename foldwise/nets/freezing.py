"""Which parts of a network train, from which epoch, and where it can be cut behind frozen parts."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.files.architecture import ArchitectureSection, ThawSection
from foldwise.files.layers import Take
from foldwise.files.network import Cut, Network, Thaw
from foldwise.nets.layer_depths import layer_depths
from foldwise.nets.network import FIRST, LAST, covers, frozen_at, named_parts, train_mode
from foldwise.nets.reference import expand_layers
from foldwise.nets.shapes import (
    OWN,
    ModuleTrace,
    construct_shapes,
    empty_images,
    remedy_of,
    trace_modules,
)


def resolve_freezing(
    network: Network, section: ArchitectureSection, default: Sequence[str]
) -> Network:
    """Return the network with its heads, frozen and thawed parts, cut, and depths of its layers.

    Args:
        network: A network that takes its images; nothing is frozen yet.
        section: Its section in params.yaml.
        default: What its own file freezes.

    Raises:
        InputError: If a layer to freeze or thaw does not exist, if it trains anyway, or if it
            thaws before a layer nearer to the output; or if a network without a head is to have
            pretrained weights or layers that train unlike others.
    """
    module = construct_shapes(network)
    place = f"build.architectures.{network.name}"
    heads = find_heads(network, module)
    _require_head(network, section, heads)
    selected = _frozen_from_start(module, section, default, heads, place)
    thaw = [_thaw(module, item, f"{place}.thaw.{i}") for i, item in enumerate(section.thaw)]
    thawed = [name for item in thaw for name in item.layers]
    frozen = list(_split(module, selected, thawed))
    _require_order(module, frozen, thaw, place)
    parameters = module.named_parameters(remove_duplicate=False)
    fixed = [name for name, parameter in parameters if not parameter.requires_grad]
    update = {"heads": heads, "frozen": frozen, "thaw": thaw, "fixed": fixed}
    network = network.model_copy(update=update)
    decays = (network.training.layer_decay or 1) < 1
    depths = layer_depths(network, module) if decays else {}
    return network.model_copy(update={"cut": find_cut(network, module), "depths": depths})


def find_heads(network: Network, module: nn.Module) -> list[str]:
    """Return the modules, and parameters of none, whose width is the number of classes.

    The network is constructed with one class more: the parameters whose shape changes are those
    of the heads. Own code that does not take one class more has none.

    Args:
        network: Its description.
        module: The same network on the meta device.
    """
    try:
        wider = construct_shapes(network.model_copy(update={"n_classes": network.n_classes + 1}))
    except Exception:
        if network.builder not in OWN:
            raise
        return []  # own code may be made for its own number of classes
    shapes, wider_shapes = (
        {name: parameter.shape for name, parameter in each.named_parameters()}
        for each in (module, wider)
    )
    changed = [name for name, shape in shapes.items() if wider_shapes.get(name) != shape]
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in changed))


def _require_head(network: Network, section: ArchitectureSection, heads: Sequence[str]) -> None:
    """Reject settings of body and head for a network of which no layer depends on the classes."""
    training = section.training
    own_rates = training.body_learning_rate is not None or training.layer_decay is not None
    if not heads and (section.has_weights or section.is_frozen or own_rates):
        raise InputError(
            f"build.architectures.{network.name}: the width of its last layer does not depend on "
            "n_classes, so its head is unknown, and weights, frozen layers, body_learning_rate and "
            f"layer_decay need it; {remedy_of(network)}: let its last layer have n_classes outputs"
        )


def modules_outside(module: nn.Module, names: Sequence[str], parent: str = "") -> Iterator[str]:
    """Yield the largest modules, and the bare parameters, that contain none of some modules."""
    prefix = f"{parent}." if parent else ""
    for name, _ in module.named_parameters(recurse=False):
        if prefix + name not in names:
            yield prefix + name
    for name, child in module.named_children():
        path = prefix + name
        if path in names:
            continue
        if any(other.startswith(f"{path}.") for other in names):
            yield from modules_outside(child, names, path)
        else:
            yield path


def find_cut(network: Network, module: nn.Module) -> Cut | None:
    """Return where to cut the network behind its frozen layers; None if that is impossible.

    Args:
        network: A network with its frozen and thawed parts.
        module: The same network on the meta device; it is changed in place.
    """
    frozen = frozen_at(network, LAST)
    if not frozen:
        return None
    images = empty_images(network)
    trace = trace_modules(train_mode(module, network, FIRST), images)
    tail = _tail(network, module, trace, frozen)
    prefix = [] if tail else list(_prefix(module, trace, frozen, images))
    return Cut(prefix=prefix, tail=tail) if prefix or tail else None


def _frozen_from_start(
    module: nn.Module,
    section: ArchitectureSection,
    default: Sequence[str],
    heads: Sequence[str],
    place: str,
) -> list[str]:
    """Return what does not train in the first epoch."""
    if section.frozen is not None:
        selected = expand_layers(module, section.frozen, f"{place}.frozen")
        covered = [head for head in heads if covers(selected, head)]
        if covered:
            raise InputError(
                f"{place}.frozen holds {covered[0]}, the head, which must learn the classes; "
                "leave it out"
            )
    elif section.policy == "finetune":
        selected = []
    else:
        layers = zip(module.named_children(), section.layers or [], strict=False)
        takes = [name for (name, _), layer in layers if isinstance(layer, Take) and layer.frozen]
        selected = [*default, *takes]
        if not selected and (section.policy == "frozen" or section.thaw):
            selected = list(modules_outside(module, heads))
    names = [name for name, _ in module.named_parameters()]
    if selected and all(covers([*selected, *heads], name) for name in names):
        # If only the heads train, all other layers are fixed, also those without parameters.
        return list(modules_outside(module, heads))
    return selected


def _thaw(module: nn.Module, section: ThawSection, key: str) -> Thaw:
    names = expand_layers(module, section.names, f"{key}.layers")
    return Thaw(at_epoch=section.at_epoch, layers=names, learning_rate=section.learning_rate)


def _split(module: nn.Module, frozen: Sequence[str], thawed: Sequence[str]) -> Iterator[str]:
    """Yield the frozen parts, split so that each part that thaws is one of them."""
    for name in frozen:
        inside = [other for other in thawed if other.startswith(f"{name}.")]
        if not inside:
            yield name
            continue
        yield from inside
        part = next(named_parts(module, name))
        assert isinstance(part, nn.Module)
        yield from modules_outside(part, inside, name)


def _require_order(
    module: nn.Module, frozen: Sequence[str], thaw: Sequence[Thaw], place: str
) -> None:
    """Reject a thaw of what is not frozen, and one before layers nearer to the output."""
    order = [name for name, _ in module.named_parameters()]
    last = len(order)
    for index, item in enumerate(thaw):
        for name in item.layers:
            if not covers(frozen, name) and not any(covers([name], part) for part in frozen):
                raise InputError(
                    f"{place}.thaw.{index}.layers is '{name}', which is not frozen; freeze it, "
                    "or leave it out"
                )
        covered = [number for number, name in enumerate(order) if covers(item.layers, name)]
        if covered and min(covered) >= last:
            raise InputError(
                f"{place}.thaw.{index}.layers is '{item.layers[0]}', nearer to the output than "
                "the layers that thaw before it; thaw from the output towards the input"
            )
        last = min(covered, default=last)


def _tail(
    network: Network, module: nn.Module, trace: ModuleTrace, frozen: Sequence[str]
) -> list[str]:
    """Return the only head, if nothing else trains and the network ends with it."""
    if len(network.heads) != 1:
        return []
    head = network.heads[0]
    names = [name for name, _ in module.named_parameters()]
    if not all(covers([*frozen, head], name) for name in names):
        return []
    if head not in trace.outputs:  # a parameter
        return []
    is_last = trace.outputs[""][0] is trace.outputs[head][0] is not None
    return [head] if is_last and trace.inputs[head][0] is not None else []


def _prefix(
    module: nn.Module, trace: ModuleTrace, frozen: Sequence[str], images: Tensor
) -> Iterator[str]:
    """Yield the modules from the input on that never train, as long as they form a chain."""
    waiting: list[str] = []  # modules without parameters since the last one with parameters
    for name, part in _chain(module, trace, frozen, images):
        waiting.append(name)
        if any(True for _ in part.parameters()):
            yield from waiting
            waiting = []
    for name in waiting:
        kinds = [type(part).__name__.lower() for part in module.get_submodule(name).modules()]
        is_random = any("drop" in kind or "stochastic" in kind for kind in kinds)
        if is_random and not covers(frozen, name):
            return
        yield name


def _chain(
    module: nn.Module,
    trace: ModuleTrace,
    frozen: Sequence[str],
    tensor: Tensor | None,
    parent: str = "",
) -> Iterator[tuple[str, nn.Module]]:
    """Yield modules from the input on, up to where something trains or the chain breaks."""
    waiting = trace.children(parent)
    while waiting:
        name, *waiting = waiting
        if not trace.follows(name, tensor, waiting):
            return
        part = module.get_submodule(name)
        if not all(covers(frozen, f"{name}.{inner}") for inner, _ in part.named_parameters()):
            yield from _chain(module, trace, frozen, tensor, name)
            return
        yield name, part
        tensor = trace.outputs[name][0]
