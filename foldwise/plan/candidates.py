"""The architectures that advise may propose, and their order for given data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from foldwise.files.architecture import ArchitectureSection
from foldwise.files.params import AdviseSection, TrainSection
from foldwise.plan.rules import (
    MIN_EPOCHS,
    Facts,
    enlarged_side,
    is_clean,
    is_large_data,
    is_like_imagenet,
    is_small_data,
)

MAX_PROPOSALS = 3
WEIGHTS = "IMAGENET1K_V1"
WEIGHTS_OF = "resnet18"  # whose weights tell whether any can be downloaded
LITE0 = "lite0_frozen"  # a section of params.yaml, whose weights are in a Python package
RESNET_STAGES = ("layer4", "layer3", "layer2", "layer1")  # from the output side down
LITE0_BASE = "timm_tf_efficientnet_lite0"
POOLS = "its global pooling takes maps of any size"
PRETRAINED = "its pretrained weights are for exactly these layers"
SAME_LAYERS = "it has the layers of the pretrained network"


@dataclass(frozen=True)
class Candidate:
    """An architecture that may be proposed.

    Attributes:
        name: In the catalogue, or of its section.
        because: Why to try it.
        section: Below build.architectures; empty if the name says everything.
        exception: Why it is proposed even if it downsamples more than the rule allows.
    """

    name: str
    because: str
    section: dict[str, Any] = field(default_factory=dict)
    exception: str = POOLS


_FIRST_CHOICE = "ResNet18 is the first choice when unsure"
_BECAUSE = {
    "lenet5": "two convolutions: the baseline that a deeper network has to beat",
    "slim_vgg": "five convolutions in two blocks, with dropout, for simple shapes",
    "vgg_resnet": "a VGG block and a residual stage: seven convolutions, more depth",
    "small_alexnet": "AlexNet with two and three convolutions: easy to extend or to cut down",
    "narrow_vgg": "VGG without linear layers, as deep as the image size allows",
    "resnet20": "the ResNet made for small photos, with few parameters",
    "resnet56": "the same ResNet, 56 layers deep",
    "resnet18_small": f"{_FIRST_CHOICE}, here with a stem that does not downsample small images",
    "resnet18": _FIRST_CHOICE,
    "googlenet": "parallel kernels of several sizes, at little cost",
    "resnet34": "twice as deep as ResNet18",
    "resnet50": "three times as deep as ResNet18: for many images and a GPU",
    "mobilenet_v2": "made for devices without a GPU",
    "resnet18_frozen": "pretrained on ImageNet, only the head trains: features are computed once",
    LITE0: "EfficientNet-Lite0 pretrained on ImageNet, only the head trains; no download",
    "mobilenet_v2_frozen": "the same at a sixth of ResNet18's MACs in use",
}
_SECTIONS: dict[str, dict[str, Any]] = {
    "resnet18_small": {"base": "resnet18", "stem": "small"},
    "resnet18_frozen": {"base": "resnet18", "weights": WEIGHTS, "policy": "frozen"},
    "mobilenet_v2_frozen": {"base": "mobilenet_v2", "weights": WEIGHTS, "policy": "frozen"},
}
_EXCEPTIONS = {
    "lenet5": "it is the baseline",
    "small_alexnet": "AlexNet ends with small maps, too",
    "resnet18_frozen": PRETRAINED,
    "mobilenet_v2_frozen": PRETRAINED,
    LITE0: PRETRAINED,
}
CANDIDATES = {
    name: Candidate(name, because, _SECTIONS.get(name, {}), _EXCEPTIONS.get(name, POOLS))
    for name, because in _BECAUSE.items()
}

# By kind of image, from shallow to deep, and the place where the usual data set begins. Little data
# begin at the first one, large data one step deeper.
LADDERS = {
    "small and clean": ("lenet5 slim_vgg vgg_resnet resnet18_small", 0),
    "small photos": ("small_alexnet narrow_vgg resnet20 resnet18_small resnet56", 1),
    "medium": ("slim_vgg narrow_vgg resnet18 googlenet resnet34", 1),
    "large": ("narrow_vgg resnet18 googlenet resnet34 resnet50", 1),
}
FALLBACKS = ("mobilenet_v2", "narrow_vgg", "lenet5")  # light, and accept nearly any image size
KIND_REASONS = {
    "small and clean": "small images that are no photos need fewer than 20 layers",
    "small photos": "small photos need convolutions throughout, and no large linear layers",
    "medium": "images of this size suit ResNet18 and networks of about its depth",
    "large": "images of this size suit the networks that were made for ImageNet",
}


def shortlist(facts: Facts, limits: AdviseSection, train: TrainSection) -> list[Candidate]:
    """Return the candidates for these data, the most promising first, each once.

    These are more than will be proposed: some may not fit, or may take too long.

    Args:
        facts: Of the data and the machine.
        limits: The thresholds.
        train: Epochs and learning rate.
    """
    names, usual = LADDERS[image_kind(facts, limits)]
    ladder = [CANDIDATES[name] for name in names.split()]
    start = 0 if is_small_data(facts, limits) else usual + is_large_data(facts, limits)
    candidates = [
        *_pretrained(facts, limits, train),
        *window(ladder, start, MAX_PROPOSALS),
        *(CANDIDATES[name] for name in FALLBACKS),
    ]
    first: dict[str, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.name, candidate)
    return list(first.values())


def image_kind(facts: Facts, limits: AdviseSection) -> str:
    """Return the kind of image, a key of LADDERS."""
    if facts.side <= limits.small_side:
        return "small and clean" if is_clean(facts, limits) else "small photos"
    return "medium" if facts.side < limits.large_side else "large"


def reasons(facts: Facts, limits: AdviseSection) -> list[str]:
    """Return why these candidates were chosen, as sentences about the data."""
    if side := enlarged_side(facts, limits):
        return [
            f"{facts.n_images:,} colour photos of {facts.side} px are few: at {side} px, a network "
            "pretrained on ImageNet reaches more than training from scratch"
        ]
    sentences = [KIND_REASONS[image_kind(facts, limits)]]
    if is_like_imagenet(facts, limits) and facts.has_weights:
        sentences.append(
            f"colour photos of {limits.transfer_side} px or more resemble ImageNet: pretrained "
            "networks come first, beside one from scratch"
        )
    online = replace(facts, no_download="")
    if facts.no_download and (is_like_imagenet(facts, limits) or enlarged_side(online, limits)):
        sentences.append(f"nothing that needs a download is proposed: {facts.no_download}")
    if is_small_data(facts, limits):
        sentences.append(
            f"{facts.n_images:,} images, {facts.per_class:,.0f} per class, are few: shallow "
            "networks first"
        )
    elif is_large_data(facts, limits):
        sentences.append(
            f"{facts.per_class:,.0f} images per class of {facts.n_classes} allow one step deeper"
        )
    return sentences


def thawed(epochs: int, rate: float, *, gradually: bool) -> Candidate:
    """Return a pretrained ResNet18 whose last stage, or all stages in turn, are unfrozen.

    Howard and Ruder 2018, Universal language model fine-tuning, ACL, section 3.3, for the order
    from the output side down. A tenth of the learning rate is a rule of thumb.

    Args:
        epochs: Of training, at least 2; the last stage is unfrozen by then.
        rate: Learning rate of the head.
        gradually: Whether all stages are unfrozen.
    """
    stages = RESNET_STAGES if gradually else RESNET_STAGES[:1]
    starts = [2 + (epochs - 2) * place // (2 * len(stages)) for place in range(len(stages))]
    thaw = [
        {"at_epoch": start, "layers": stage, "learning_rate": _tenth(rate)}
        for start, stage in zip(starts, stages, strict=True)
    ]
    section = {**CANDIDATES["resnet18_frozen"].section, "thaw": thaw}
    name, part = ("gradual", "all stages are") if gradually else ("thawed", "layer4 is")
    because = f"pretrained on ImageNet, {part} unfrozen during training"
    return Candidate(f"resnet18_{name}", because, section, PRETRAINED)


def finetuned(name: str, rate: float) -> Candidate:
    """Return an architecture pretrained on ImageNet, its backbone at a tenth of the rate."""
    section = {
        "base": name,
        "weights": WEIGHTS,
        "policy": "finetune",
        "body_learning_rate": _tenth(rate),
    }
    because = "pretrained on ImageNet, all layers train, the backbone at a tenth of the rate"
    return Candidate(f"{name}_finetuned", because, section, PRETRAINED)


def window(ladder: Sequence[Candidate], start: int, size: int) -> list[Candidate]:
    """Return `size` neighbours of a ladder from shallow to deep, then the others by distance."""
    inside = range(start, min(start + size, len(ladder)))
    middle = start + (size - 1) / 2
    outside = sorted(set(range(len(ladder))) - set(inside), key=lambda i: abs(i - middle))
    return [ladder[i] for i in (*inside, *outside)]


def rename(candidate: Candidate, architectures: Mapping[str, ArchitectureSection]) -> Candidate:
    """Return the candidate under a name that is free, or that already means the same.

    Args:
        candidate: One without a section keeps its name.
        architectures: The section build.architectures.
    """
    if not candidate.section:
        return candidate
    section = ArchitectureSection.model_validate(candidate.section)
    names = (candidate.name if n == 1 else f"{candidate.name}_{n}" for n in count(1))
    free = next(name for name in names if architectures.get(name, section) == section)
    return replace(candidate, name=free)


def _pretrained(facts: Facts, limits: AdviseSection, train: TrainSection) -> list[Candidate]:
    """Return networks with ImageNet weights, and after two of them the same from scratch."""
    if not is_like_imagenet(facts, limits):
        return []
    candidates = _downloaded(facts, limits, train)
    if facts.no_download:
        candidates = [CANDIDATES[LITE0]] if facts.has_lite0 else []
    return [*candidates[:2], *_controls(candidates), *candidates[2:]]


def _controls(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return each architecture from scratch: it tells whether pretrained weights help at all."""
    because = "from scratch, beside a pretrained one: tells whether its weights help"
    bases = dict.fromkeys(candidate.section.get("base", LITE0) for candidate in candidates)
    lite0 = Candidate("lite0_scratch", because, {"base": LITE0_BASE}, SAME_LAYERS)
    return [lite0 if b == LITE0 else Candidate(b, because, {}, SAME_LAYERS) for b in bases]


