"""Parameters under which timing takes no time."""

SECTIONS = {
    "train": {
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 0.002,
        "weight_decay": 0.05,
        "warmup": 0.25,
    },
    "extract": {"views": 2, "most_gigabytes": 1.0},
    "hardware": {"precision": "float32", "device": "cpu", "threads": 1},
    "forecast": {"seconds": 0.01},
    "compare": {
        "metric": "accuracy",
        "top_k": 3,
        "confidence": 0.95,
        "worth": 0.01,
        "target": 0.9,
        "gap": 0.05,
    },
}
