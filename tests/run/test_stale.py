from pathlib import Path

import pytest
import yaml

from foldwise.run.dvc import UPSTREAM
from foldwise.run.progress import count_line, short_name, stale_trainings

PIPELINE = yaml.safe_load((Path(__file__).parents[2] / "dvc.yaml").read_text())["stages"]


def outputs(stage):
    """Return what comes before the first variable of each output of a stage."""
    outs = [out if isinstance(out, str) else next(iter(out)) for out in PIPELINE[stage]["outs"]]
    return [out.split("${")[0].rstrip("/") for out in outs]


def before(stage):
    """Return the stages that a stage needs, and those that they need."""
    deps = PIPELINE[stage]["deps"]
    near = {
        other
        for other in PIPELINE
        if other != stage
        for out in outputs(other)
        if any(dep.startswith(out) for dep in deps)
    }
    return near.union(*(before(other) for other in near))


def test_upstream_is_all_that_train_needs():
    assert before("train") == {"check", *UPSTREAM}


def test_stale_trainings_keep_the_order_in_which_dvc_names_them():
    status = '{"train@b-0-1": [{"changed outs": {}}], "train@a-0-0": ["changed command"]}'
    assert stale_trainings(status) == ["train@b-0-1", "train@a-0-0"]
    assert stale_trainings("{}") == []


def test_a_training_is_named_by_architecture_repeat_and_fold():
    assert short_name("train@lenet5-0-1") == "lenet5-0-1"


@pytest.mark.parametrize(
    ("n", "words"), [(0, "nothing is stale"), (1, "1 stale training"), (2, "2 stale trainings")]
)
def test_stale_trainings_are_counted_in_words(n, words):
    assert count_line(["train@a-0-0"] * n) == words
