import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.files.project import count_slots


def pipeline(**slots):
    stages = {
        stage: {"matrix": {"model": ["${model}", *(f"${{candidates[{slot}]}}" for slot in found)]}}
        for stage, found in slots.items()
    }
    return {"stages": {"check": {"cmd": "x ${candidates[9]}"}, **stages}}


@given(st.integers(0, 12))
def test_slots_of_the_matrix_are_counted(n):
    assert count_slots(pipeline(build=range(n), train=range(n)), "dvc.yaml") == n


def test_stage_without_slots_does_not_count():
    assert count_slots(pipeline(build=[0, 1], split=[]), "dvc.yaml") == 2
    assert count_slots({"stages": {}}, "dvc.yaml") == 0


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        (
            {"build": [0, 1, 2], "train": [0, 1]},
            "the matrix of train has the slots [0, 1] of candidates; expected [0, 1, 2]",
        ),
        (
            {"build": [0, 2], "train": [0, 2]},
            "the matrix of build has the slots [0, 2] of candidates; expected [0, 1]",
        ),
    ],
)
def test_slot_that_is_left_out_is_named(slots, message):
    with pytest.raises(InputError) as caught:
        count_slots(pipeline(**slots), "dvc.yaml")
    assert str(caught.value) == f"dvc.yaml: {message}, the same for every stage"
