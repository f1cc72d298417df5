from copy import deepcopy

import pytest

SOUND = {
    "model": "slim_vgg",
    "candidates": ["lenet5", "slim_vgg", "vgg_resnet"],
    "repeats": [0],
    "folds": [0, 1, 2, 3, 4],
    "resplit": True,
    "seed": 0,
    "prepare": {
        "dataset": "digits",
        "root": "data/raw",
        "image_size": "native",
        "test_fraction": 0.2,
        "limit": None,
        "groups": None,
    },
    "augment": {
        "shift": 0.1,
        "flip": 0.0,
        "rotation": 0.0,
        "erase": 0.0,
        "brightness": 0.0,
        "contrast": 0.0,
    },
    "build": {"architectures": {"lenet5": {"learning_rate": 0.002}}},
    "train": {
        "epochs": 3,
        "batch_size": 64,
        "learning_rate": 0.002,
        "weight_decay": 0.05,
        "warmup": 0.25,
    },
    "extract": {"views": 4, "most_gigabytes": 4.0},
    "hardware": {"precision": "auto", "device": "auto", "threads": 2},
    "forecast": {"seconds": 1.0},
    "advise": {
        "budget_minutes": 60,
        "small_side": 40,
        "large_side": 128,
        "transfer_side": 96,
        "clean": 0.2,
        "little_images": 5000,
        "little_per_class": 100,
        "much_per_class": 1000,
        "many_classes": 100,
        "frozen_under": 2000,
        "thawed_under": 20000,
        "deep_from": 10000,
        "most_multiply_adds": 1.5,
    },
    "compare": {
        "metric": "accuracy",
        "top_k": 3,
        "confidence": 0.95,
        "worth": 0.01,
        "target": 0.9,
        "gap": 0.05,
    },
}


@pytest.fixture(scope="session")
def params():
    """Return params.yaml with some values changed: dotted key -> value, or None to drop it."""

    def params(*dropped, **changes):
        content = deepcopy(SOUND)
        for dotted, value in changes.items():
            inner, last = _inner(content, dotted)
            inner[last] = value
        for dotted in dropped:
            inner, last = _inner(content, dotted)
            del inner[last]
        return content

    return params


def _inner(content, dotted):
    *path, last = dotted.split(".")
    for part in path:
        content = content[part]
    return content, last
