"""The data sets that Foldwise knows by name, and how torchvision is asked for their parts.

Plain data, so that params.yaml can be checked without importing torchvision.
"""

from typing import Any, NamedTuple


class Parts(NamedTuple):
    """Keyword arguments of a torchvision data set class for its training and its test part."""

    train: dict[str, Any]
    test: dict[str, Any] | None  # None: no official test set, test_fraction is held out


_BY_FLAG = Parts({"train": True}, {"train": False})
_BY_SPLIT = Parts({"split": "train"}, {"split": "test"})

TORCHVISION: dict[str, Parts] = {
    "MNIST": _BY_FLAG,
    "FashionMNIST": _BY_FLAG,
    "KMNIST": _BY_FLAG,
    "USPS": _BY_FLAG,
    "CIFAR10": _BY_FLAG,
    "CIFAR100": _BY_FLAG,
    "SVHN": _BY_SPLIT,
    "STL10": _BY_SPLIT,
    "GTSRB": _BY_SPLIT,
    "Food101": _BY_SPLIT,
    "Flowers102": _BY_SPLIT,
    "RenderedSST2": _BY_SPLIT,
    "DTD": _BY_SPLIT,
    "StanfordCars": _BY_SPLIT,
    "FGVCAircraft": Parts({"split": "trainval"}, {"split": "test"}),
    "OxfordIIITPet": Parts({"split": "trainval"}, {"split": "test"}),
    "Country211": Parts({"split": "train"}, {"split": "test"}),
    "Imagenette": Parts({"split": "train"}, {"split": "val"}),
    "EuroSAT": Parts({}, None),
    "Caltech101": Parts({}, None),
    "Caltech256": Parts({}, None),
    "SEMEION": Parts({}, None),
}

DATASETS: tuple[str, ...] = ("digits", "folder", *TORCHVISION)
