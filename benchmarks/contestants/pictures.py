"""Images as in torchvision's data sets: PIL images, transformed one by one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.optim import AdamW
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.contestants.entry import Entry
from foldwise.data.augment import shift_pixels


class Pictures(Dataset[tuple[Tensor, int]]):
    """A subset of the images of a case, with labels."""

    def __init__(self, entry: Entry, index: NDArray[np.int64], train: bool) -> None:
        """Select images.

        Args:
            entry: The case.
            index: (n,) positions in its data set.
            train: Whether to augment.
        """
        dataset, _, recipe = entry.data
        self._pixels = np.ascontiguousarray(dataset.images[index])
        self._labels = dataset.labels[index].tolist()
        sides = (entry.network.height, entry.network.width)
        augmentation = [
            transforms.RandomCrop(sides, padding=shift_pixels(recipe, *sides), padding_mode="edge"),
            transforms.RandomHorizontalFlip(recipe.flip),
        ]
        statistics = entry.network.normalisation
        assert statistics is not None
        self._transform = transforms.Compose(
            [
                *(augmentation if train else []),
                transforms.ToTensor(),
                transforms.Normalize(statistics.mean, statistics.std),
            ]
        )

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, position: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self._pixels[position].squeeze())
        return self._transform(image), self._labels[position]


def loader_options(entry: Entry) -> dict[str, Any]:
    """Return the options of DataLoader."""
    return {
        "batch_size": entry.section.batch_size,
        "num_workers": entry.workers,
        "persistent_workers": entry.workers > 0,
        "pin_memory": entry.device.type == "cuda",
    }


def load(entry: Entry, index: NDArray[np.int64], train: bool) -> DataLoader[tuple[Tensor, int]]:
    """Return batches of images; training images come in a new order in each epoch."""
    return DataLoader(Pictures(entry, index, train), shuffle=train, **loader_options(entry))


def adamw(entry: Entry, module: nn.Module) -> AdamW:
    """Return torch's optimiser with Foldwise's settings.

    Weight decay applies only to matrices and kernels.
    """
    matrices = [tensor for tensor in module.parameters() if tensor.ndim > 1]
    others = [tensor for tensor in module.parameters() if tensor.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    section = entry.section
    return AdamW(groups, lr=section.common_rate, weight_decay=section.weight_decay)
