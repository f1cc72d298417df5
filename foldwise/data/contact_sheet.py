"""Contact sheets: training images of a fold as its networks see them."""

import io
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from foldwise.data.augment import augment, draw_augmentation
from foldwise.data.pictures import displayable
from foldwise.files.dataset import Dataset
from foldwise.files.split import Recipe

CLASSES = 10  # rows at most
IMAGES = 2  # of each class
EPOCHS = 3  # augmented copies of each image
TILE = 0.62  # inches
GAP = 0.08  # of a tile
WHITE = 255
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "text.parse_math": False,  # a $ in the name of a class is a $
}


def contact_sheet(
    dataset: Dataset, recipe: Recipe, training: NDArray[np.int64], repeat: int, fold: int
) -> bytes:
    """Return a PNG, the same bytes for the same inputs: one row a class.

    The augmented copies are those that the first epochs of this fold train on.

    Args:
        dataset: The images.
        recipe: How they are augmented.
        training: (n,) positions of the images that train in this fold.
        repeat: Of the fold.
        fold: Number of the fold.
    """
    shown = _choose(dataset.labels[training], training)
    rows = [_row(dataset, recipe, index, (repeat, fold)) for index in shown.values()]
    names = [dataset.info.classes[label] for label in shown]
    n_classes = len(dataset.info.classes)
    some = f" ({len(names)} of {n_classes} classes)" if n_classes > len(names) else ""
    title = f"repeat {repeat}, fold {fold}: {len(training):,} training images{some}"
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        return _png(_draw(_mosaic(rows), names, title))


def _choose(labels: NDArray[np.int64], training: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """Return the first images of each class that is shown, by class."""
    shown = np.unique(labels)[:CLASSES]
    return {int(label): training[labels == label][:IMAGES] for label in shown}


def _row(
    dataset: Dataset, recipe: Recipe, index: NDArray[np.int64], place: tuple[int, int]
) -> list[NDArray[np.uint8]]:
    """Return the tiles of one class: each image as it is, then as each epoch sees it."""
    pixels = torch.from_numpy(dataset.images[index])
    copies = [pixels.numpy()]
    for epoch in range(1, EPOCHS + 1):
        draws = draw_augmentation(
            recipe, len(dataset.labels), dataset.info.seed, (*place, epoch)
        ).take(index)
        images = augment(pixels, draws, recipe).round().byte()
        copies.append(images.permute(0, 2, 3, 1).numpy())
    return [copy[position] for position in range(len(index)) for copy in copies]


def _mosaic(rows: list[list[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """Return one picture, (height, width, 3), of tiles with white between them."""
    height, width = rows[0][0].shape[:2]
    gap = max(1, round(GAP * min(height, width)))
    n_columns = IMAGES * (1 + EPOCHS)
    shape = (len(rows) * (height + gap) - gap, n_columns * (width + gap) - gap, 3)
    picture = np.full(shape, WHITE, dtype=np.uint8)
    for row, tiles in enumerate(rows):
        for column, tile in enumerate(tiles):
            top, left = row * (height + gap), column * (width + gap)
            picture[top : top + height, left : left + width] = displayable(tile)
    return picture


def _draw(picture: NDArray[np.uint8], names: list[str], title: str) -> Figure:
    n_columns = IMAGES * (1 + EPOCHS)
    figure = Figure(
        figsize=(n_columns * TILE + 1.6, len(names) * TILE + 0.7), dpi=96, layout="constrained"
    )
    axes = figure.subplots()
    axes.imshow(picture, interpolation="nearest")
    height, width = picture.shape[:2]
    axes.set_yticks(_centres(height, len(names)), [_short(name) for name in names])
    columns = ["as it is", *(f"epoch {epoch}" for epoch in range(1, EPOCHS + 1))] * IMAGES
    axes.set_xticks(_centres(width, n_columns), columns)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    figure.suptitle(title, fontsize=9)
    return figure


def _centres(side: int, n: int) -> list[float]:
    return [(index + 0.5) * side / n - 0.5 for index in range(n)]


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19]}…"


def _png(figure: Figure) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format="png", metadata={"Software": None})
    return data.getvalue()