def _downloaded(facts: Facts, limits: AdviseSection, train: TrainSection) -> list[Candidate]:
    """Return networks with ImageNet weights; the fewer the images, the fewer layers train.

    Yosinski et al. 2014, How transferable are features in deep neural networks?, NIPS.
    """
    candidates = [_partly_frozen(facts, limits, train), finetuned("resnet18", train.common_rate)]
    if facts.n_images < limits.frozen_under and facts.has_lite0:
        candidates.insert(0, CANDIDATES[LITE0])
    elif facts.n_images < limits.frozen_under and not facts.has_gpu:
        candidates.insert(1, CANDIDATES["mobilenet_v2_frozen"])  # finetuned, it takes hours
    elif not facts.has_gpu:
        candidates.append(finetuned("mobilenet_v2", train.common_rate))
    elif facts.n_images >= limits.deep_from:
        candidates.append(finetuned("resnet50", train.common_rate))
    return candidates


def _partly_frozen(facts: Facts, limits: AdviseSection, train: TrainSection) -> Candidate:
    """Return a frozen ResNet18, or one that is unfrozen in the second epoch or later."""
    if facts.n_images < limits.frozen_under or train.epochs < MIN_EPOCHS:
        return CANDIDATES["resnet18_frozen"]
    is_gradual = facts.n_images >= limits.thawed_under
    return thawed(train.epochs, train.common_rate, gradually=is_gradual)


def _tenth(rate: float) -> float:
    """Return the learning rate of pretrained layers, rounded to three digits."""
    return float(f"{rate / 10:.3g}")
