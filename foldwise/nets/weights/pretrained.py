"""The weights from which a network starts, out of the sources that params.yaml names."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.files.architecture import ArchitectureSection, BuildSection
from foldwise.files.card import LoadedWeights
from foldwise.files.layers import Take, WeightSource
from foldwise.files.network import Network
from foldwise.nets.composition import names
from foldwise.nets.network import covers
from foldwise.nets.reference import look_up, parse
from foldwise.nets.resolve import architecture_of, frozen_by_default
from foldwise.nets.shapes import WHOLE, construct_shapes
from foldwise.nets.weights.cautions import Fill, choose, find_cautions
from foldwise.nets.weights.matching import (
    ENOUGH,
    OPTIONAL,
    TargetTensors,
    match_tensors,
    seeing_kernels,
    some,
)
from foldwise.nets.weights.sources import WeightFile, open_weights
from foldwise.nets.weights.tensors import digest


@dataclass(frozen=True)
class PretrainedWeights:
    """What was found in the sources of weights.

    Attributes:
        loaded: What each of them gave.
        cautions: What makes them fit the data less.
    """

    loaded: list[LoadedWeights] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)


def load_pretrained(
    network: Network, wanted: ArchitectureSection, build: BuildSection
) -> tuple[Network, dict[str, Tensor], PretrainedWeights]:
    """Return the network with its normalisation, the tensors that start pretrained, and findings.

    Heads always start fresh: they know other classes.

    Args:
        network: With its heads, frozen and thawed as it will be.
        wanted: What params.yaml sets for it.
        build: And for others.

    Raises:
        InputError: If a source cannot be had or trusted, does not fit what it is for, or
            something frozen has no weights.
    """
    module = construct_shapes(network) if wanted.has_weights else nn.Module()
    fills = list(_fills(network, module, wanted, build))
    place = f"build.architectures.{network.name}"
    known = [one.source.trained_on for one in fills if one.source.trained_on is not None]
    normalisation = choose(wanted, known, network.channels, f"{place}.normalisation")
    network = network.model_copy(update={"normalisation": normalisation})
    if not fills:
        return network, {}, PretrainedWeights()
    if wanted.policy is not None or not frozen_by_default(network):
        _require_place(network, fills)
    _require_frozen(network, module, fills)
    weights = {name: one for fill in fills for name, one in fill.match.tensors.items()}
    started = network.model_copy(update={"weights_sha256": digest(weights)})
    return started, weights, PretrainedWeights(_loaded(fills), find_cautions(started, fills))


def _fills(
    network: Network, module: nn.Module, wanted: ArchitectureSection, build: BuildSection
) -> Iterator[Fill]:
    """Yield what each source fills, from the image on; a source that comes again is opened once."""
    opened: dict[tuple[object, ...], WeightFile] = {}
    for at, origin, part in _parts(network, module, wanted, build):
        key = f"build.architectures.{network.name}.{at}"
        place = (origin.weights, origin.weights_sha256, origin.trust_pickle, part.architecture)
        if place not in opened:
            opened[place] = open_weights(origin, part.architecture, key)
        source = replace(opened[place], said=f"{key} is '{origin.weights}'")
        yield Fill(part, source, match_tensors(part, source))


def _parts(
    network: Network, module: nn.Module, wanted: ArchitectureSection, build: BuildSection
) -> Iterator[tuple[str, WeightSource, TargetTensors]]:
    """Yield the key of each source, the source, and what it fills."""
    if wanted.weights is not None:
        yield "weights", wanted, _whole(network, module, wanted, build)
    layers = wanted.layers or []
    for index, (layer, name) in enumerate(zip(layers, names(layers), strict=True)):
        if isinstance(layer, Take) and layer.weights is not None:
            part = _taken(network, module, layer, name, is_first=index == 0)
            yield f"layers.{index}.weights", layer, part


def _whole(
    network: Network, module: nn.Module, wanted: ArchitectureSection, build: BuildSection
) -> TargetTensors:
    """Return all but the heads; of a network whose file freezes a part, that part."""
    state = _without_heads(network, module.state_dict())
    own = frozen_by_default(network)
    if own and wanted.policy is None:
        state = {name: one for name, one in state.items() if covers(own, name)}
    return TargetTensors(
        into="",
        title=network.name,
        architecture=architecture_of(network.name, build),
        prefix="",
        wanted=state,
        kernels=seeing_kernels(module, network.channels),
    )


def _taken(
    network: Network, module: nn.Module, layer: Take, name: str, *, is_first: bool
) -> TargetTensors:
    """Return a layer that is taken from another network."""
    reference = parse(layer.take)
    sources = network.settings["sources"]
    assert isinstance(sources, dict)
    source = sources[reference.network]
    assert isinstance(source, dict)
    whole = construct_shapes(network.model_copy(update={**WHOLE, **source}))
    state = _without_heads(network, module.state_dict())
    return TargetTensors(
        into=name,
        title=layer.take,
        architecture=reference.network,
        prefix=look_up(whole, reference)[1],
        wanted={one: tensor for one, tensor in state.items() if covers([name], one)},
        kernels=seeing_kernels(module, network.channels) if is_first else frozenset(),
    )


def _without_heads(network: Network, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: one for name, one in state.items() if not covers(network.heads, name)}


def _require_place(network: Network, fills: Sequence[Fill]) -> None:
    """Stop if a source for the whole network holds much for which the network has no place.

    All of a ResNet-18's tensors are in a ResNet-34, too, where they know another task.
    """
    for fill in fills:
        if fill.part.into:
            continue
        taken = {fill.part.in_source(name) for name in fill.match.tensors}
        over = [one for one in _left_over(fill, taken) if not covers(network.heads, one)]
        if 100 * len(taken) < ENOUGH * (len(taken) + len(over)):
            raise InputError(
                f"{fill.source.said}, which holds {len(over)} tensors that {fill.part.title} has "
                f"no place for: {some(over)}; give weights of {fill.part.architecture}, or put "
                "parts of the two together as layers"
            )


def _require_frozen(network: Network, module: nn.Module, fills: Sequence[Fill]) -> None:
    """Stop if something would stay as it was drawn."""
    for fill in fills:
        problems = [
            problem for name, problem in fill.match.problems.items() if covers(network.frozen, name)
        ]
        if problems:
            raise InputError(
                f"{fill.source.said}, where {some(problems)}; it is frozen and would stay random: "
                f"give the state_dict of {fill.part.architecture}, or do not freeze it"
            )
    known = {name for fill in fills for name in (*fill.match.tensors, *fill.match.problems)}
    random = [
        name
        for name in module.state_dict()
        if covers(network.frozen, name) and name not in known and not name.endswith(OPTIONAL)
    ]
    if random:
        raise InputError(
            f"build.architectures.{network.name} freezes {some(random)}, which no weights fill, so "
            "that it would stay random; give it weights, or do not freeze it"
        )


def _loaded(fills: Iterable[Fill]) -> list[LoadedWeights]:
    taken: dict[str, set[str]] = {}
    for fill in fills:
        used = {fill.part.in_source(name) for name in fill.match.tensors}
        taken.setdefault(fill.source.sha256, set()).update(used)
    return [
        LoadedWeights(
            source=fill.source.title,
            sha256=fill.source.sha256,
            layer=fill.part.into,
            matched=len(fill.match.matched),
            missing_keys=list(fill.match.problems),
            unexpected_keys=_left_over(fill, taken[fill.source.sha256]),
        )
        for fill in fills
    ]


def _left_over(fill: Fill, taken: set[str]) -> list[str]:
    """Return names in order: safetensors reads them in another one each time."""
    return sorted(
        name
        for name, one in fill.source.state.items()
        if isinstance(one, Tensor) and name not in taken and not name.endswith(OPTIONAL)
    )
