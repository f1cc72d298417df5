from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.files.slots import (
    candidate_slots,
    fewest_and_most,
    slots_for,
    with_names,
    with_slots,
)


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
            "a list of train has the slots [0, 1] of candidates; expected [0, 1, 2]",
        ),
        (
            {"build": [0, -2]},
            "a list of build has the slots [-2, 0] of candidates; expected [-1, 0]",
        ),
        (
            {"build": [0, 2], "train": [0, 2]},
            "a list of build has the slots [0, 2] of candidates; expected [0, 1]",
        ),
    ],
)
def test_slot_that_is_left_out_is_named(slots, message):
    with pytest.raises(InputError) as caught:
        candidate_slots(pipeline(**slots), "dvc.yaml")
    assert message in str(caught.value)
    assert "'foldwise candidates NAMES'" in str(caught.value)


def test_a_list_of_deps_without_a_slot_is_named():
    content = pipeline(build=[0, -1]) | {}
    deps = ["a", "b/${candidates[0]}", {"b/${candidates[-1]}": {"cache": False}}]
    content["stages"]["inspect"] = {"deps": [*deps, "c/${candidates[0]}"]}
    with pytest.raises(InputError, match=r"a list of inspect has the slots \[0\]"):
        candidate_slots(content, "dvc.yaml")
    content["stages"]["inspect"] = {"deps": deps}
    assert candidate_slots(content, "dvc.yaml") == [-1, 0]


@given(st.integers(0, 5), st.integers(0, 5))
def test_slots_from_the_end_let_a_shorter_list_fill_all(n_from_start, n_from_end):
    slots = [*range(n_from_start), *range(-n_from_end, 0)]
    assert candidate_slots(pipeline(build=slots), "dvc.yaml") == sorted(slots)
    for n in range(max(n_from_start, n_from_end), len(slots) + 1):
        names = [*range(n)]
        assert list(dict.fromkeys(names[slot] for slot in slots)) == names


@given(st.integers(1, 40))
def test_slots_hold_so_many_names_and_half_of_them(n):
    fewest, most = fewest_and_most(slots_for(n))
    assert fewest <= max((n + 1) // 2, min(n, 2))
    assert n <= most <= max(n + 1, 4)


@pytest.mark.parametrize("n", [1, 20])
def test_slots_of_dvc_yaml_change_back_to_the_same_text(n):
    text = Path("dvc.yaml").read_text()
    many = with_slots(text, slots_for(n))
    assert candidate_slots(yaml.safe_load(many), "") == sorted(slots_for(n))
    assert max(len(line) for line in many.splitlines() if "candidates[" in line) <= 100
    assert with_slots(many, slots_for(3)) == text


LISTS = """stages:
  race:
    matrix:
      model: ["${model}", "${ candidates[0] }", "${candidates[-1]}"]  # three
    outs:
    # first
    - x/${model}
    - x/${candidates[0]}:  # kept
        cache: false
    - y/${candidates[0]}/1  # all
    - x/${candidates[-1]}:
        cache: false
    - y/${candidates[-1]}/1

    # last
    - z"""


def test_slots_of_any_form_are_written_and_comments_stay():
    text = with_slots(LISTS, slots_for(3))
    content = yaml.safe_load(text)["stages"]["race"]
    slots = [f"${{candidates[{slot}]}}" for slot in (0, 1, -2, -1)]
    assert content["matrix"]["model"] == ["${model}", *slots]
    xs = [{f"x/{slot}": {"cache": False}} for slot in slots]
    assert content["outs"] == ["x/${model}", *xs, *(f"y/{slot}/1" for slot in slots), "z"]
    for comment in ("]  # three", "    # first\n", ":  # kept\n", "1  # all\n", "\n    # last\n"):
        assert comment in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("candidates: ['a', b]  # two\n", "candidates: ['a', c]  # two\n"),
        ("candidates:\n- b\n- a  # good", "candidates:\n- a  # good\n- c\n"),
        (
            "candidates:  # two\n  - a\n\n  # b\n  - b  # bad\n\n# next\nx: 1\n",
            "candidates:  # two\n  - a\n  - c\n\n# next\nx: 1\n",
        ),
    ],
)
def test_names_change_and_comments_stay(before, after):
    assert with_names(before, ["a", "c"]) == after
    assert with_names(after, ["a", "c"]) == after


@pytest.mark.parametrize("text", ["x: 1", "candidates: []", "candidates: a"])
def test_candidates_that_are_no_list_are_named(text):
    with pytest.raises(InputError, match=r"candidates is no list; write"):
        with_names(text, ["a"])


@pytest.mark.parametrize("candidates", [["lenet5", "nin"], [f"resnet{n}" for n in range(7)]])
def test_dvc_reads_lists_of_candidates(tmp_path, monkeypatch, candidates):
    from dvc.repo import Repo

    text = with_slots(Path("dvc.yaml").read_text(), slots_for(len(candidates)))
    (tmp_path / "dvc.yaml").write_text(text)
    params = yaml.safe_load(Path("params.yaml").read_text()) | {"candidates": candidates}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params | {"model": "slim_vgg"}))
    monkeypatch.chdir(tmp_path)
    with Repo.init(no_scm=True) as repo:
        names = [stage.name for stage in repo.index.stages if stage.name.startswith("build@")]
    assert sorted(names) == sorted(f"build@{name}" for name in [*candidates, "slim_vgg"])
