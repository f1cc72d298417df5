import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.files.project import candidate_slots


def pipeline(**slots):
    stages = {
        stage: {"matrix": {"model": ["${model}", *(f"${{candidates[{slot}]}}" for slot in found)]}}
        for stage, found in slots.items()
    }
    return {"stages": {"check": {"cmd": "x ${candidates[9]}"}, **stages}}


@given(st.integers(0, 12))
def test_slots_of_the_matrix_are_counted(n):
    assert candidate_slots(pipeline(build=range(n), train=range(n)), "dvc.yaml") == [*range(n)]


def test_stage_without_slots_does_not_count():
    assert candidate_slots(pipeline(build=[0, 1], split=[]), "dvc.yaml") == [0, 1]
    assert candidate_slots({"stages": {}}, "dvc.yaml") == []


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        (
            {"build": [0, 1, 2], "train": [0, 1]},
            "the matrix of train has the slots [0, 1] of candidates; expected [0, 1, 2]",
        ),
        (
            {"build": [0, -2]},
            "the matrix of build has the slots [-2, 0] of candidates; expected [-1, 0]",
        ),
        (
            {"build": [0, 2], "train": [0, 2]},
            "the matrix of build has the slots [0, 2] of candidates; expected [0, 1]",
        ),
    ],
)
def test_slot_that_is_left_out_is_named(slots, message):
    with pytest.raises(InputError) as caught:
        candidate_slots(pipeline(**slots), "dvc.yaml")
    assert str(caught.value) == f"dvc.yaml: {message}, the same for every stage"


@given(st.integers(0, 5), st.integers(0, 5))
def test_slots_from_the_end_let_a_shorter_list_fill_all(n_from_start, n_from_end):
    slots = [*range(n_from_start), *range(-n_from_end, 0)]
    assert candidate_slots(pipeline(build=slots), "dvc.yaml") == sorted(slots)
    for n in range(max(n_from_start, n_from_end), len(slots) + 1):
        names = [*range(n)]
        assert list(dict.fromkeys(names[slot] for slot in slots)) == names


@pytest.mark.parametrize("candidates", [["lenet5", "nin"], ["lenet5", "nin", "resnet20"]])
def test_dvc_reads_short_lists_of_candidates(tmp_path, monkeypatch, candidates):
    from dvc.repo import Repo

    shutil.copy("dvc.yaml", tmp_path)
    params = yaml.safe_load(Path("params.yaml").read_text()) | {"candidates": candidates}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params | {"model": "slim_vgg"}))
    monkeypatch.chdir(tmp_path)
    with Repo.init(no_scm=True) as repo:
        names = [stage.name for stage in repo.index.stages if stage.name.startswith("build@")]
    assert sorted(names) == sorted(f"build@{name}" for name in [*candidates, "slim_vgg"])
