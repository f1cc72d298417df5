"""A network of the user's own, and weights that one comparison trains for the next."""

import hashlib
import json

MINE = """from torch import nn


class Mine(nn.Sequential):
    def __init__(self, channels, height, width, n_classes):
        super().__init__(nn.Flatten(), nn.Linear(channels * height * width, n_classes))
"""


def trained(stages):
    return sorted(stage for stage in stages if stage.startswith("train@"))


def test_the_code_of_an_own_network_counts_and_its_comments_do_not(clone):
    path = clone.path / "nets" / "mine.py"
    path.write_text(MINE)
    clone.change_params(
        model="mine", build={"architectures": {"mine": {"file": "nets/mine.py:Mine"}}}
    )
    assert trained(clone.dvc("repro")) == ["train@mine-0-0", "train@mine-0-1"]
    path.write_text(f"# Flat.\n{MINE}")
    ran = clone.dvc("repro")
    assert "build@mine" in ran
    assert trained(ran) == []
    path.write_text(MINE.replace("nn.Flatten(),", "nn.Flatten(), nn.Dropout(),"))
    assert trained(clone.dvc("repro")) == ["train@mine-0-0", "train@mine-0-1"]


def test_weights_that_were_trained_here_start_another_network(clone):
    clone.change_params(build={"architectures": {"lenet5": {"keep_weights": True}}})
    assert trained(clone.dvc("repro")) == ["train@lenet5-0-0", "train@lenet5-0-1"]
    kept = clone.path / "data" / "runs" / "lenet5" / "0-0" / "weights.safetensors"
    weights = clone.path / "data" / "digits.safetensors"
    weights.write_bytes(kept.read_bytes())
    section = {
        "base": "lenet5",
        "weights": "data/digits.safetensors",
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "policy": "frozen",
    }
    clone.change_params(
        model="warm", build={"architectures": {"lenet5": {"keep_weights": True}, "warm": section}}
    )
    ran = clone.dvc("repro")
    assert "extract@warm" in ran
    assert trained(ran) == ["train@warm-0-0", "train@warm-0-1"]
    info = json.loads((clone.path / "data" / "features" / "warm" / "features.json").read_text())
    assert info["views"] == [f"view-{number}" for number in range(4)]
    card = json.loads((clone.path / "reports" / "models" / "warm" / "card.json").read_text())
    assert card["loaded"][0]["matched"] == 8  # of ten tensors two are the head's
    assert clone.dvc("repro") == []
