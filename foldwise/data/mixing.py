"""Soft labels, and MixUp and CutMix: each image of a batch and its label mixed with another's.

Zhang et al., "mixup", ICLR 2018; Yun et al., "CutMix", ICCV 2019. As in torchvision, all images
of a batch have the same share, and the neighbour is the image before it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from foldwise.core.errors import InputError
from foldwise.files.params import AugmentSection

Box = tuple[slice, slice]  # rows and columns


@dataclass(frozen=True)
class Mix:
    """How the images of a batch are mixed.

    Attributes:
        share: Weight of the image itself, 0 .. 1; its neighbour has the rest.
        box: Part of the image that comes from the neighbour; None: all pixels are averaged.
    """

    share: float
    box: Box | None


def is_mixed(recipe: AugmentSection) -> bool:
    """Return whether images are mixed, so that their labels are shares of classes."""
    return bool(recipe.mixup or recipe.cutmix)


def require_unmixed(recipe: AugmentSection, model: str) -> None:
    """Check that the images of a network with cached features are not mixed.

    Raises:
        InputError: If they are.
    """
    if is_mixed(recipe):
        key = "mixup" if recipe.mixup else "cutmix"
        raise InputError(
            f"{model}: augment.{key} is {getattr(recipe, key)}; it mixes images, and the frozen "
            f"layers of this network run once per image: set augment.{key} to 0, or "
            "extract.most_gigabytes to 0, so that these layers run in every step"
        )


def soft_labels(labels: Tensor, n_classes: int, smoothing: float, weights: Tensor | None) -> Tensor:
    """Return the weight of each class in the loss of each image, (b, n_classes) float32.

    Args:
        labels: (b,) true classes.
        n_classes: Number of classes.
        smoothing: Share of the weight that all classes get in equal parts, 0 .. 1.
        weights: (b,) weight of each image; None: all 1.
    """
    shares = one_hot(labels, n_classes) * (1 - smoothing) + smoothing / n_classes
    return shares.float() if weights is None else shares.float() * weights[:, None]


def draw_mix(
    recipe: AugmentSection, sides: tuple[int, ...], seed: int, place: tuple[int, int, int, int]
) -> Mix:
    """Draw how one batch is mixed, the same for all architectures.

    If both MixUp and CutMix are on, each takes half of the batches.

    Args:
        recipe: At least one of mixup and cutmix is on.
        sides: Height and width of the images.
        seed: The seed of the data set.
        place: The numbers of repeat, fold, epoch and batch.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*b"mix", *place)))
    is_cut = rng.random() < 1 / 2 if recipe.mixup and recipe.cutmix else bool(recipe.cutmix)
    alpha = recipe.cutmix if is_cut else recipe.mixup
    share, centre = float(rng.beta(alpha, alpha)), rng.random(2)
    if not is_cut:
        return Mix(share, None)
    half = np.sqrt(1 - share) / 2
    box = [
        slice(max(middle - int(half * side), 0), min(middle + int(half * side), side))
        for middle, side in zip((centre * sides).astype(int).tolist(), sides, strict=True)
    ]
    cut = (box[0].stop - box[0].start) * (box[1].stop - box[1].start)
    return Mix(1 - cut / (sides[0] * sides[1]), (box[0], box[1]))


def mix_batch(
    batch: tuple[Tensor, Tensor],
    recipe: AugmentSection,
    seed: int,
    place: tuple[int, int, int, int],
) -> tuple[Tensor, Tensor]:
    """Return images and labels of a batch, mixed if the recipe says so.

    Args:
        batch: Images (b, c, h, w), and the weight of each class in each label, (b, n_classes).
        recipe: Whether and how to mix.
        seed: As `draw_mix` takes it.
        place: Likewise.
    """
    if not is_mixed(recipe):
        return batch
    images, labels = batch
    mix = draw_mix(recipe, images.shape[2:], seed, place)
    return mix_images(images, mix), labels * mix.share + labels.roll(1, 0) * (1 - mix.share)


def mix_images(images: Tensor, mix: Mix) -> Tensor:
    """Return each image (b, c, h, w) mixed with its neighbour."""
    neighbours = images.roll(1, 0)
    if mix.box is None:
        return images * mix.share + neighbours * (1 - mix.share)
    mixed = images.clone(memory_format=torch.preserve_format)
    mixed[:, :, *mix.box] = neighbours[:, :, *mix.box]
    return mixed
