"""Checks before training: a network takes the images, trains, and is connected as it claims."""

import itertools

import torch
from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.files.network import Cut, Network
from foldwise.nets.network import (
    MISFITS,
    all_logits,
    construct,
    extract_features,
    loss_of,
    tail_module,
)
from foldwise.nets.reference import Reference, parse, take
from foldwise.nets.shapes import (
    BATCH,
    WHOLE,
    construct_shapes,
    empty_images,
    failure_of,
    misfit,
    remedy_of,
    require_logits,
    trace_modules,
)
from foldwise.nets.sides import LARGEST, USUAL, smallest_side, square, usual_sides
from foldwise.nets.start import find_bad_start, heads_to_restart, restart
from foldwise.nets.zoo import slim_vgg

MORE_STEPS = 9  # until each layer that is skipped at random has run
CONTIGUOUS = (
    "its code does not take channels last in memory (usually view, where reshape or flatten do), "
    "so it trains in the slower format"
)
NO_DATA = (
    "networks first run without data: create tensors with device=images.device, and let no branch "
    "depend on their values"
)
MOST_PARAMETERS = 2**30  # 4 GiB, and 12 more in training; torchvision's largest has 645 million
# Images on which the source of a taken span runs: every network of torchvision takes them.
_SOURCE_INPUT = {**WHOLE, "channels": 3, "height": 224, "width": 224}


def require_fit(network: Network) -> None:
    """Reject a network that cannot take the images, before it is allocated.

    Raises:
        InputError: If it cannot, with a size that it takes; or if it has over 2³⁰ parameters.
    """
    reason = misfit(network)
    if reason is not None:
        raise InputError(_refusal(network, reason))
    n = sum(parameter.numel() for parameter in construct_shapes(network).parameters())
    if n > MOST_PARAMETERS:
        raise InputError(
            f"{network.name} has {n:,} parameters for images of {network.height}×{network.width} "
            f"px, over {MOST_PARAMETERS:,}; set prepare.image_size to less, or choose resnet18"
        )


def require_connected_spans(network: Network) -> None:
    """Reject a taken span if its source network runs other operations between its modules.

    Raises:
        InputError: If so; names the two modules.
    """
    layers, sources = network.settings.get("layers", []), network.settings.get("sources", {})
    for index, layer in enumerate(layers):
        if layer["kind"] != "take":
            continue
        reference, key = parse(layer["take"]), f"build.architectures.{network.name}.layers.{index}"
        source = network.model_copy(update=sources[reference.network] | _SOURCE_INPUT)
        try:
            module = construct_shapes(source)
        except MISFITS as error:  # of an own network
            raise failure_of(source, error) from None
        span, _ = take(module, reference, f"{key}.take", layer["take"])
        gap = _gap(module, span, reference, empty_images(source, 1))
        if gap is not None:
            raise InputError(
                f"{key}.take is '{layer['take']}'; between {gap[0]} and {gap[1]} "
                f"{reference.network} runs operations outside of its modules: take up to {gap[0]} "
                "and go on with layers of your own"
            )


def _gap(
    module: nn.Module, span: nn.Module, reference: Reference, images: Tensor
) -> tuple[str, str] | None:
    """Return the first two modules of a span that are not a chain; None if all are."""
    parent = module.get_submodule(reference.path)
    if reference.last is None or isinstance(parent, nn.Sequential):
        return None
    trace = trace_modules(module.eval(), images)
    prefix = f"{reference.path}." if reference.path else ""
    for name, following in itertools.pairwise(name for name, _ in span.named_children()):
        outputs = trace.outputs[prefix + name]
        tensor = outputs[0] if len(outputs) == 1 else None
        if tensor is None or not trace.follows(prefix + following, tensor):
            return name, following
    return None


