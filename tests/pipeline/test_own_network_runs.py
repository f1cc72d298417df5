"""The user's own network, and weights of one comparison that start another network."""

import hashlib
import json

import pytest

MINE = """from torch import nn

from nets.blocks import head


class Mine(nn.Sequential):
    def __init__(self, channels, height, width, n_classes):
        super().__init__(nn.Flatten(), head(channels * height * width, n_classes))
"""
BLOCKS = """from torch import nn


def head(n_features, n_classes):
    return nn.Linear(n_features, n_classes)
"""
KEEP = {"lenet5": {"keep_weights": True}}


def trained(stages):
    return sorted(stage for stage in stages if stage.startswith("train@"))


@pytest.mark.slow
def test_code_of_an_own_network_counts_and_kept_weights_start_another_one(clone):
    mine, blocks = clone.path / "nets" / "mine.py", clone.path / "nets" / "blocks.py"
    mine.write_text(MINE)
    blocks.write_text(BLOCKS)
    architectures = {**KEEP, "mine": {"file": "nets/mine.py:Mine"}}
    clone.change_params(model="mine", build={"architectures": architectures})
    lenet5, own = ([f"train@{name}-0-{fold}" for fold in (0, 1)] for name in ("lenet5", "mine"))
    assert trained(clone.dvc("repro")) == [*lenet5, *own]

    mine.write_text(f"# Flat.\n{MINE}")
    assert "build@mine" in clone.dvc("repro", "build@mine")
    assert trained(clone.stale()) == []
    edits = {mine: (MINE, "nn.Flatten(),", "nn.Flatten(), nn.Dropout(),")}
    edits[blocks] = (BLOCKS, "n_classes)\n", "n_classes, bias=False)\n")
    for path, (text, old, new) in edits.items():
        path.write_text(new.join(text.rsplit(old, 1)))
        clone.dvc("repro", "build@mine")
        assert trained(clone.stale()) == own, path.name
        path.write_text(text)

    kept = clone.path / "data" / "runs" / "lenet5" / "0-0" / "weights.safetensors"
    weights = clone.path / "data" / "digits.safetensors"
    weights.write_bytes(kept.read_bytes())
    warm = {
        "base": "lenet5",
        "weights": "data/digits.safetensors",
        "allow_seen": True,  # they have trained on the same images
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "policy": "frozen",
    }
    clone.change_params(model="warm", build={"architectures": {**KEEP, "warm": warm}})
    ran = clone.dvc("repro")
    assert "extract@warm" in ran
    assert trained(ran) == ["train@warm-0-0", "train@warm-0-1"]
    info = json.loads((clone.path / "data" / "features" / "warm" / "features.json").read_text())
    assert info["views"] == [f"view-{number}" for number in range(4)]
    card = json.loads((clone.path / "reports" / "models" / "warm" / "card.json").read_text())
    assert card["loaded"][0]["matched"] == 8  # of ten tensors; two belong to the head
    assert clone.dvc("repro") == []
