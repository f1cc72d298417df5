"""A fold record that was changed together with its hash in dvc.lock."""

import json
import re

import pytest


@pytest.mark.slow
def test_forged_record_is_refused_until_its_fold_trains_again(clone):
    path = clone.path / "reports/folds/slim_vgg/0-1.json"
    sound = json.loads(path.read_text())
    forged = json.loads(path.read_text())
    forged["curves"][-1]["validation_accuracy"] /= 2
    path.write_text(json.dumps(forged))
    clone.dvc("commit", "--force", "train@slim_vgg-0-1")
    result = clone.quick("dvc", "repro")
    (error,) = re.findall("^error: (.*)", result.stdout + result.stderr, re.MULTILINE)
    assert error.startswith("reports/folds/slim_vgg/0-1.json: validation_accuracy of the last")
    remedy, then = re.findall("'(dvc repro[^']*)'", error)
    assert (remedy, then) == ("dvc repro -f -s train@slim_vgg-0-1", "dvc repro")
    clone.dvc(*remedy.split()[1:])
    clone.dvc("repro")
    trained = json.loads(path.read_text())
    assert trained | {"timing": sound["timing"]} == sound
