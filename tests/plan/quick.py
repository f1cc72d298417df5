"""Parameters under which timing takes no time."""

import yaml
from synthetic import PARAMS

SECTIONS = {
    "train": {
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 0.002,
        "weight_decay": 0.05,
        "warmup": 0.25,
    },
    "augment": {
        "shift": 0.1,
        "flip": 0.5,
        "rotation": 0.0,
        "erase": 0.0,
        "brightness": 0.0,
        "contrast": 0.0,
    },
    "extract": {"views": 2, "most_gigabytes": 1.0},
    "hardware": {"precision": "float32", "device": "cpu", "threads": 1},
    "forecast": {"seconds": 0.01},
    "compare": yaml.safe_load(PARAMS)["compare"],
}
