"""The pretrained weights of a network, from the sources that params.yaml names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from foldwise.core.errors import InputError, counted, first_few
from foldwise.files.architecture import ArchitectureSection
from foldwise.files.dataset import NO_DIGESTS, NO_IMAGES, ImageDigests
from foldwise.files.layers import Take, WeightSource
from foldwise.files.network import ChannelStatistics, LoadedWeights, Network
from foldwise.nets.freezing import find_heads
from foldwise.nets.network import covers
from foldwise.nets.reference import look_up, parse
from foldwise.nets.resolve import frozen_by_default
from foldwise.nets.shapes import WHOLE, construct_shapes
from foldwise.nets.weights.checkpoint import WeightsError
from foldwise.nets.weights.choice import OPTIONAL, SourceNetwork, choose_tensors
from foldwise.nets.weights.matching import (
    Match,
    Target,
    adapt_statistics,
    find_cautions,
    input_kernels,
    match_tensors,
    require_frozen,
    require_same_network,
)
from foldwise.nets.weights.seen import count_seen, require_unseen, seen_caution
from foldwise.nets.weights.sources import CheckpointFile, open_checkpoint
from foldwise.nets.weights.tensors import TrainedOn, digest_weights

IMAGENET = ChannelStatistics(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])


@dataclass(frozen=True)
class PretrainedWeights:
    """The initial weights of a network; empty if it is trained from scratch.

    Attributes:
        tensors: Tensors by their names in the network.
        loaded: Which tensors each source provided.
        cautions: Reasons why the weights may suit the data less.
        seen: Digests of all images that the weights are known to have seen.
        seen_images: How many images of this comparison are among them.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    loaded: list[LoadedWeights] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    seen: NDArray[np.uint64] = field(default_factory=lambda: NO_IMAGES)
    seen_images: int = 0


def load_pretrained(
    network: Network, section: ArchitectureSection, images: ImageDigests = NO_DIGESTS
) -> tuple[Network, PretrainedWeights]:
    """Return the network with its normalisation and the hash of its weights, and the weights.

    Heads are always initialised at random, because they have learned other classes.

    Args:
        network: A network with its heads, frozen and thawed layers.
        section: Its section in params.yaml.
        images: The images of this comparison, which the weights must not have seen.

    Raises:
        InputError: If a source cannot be read or trusted, does not match its target or has seen
            an image, or a frozen layer has no weights.
    """
    module = construct_shapes(network) if section.has_weights else nn.Module()
    matches = _match_sources(network, section, _targets(network, module, section), images)
    known = [m.checkpoint.trained_on for m in matches if m.checkpoint.trained_on is not None]
    normalisation = choose_normalisation(section, known, network)
    network = network.model_copy(update={"normalisation": normalisation})
    if not matches:
        return network, PretrainedWeights()
    _require_frozen_have_weights(network, module, matches)
    tensors = {name: tensor for match in matches for name, tensor in match.tensors.items()}
    seen = np.unique(np.concatenate([match.checkpoint.seen for match in matches]))
    network = network.model_copy(update={"weights_sha256": digest_weights(tensors, seen)})
    cautions = [*seen_caution(seen, images), *find_cautions(network, matches)]
    n_seen = sum(count_seen(seen, images))
    return network, PretrainedWeights(tensors, _loaded(matches), cautions, seen, n_seen)


def choose_normalisation(
    section: ArchitectureSection, known: Sequence[TrainedOn], network: Network
) -> ChannelStatistics | None:
    """Return the normalisation of the images; None for the statistics of each fold.

    The value in params.yaml comes first, then the normalisation of the first weights in `known`.

    Raises:
        InputError: If the value in params.yaml has another number of channels.
    """
    match section.normalisation:
        case "folds":
            return None
        case "imagenet":
            return adapt_statistics(IMAGENET, network.channels)
        case ChannelStatistics() as statistics:
            for name, values in statistics:
                if len(values) != network.channels:
                    raise InputError(
                        f"build.architectures.{network.name}.normalisation.{name} has "
                        f"{counted(len(values), 'number')}; expected one per channel of the "
                        f"images, {network.channels}"
                    )
            return statistics
    return adapt_statistics(known[0], network.channels) if known else None