def prove_trainable(
    network: Network, weights: dict[str, Tensor], seed: int
) -> tuple[Network, list[str]]:
    """Train on two random images and evaluate them, and one alone.

    Returns:
        The network: with the heads that must start again, as contiguous if it does not take
        channels last in memory, and without its cut if the two parts do not compute the same as
        the whole. And, if its start or its code costs accuracy or time, sentences that say so.

    Args:
        network: The network to check.
        weights: Its pretrained tensors; empty if there are none.
        seed: Of the other weights and of the images.

    Raises:
        InputError: If it fails, if the logits are not (n, n_classes) finite numbers in both modes,
            or if a parameter that should train gets no gradient.
    """
    torch.manual_seed(seed)
    module = construct(network, weights)
    if restarted := heads_to_restart(module, network.heads):
        network = network.model_copy(update={"restarted": restarted})
        for name in restarted:
            restart(module.get_submodule(name))
    images = torch.randn(BATCH, network.height, network.width, network.channels)
    images = images.permute(0, 3, 1, 2)  # as those of a fold
    try:
        return _prove(network, module.to(memory_format=torch.channels_last), images)
    except InputError:
        raise
    except MISFITS:  # for example of view(), which takes contiguous tensors only
        network = network.model_copy(update={"contiguous": True, "cut": None})
    try:
        network, cautions = _prove(network, construct(network, weights), images)
    except MISFITS as error:
        raise failure_of(network, error) from None
    return network, [*cautions, CONTIGUOUS]


def _prove(network: Network, module: nn.Module, images: Tensor) -> tuple[Network, list[str]]:
    labels = torch.arange(BATCH) % network.n_classes
    output = module(images)
    _require_finite(network, output, "train")
    cautions = list(find_bad_start(all_logits(output)[0][1], labels))
    loss_of(output, labels).backward()  # type: ignore[no-untyped-call]
    for _ in range(MORE_STEPS):  # of a network that skips layers at random
        if not _unused(module):
            break
        loss_of(module(images), labels).backward()  # type: ignore[no-untyped-call]
    _require_gradients(network, module)
    module.eval()
    with torch.no_grad():
        _require_finite(network, module(images), "eval")
        _require_finite(network, module(images[:1]), "eval", 1)
    if network.cut is not None and not cut_is_exact(module, network.cut, images):
        network = network.model_copy(update={"cut": None})
    return network, cautions


def _require_finite(network: Network, output: object, mode: str, n: int = BATCH) -> None:
    for logits in require_logits(network, output, mode, n):
        if not logits.isfinite().all():
            raise InputError(
                f"{network.name} gives {int(logits.isfinite().sum())} finite logits of "
                f"{logits.numel()} in {mode} mode; {remedy_of(network)}, or other weights"
            )


def _unused(module: nn.Module) -> list[str]:
    """Return the parameters that should train and have no gradient."""
    return [
        name
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]


def _require_gradients(network: Network, module: nn.Module) -> None:
    if unused := _unused(module):
        raise InputError(
            f"{network.name}: {', '.join(unused)} get no gradient and would never train; use or "
            f"remove them: {remedy_of(network)}"
        )


def cut_is_exact(module: nn.Module, cut: Cut, images: Tensor) -> bool:
    """Return whether the parts before and after the cut compute the same as the whole network.

    Args:
        module: The whole network in eval mode; it is changed in place.
        cut: Where to cut it.
        images: (b, c, h, w).
    """
    with torch.no_grad():
        whole = module(images)
        features = extract_features(module, cut, images)
        try:
            parts = tail_module(module, cut).eval()(features)
        except MISFITS:  # what follows also takes the images
            return False
    return whole.shape == parts.shape and torch.allclose(whole, parts, rtol=1e-4, atol=1e-5)


def _refusal(network: Network, reason: str) -> str:
    """Return the error text: which size the network takes, and what to do."""
    shorter, longer = sorted((network.height, network.width))
    images = f"the images are {network.height}×{network.width}"
    other = "lenet5" if shorter < slim_vgg.SMALLEST else "slim_vgg"
    least = smallest_side(network)
    sides = usual_sides(network) if least is None else [side for side in USUAL if side >= least]
    larger = [side for side in sides if side >= longer]
    better = next(iter([*larger, *reversed(sides)]), None)
    if better is None or misfit(square(network, better)) is not None:
        if "file" in network.settings:
            hint = f" ({NO_DATA})" if "meta" in reason else ""
            return f"{network.name} cannot run, {images}: {reason}{hint}; {remedy_of(network)}"
        return (
            f"{network.name} takes no images of this size; {images}, and squares of up to "
            f"{LARGEST} px do not help ({reason}); choose {other}"
        )
    if least is not None and least > shorter:
        needs = f"needs at least {least}×{least} px"
    else:
        needs = f"takes certain sizes only, such as {better}×{better} px"
    return (
        f"{network.name} {needs}; {images}: set prepare.image_size to {better}, or choose {other}"
    )
