"""Contact sheets: training images of a fold, as stored and as augmented."""

import io
from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from foldwise.core.fonts import drawable, font_families
from foldwise.data.augment import augment, draw_augmentation
from foldwise.data.mixing import is_mixed
from foldwise.data.pictures import to_rgb
from foldwise.files.dataset import Dataset
from foldwise.files.params import AugmentSection

MAX_CLASSES = 10  # rows
IMAGES_PER_CLASS = 2
N_EPOCHS = 3  # augmented copies of each image
N_COLUMNS = IMAGES_PER_CLASS * (1 + N_EPOCHS)
TILE_INCHES = 0.62
GAP = 0.08  # share of the shorter side of a tile
WHITE = 255
_STYLE: Any = {
    "font.size": 8,
    "text.parse_math": False,  # a $ in a class name is shown as it is
}


def contact_sheet(
    dataset: Dataset, recipe: AugmentSection, training: NDArray[np.int64], repeat: int, fold: int
) -> bytes:
    """Return a PNG with one row per class, the same bytes for the same inputs.

    Each image is shown as stored and as augmented in the first epochs of this fold.

    Args:
        dataset: The images.
        recipe: The augmentation.
        training: (n,) positions of the training images of the fold.
        repeat: The number of the repeat.
        fold: The number of the fold.
    """
    labels = dataset.labels[training]
    classes = np.unique(labels)[:MAX_CLASSES]
    members = [training[labels == label][:IMAGES_PER_CLASS] for label in classes]
    tiles = _tiles(dataset, recipe, np.concatenate(members), (repeat, fold))
    picture = _mosaic(tiles, [len(images) for images in members])
    names = [_label(dataset.info.classes[label], label) for label in classes]
    n_classes = len(dataset.info.classes)
    subset = f" ({len(names)} of {n_classes} classes)" if n_classes > len(names) else ""
    title = f"repeat {repeat}, fold {fold}: {len(training):,} training images{subset}"
    if dataset.info.decoding.crop_note:
        title += f"\n{dataset.info.decoding.crop_note}"
    if is_mixed(recipe):
        title += "\nMixUp and CutMix act on whole batches and are not shown"
    with mpl.style.context(["default", _STYLE | {"font.family": font_families(names)}]):
        data = io.BytesIO()
        _figure(picture, names, title).savefig(data, format="png", metadata={"Software": None})
    return data.getvalue()


def _tiles(
    dataset: Dataset, recipe: AugmentSection, shown: NDArray[np.int64], place: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return each image as stored and as augmented in each epoch, (n, epochs + 1, h, w, 3)."""
    pixels, shape, seed = dataset.images[shown], dataset.images.shape, dataset.info.seed
    copies = [pixels]
    for epoch in range(1, N_EPOCHS + 1):
        # For every image, as in training. 0.7 s for 1.2 million images, so only once per epoch.
        draws = draw_augmentation(recipe, shape, seed, (*place, epoch)).take(shown)
        images = augment(torch.from_numpy(pixels), draws, recipe).round().byte()
        copies.append(images.permute(0, 2, 3, 1).numpy())  # (n, h, w, c)
    return to_rgb(np.stack(copies, axis=1))


def _mosaic(tiles: NDArray[np.uint8], sizes: list[int]) -> NDArray[np.uint8]:
    """Return one picture with white gaps, (height, width, 3), of `sizes[i]` images in row i."""
    gap = max(1, round(GAP * min(tiles.shape[2:4])))
    tiles = np.pad(tiles, [(0, 0), (0, 0), (0, gap), (0, gap), (0, 0)], constant_values=WHITE)
    shape = (len(sizes), IMAGES_PER_CLASS, *tiles.shape[1:])
    picture = np.full(shape, WHITE, dtype=np.uint8)
    picture[np.arange(IMAGES_PER_CLASS) < np.array(sizes)[:, None]] = tiles
    rows = picture.transpose(0, 3, 1, 2, 4, 5)  # (row, y, image, epoch, x, channel)
    return rows.reshape(len(sizes) * tiles.shape[2], -1, 3)[:-gap, :-gap]


def _figure(picture: NDArray[np.uint8], names: list[str], title: str) -> Figure:
    size = (N_COLUMNS * TILE_INCHES + 1.6, len(names) * TILE_INCHES + 0.7)
    figure = Figure(figsize=size, dpi=96, layout="constrained")
    axes = figure.subplots()
    axes.imshow(picture, interpolation="nearest")
    height, width = picture.shape[:2]
    axes.set_yticks(_centres(height, len(names)), names)
    columns = ["as it is", *(f"epoch {epoch}" for epoch in range(1, N_EPOCHS + 1))]
    axes.set_xticks(_centres(width, N_COLUMNS), columns * IMAGES_PER_CLASS)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    figure.suptitle(title, fontsize=9)
    return figure


def _centres(side: int, n: int) -> list[float]:
    return [(index + 0.5) * side / n - 0.5 for index in range(n)]


def _label(name: str, number: int) -> str:
    """Return a short name, with its number if not all of it can be drawn."""
    shown = drawable(name)
    label = shown if shown == name else f"{number}: {shown}"
    return label if len(label) <= 20 else f"{label[:19]}…"