def _match_sources(
    network: Network,
    section: ArchitectureSection,
    targets: Iterator[tuple[str, WeightSource, Target, SourceNetwork]],
    images: ImageDigests,
) -> list[Match]:
    """Return a match for each target; a source with several targets is opened once."""
    files: dict[tuple[object, ...], CheckpointFile] = {}
    matches = []
    for key, source, target, whole in targets:
        place = (source.weights, source.weights_sha256, source.trust_pickle, target.architecture)
        try:
            if place not in files:
                files[place] = open_checkpoint(source, target.architecture)
            match = match_tensors(target, choose_tensors(files[place], source, whole))
            if not target.layer and (section.policy or not frozen_by_default(network)):
                require_same_network(match, network.heads)
            require_frozen(match, network.frozen)
            if not section.allow_seen:
                require_unseen(match.checkpoint.seen, images)
        except WeightsError as error:
            location = f"build.architectures.{network.name}.{key}"
            raise InputError(f"{location} is '{source.weights}': {error}") from None
        matches.append(match)
    return matches


def _targets(
    network: Network, module: nn.Module, section: ArchitectureSection
) -> Iterator[tuple[str, WeightSource, Target, SourceNetwork]]:
    """Yield key, source, target and source network of all weights, in the order of the layers."""
    tensors = {n: t for n, t in module.state_dict().items() if not covers(network.heads, n)}
    kernels = input_kernels(module, network.channels)
    if section.weights is not None:
        default = frozen_by_default(network)
        if default and section.policy is None:  # load only what the network's own file freezes
            tensors = {name: one for name, one in tensors.items() if covers(default, name)}
        architecture = section.base or network.name
        target = Target("", network.name, architecture, "", tensors, kernels)
        source = SourceNetwork(architecture, module.state_dict(), network.heads, kernels)
        yield "weights", section, target, source
    layers = zip(section.layers or [], module.named_children(), strict=False)
    for index, (layer, (name, _)) in enumerate(layers):
        if isinstance(layer, Take) and layer.weights is not None:
            reference = parse(layer.take)
            settings = network.settings["sources"][reference.network]
            taken = network.model_copy(update=WHOLE | settings)
            whole = construct_shapes(taken)
            prefix = look_up(whole, reference)[1]
            own = {key: tensor for key, tensor in tensors.items() if covers([name], key)}
            seen = kernels if index == 0 else frozenset[str]()
            target = Target(name, layer.take, reference.network, prefix, own, seen)
            source = SourceNetwork(
                reference.network,
                whole.state_dict(),
                find_heads(taken, whole),
                input_kernels(whole, network.channels),
            )
            yield f"layers.{index}.weights", layer, target, source


def _require_frozen_have_weights(
    network: Network, module: nn.Module, matches: Sequence[Match]
) -> None:
    """Reject frozen tensors that belong to no target."""
    covered = {name for match in matches for name in match.target.tensors}
    random = [
        name
        for name in module.state_dict()
        if covers(network.frozen, name) and name not in covered and not name.endswith(OPTIONAL)
    ]
    if random:
        raise InputError(
            f"build.architectures.{network.name} freezes {first_few(random)}, which would stay "
            "random; frozen layers need pretrained weights: set `weights`, or do not freeze them"
        )


def _loaded(matches: Sequence[Match]) -> list[LoadedWeights]:
    used: dict[tuple[str, str], set[str]] = {}
    for match in matches:
        used.setdefault(_place(match), set()).update(match.used)
    return [
        LoadedWeights(
            source=match.checkpoint.title,
            sha256=match.checkpoint.sha256,
            layer=match.target.layer,
            matched=len(match.matched),
            missing_keys=list(match.missing),
            unexpected_keys=match.unexpected(used[_place(match)]),
            key=match.checkpoint.key,
            other_keys=list(match.checkpoint.other_keys),
        )
        for match in matches
    ]


def _place(match: Match) -> tuple[str, str]:
    """Return what tells the tensors of one source from those of another: its file and its key."""
    return match.checkpoint.sha256, match.checkpoint.key
