"""Architectures that may be proposed, and what speaks for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from foldwise.files.architecture import ArchitectureSection

WEIGHTS = "IMAGENET1K_V1"
STAGES = ("layer4", "layer3", "layer2", "layer1")  # of a ResNet, from the output side down


@dataclass(frozen=True)
class Idea:
    """An architecture that may be proposed.

    Attributes:
        name: In the catalogue, or of its section.
        because: What speaks for it.
        section: Below build.architectures; empty if the name says all.
        excuse: What still speaks for it where it shrinks images more than the rule allows.
    """

    name: str
    because: str
    section: dict[str, Any] = field(default_factory=dict)
    excuse: str = "it pools the rest, whatever its size"

    @property
    def architecture(self) -> str:
        """The name in the catalogue of what it varies."""
        return str(self.section.get("base", self.name))


_UNSURE = "ResNet18 is the first choice when unsure"

LENET5 = Idea(
    "lenet5",
    "two convolutions: the baseline that any deeper network has to beat",
    excuse="it is the baseline",
)
SLIM_VGG = Idea("slim_vgg", "five convolutions in two blocks, with dropout, for simple shapes")
VGG_RESNET = Idea("vgg_resnet", "a VGG block and a residual stage, seven convolutions: more depth")
SMALL_ALEXNET = Idea(
    "small_alexnet",
    "AlexNet's two and three convolutions: easy to extend or to cut down",
    excuse="AlexNet, too, ends with small maps",
)
NARROW_VGG = Idea("narrow_vgg", "VGG without linear layers, as deep as the image size allows")
RESNET20 = Idea("resnet20", "the ResNet made for small photos, with few parameters")
RESNET56 = Idea("resnet56", "the same ResNet, 56 layers deep")
RESNET18_SMALL = Idea(
    "resnet18_small",
    f"{_UNSURE}, here with a stem that does not shrink small images",
    {"base": "resnet18", "stem": "small"},
)
RESNET18 = Idea("resnet18", _UNSURE)
GOOGLENET = Idea("googlenet", "kernels of several sizes side by side, at little cost")
RESNET34 = Idea("resnet34", "ResNet18, twice as deep")
RESNET50 = Idea("resnet50", "ResNet18, three times as deep: for many images and a GPU")
MOBILENET = Idea("mobilenet_v2", "made for devices without a GPU")
_KNOWN = "its weights are for just these layers"
FROZEN = Idea(
    "resnet18_frozen",
    "pretrained on ImageNet, only the head trains: its features are computed once for all folds",
    {"base": "resnet18", "weights": WEIGHTS, "policy": "frozen"},
    excuse=_KNOWN,
)


def thawed(epochs: int, rate: float, *, gradually: bool) -> Idea:
    """Return ResNet18, pretrained, whose last stage, or all stages in turn, thaw.

    Howard and Ruder 2018, Universal language model fine-tuning, ACL, section 3.3, for one after
    the other from the output side down; the lesson for a tenth of the rate.

    Args:
        epochs: Of training, at least 2; the last begin by then.
        rate: Of the head.
        gradually: Whether all stages thaw.
    """
    stages = STAGES if gradually else STAGES[:1]
    starts = [2 + (epochs - 2) * place // (2 * len(stages)) for place in range(len(stages))]
    thaw = [
        {"at_epoch": start, "layers": stage, "learning_rate": _tenth(rate)}
        for start, stage in zip(starts, stages, strict=True)
    ]
    section = {**FROZEN.section, "thaw": thaw}
    name, part = ("gradual", "all stages thaw in turn") if gradually else ("thawed", "layer4 thaws")
    return Idea(f"resnet18_{name}", f"pretrained on ImageNet, {part}", section, excuse=_KNOWN)


def finetuned(idea: Idea, rate: float) -> Idea:
    """Return an architecture pretrained on ImageNet, its body at a tenth of the rate."""
    section = {
        "base": idea.architecture,
        "weights": WEIGHTS,
        "policy": "finetune",
        "body_learning_rate": _tenth(rate),
    }
    said = "pretrained on ImageNet, all of it trains on, the body at a tenth of the rate"
    return Idea(f"{idea.name}_finetuned", said, section, excuse=_KNOWN)


def _tenth(rate: float) -> float:
    """Return the rate of layers that know something already, as one would write it."""
    return float(f"{rate / 10:.3g}")


def window(ladder: Sequence[Idea], start: int, size: int) -> list[Idea]:
    """Return some ideas of a ladder from shallow to deep, then the others, the nearest first."""
    inside = range(start, min(start + size, len(ladder)))
    middle = start + (size - 1) / 2
    order = sorted(range(len(ladder)), key=lambda i: (i not in inside, abs(i - middle)))
    first = [ladder[i] for i in inside]
    return first + [ladder[i] for i in order[len(first) :]]


def rename(idea: Idea, defined: Mapping[str, ArchitectureSection]) -> Idea:
    """Return the idea under a name that is free, or that already means the same.

    Args:
        idea: A name of the catalogue stays; what is set for it counts.
        defined: The section build.architectures.
    """
    if not idea.section:
        return idea
    wanted = ArchitectureSection.model_validate(idea.section)
    names = (idea.name if number == 1 else f"{idea.name}_{number}" for number in count(1))
    return replace(idea, name=next(one for one in names if defined.get(one, wanted) == wanted))
