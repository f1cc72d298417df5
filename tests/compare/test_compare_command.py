import json
import shutil
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from records import card, flags, record, write_case

from stages.compare.__main__ import main
from stages.compare.wording import verdict_text
from stages.contracts.card import write_card
from stages.contracts.command import InputError
from stages.contracts.comparison import read_comparison, read_scores
from stages.contracts.fold_record import Machine, record_path, write_record

FILES = ("comparison.json", "metrics.json", "scores.csv", "curves.csv")
TWO = {"lenet5": [[0.9, 0.92, 0.91]], "slim_vgg": [[0.95, 0.94, 0.97]]}


def bytes_of(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def result(root):
    return read_comparison(root / "out" / "comparison.json")


def change_params(root, **changes):
    path = root / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


def test_golden_comparison(tmp_path, capsys):
    main(write_case(tmp_path, TWO))
    out, error = capsys.readouterr()
    assert out == (
        "compare: slim_vgg, accuracy 0.9533 ± 0.0600 (95 %), 2 architectures × 3 folds"
        f" -> {tmp_path / 'out' / 'comparison.json'}\n"
    )
    assert error == ""
    verdict = result(tmp_path).verdict
    # differences .05, .02, .06: mean .0433, s² .000433, t(2) 4.3027: half = 4.3027·√(5/6 · s²)
    assert verdict.text == (
        "slim_vgg has the highest mean accuracy: 0.9533 ± 0.0600 (95 % interval, 3 folds). It "
        "leads lenet5 by 0.0433 (95 % interval -0.0384 to 0.1251). The interval contains 0: these "
        "folds do not separate the two, and slim_vgg is not surely the better one."
    )
    assert not verdict.difference.excludes_zero
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics == {
        "mean": 0.953333,
        "std": 0.015275,
        "verdict": "slim_vgg",
        "verdict_mean": 0.953333,
    }
    design = result(tmp_path).design
    assert (design.n_images, design.epochs, design.models) == (300, 2, ["lenet5", "slim_vgg"])


def test_second_run_writes_the_same_bytes(tmp_path):
    write_case(tmp_path, TWO)
    main(flags(tmp_path, "one"))
    main(flags(tmp_path, "two"))
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert str(tmp_path) not in (tmp_path / "one" / "comparison.json").read_text()


def test_files_of_other_experiments_change_nothing_and_are_named_in_one_line(tmp_path, capsys):
    main(write_case(tmp_path, TWO))
    before = bytes_of(tmp_path / "out")
    capsys.readouterr()
    for run in [("resnet18", 0, 0), ("resnet18", 0, 1), ("slim_vgg", 7, 0), ("lenet5", 0, 9)]:
        write_record(record_path(tmp_path / "folds", *run), record(*run, accuracy=1.0))
    (tmp_path / "folds" / "broken.json").write_text("{")
    main(flags(tmp_path))
    assert bytes_of(tmp_path / "out") == before
    assert capsys.readouterr().err == (
        f"warning: {tmp_path / 'folds'}: records of other experiments change nothing here: "
        ". (broken), lenet5 (0-9), resnet18 (0-0, 0-1), slim_vgg (7-0)\n"
    )


@given(st.permutations(["a", "b", "c", "d"]))
def test_order_of_the_candidates_does_not_change_the_verdict(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("order")
    scores = {"a": [0.9, 0.9, 0.9], "b": [0.8, 0.9, 1.0], "c": [0.9, 0.9, 0.6], "d": [1, None, 1]}
    main(write_case(root, {name: [scores[name]] for name in names}))
    found = result(root)
    assert [one.name for one in found.architectures] == ["a", "b", "c", "d"]
    assert (found.verdict.chosen, found.verdict.runner_up) == ("a", "b")
    assert "b has the same mean" in found.verdict.text
    assert "a is chosen since its name comes first." in found.verdict.text
    assert "Diverged, hence without a score: d." in found.verdict.text


def test_equal_means_are_decided_by_multiply_adds(tmp_path):
    even = {"a": [[0.9, 0.8]], "b": [[0.8, 0.9]]}
    main(write_case(tmp_path, even, cards={"b": {"multiply_adds": 4999}}))
    assert "b is chosen since it needs fewer multiply-adds." in result(tmp_path).verdict.text


def test_clear_difference_is_said_to_separate(tmp_path):
    main(write_case(tmp_path, {"a": [[0.9, 0.91, 0.9]], "b": [[0.5, 0.52, 0.5]]}))
    text = result(tmp_path).verdict.text
    assert "The interval excludes 0: these folds separate the two." in text
    assert "surely" not in text


def test_two_repeats(tmp_path, capsys):
    main(write_case(tmp_path, {"a": [[0.9, 0.8], [0.7, 0.9]], "b": [[0.6, 0.5], [0.7, 0.6]]}))
    assert "2 architectures × 2 repeats × 2 folds" in capsys.readouterr().out
    assert len(read_scores(tmp_path / "out" / "scores.csv")) == 8
    assert result(tmp_path).design.n_images == 200


def test_architecture_that_diverged_cannot_be_chosen(tmp_path):
    main(write_case(tmp_path, {"good": [[0.5, 0.6]], "bad": [[1.0, None]]}))
    found = result(tmp_path)
    assert (found.verdict.chosen, found.verdict.runner_up, found.verdict.difference) == (
        *("good", None),
        None,
    )
    assert "good is the only architecture with a score" in found.verdict.text
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics == {"mean": None, "std": None, "verdict": "good", "verdict_mean": 0.55}
    assert "bad,0,1,,,,\n" in (tmp_path / "out" / "scores.csv").read_text()


def test_nothing_is_chosen_if_all_failed(tmp_path, capsys):
    main(write_case(tmp_path, {"a": [[None, 0.6]], "b": [[1.0, None]]}))
    verdict = result(tmp_path).verdict
    assert (verdict.chosen, verdict.runner_up, verdict.difference) == (None, None, None)
    assert verdict.text.startswith("Nothing can be chosen: no architecture finished")
    assert capsys.readouterr().out.startswith("compare: no architecture finished, 2 arch")


def test_one_architecture_has_no_runner_up(tmp_path, capsys):
    main(write_case(tmp_path, {"a": [[0.5, 0.6]]}))
    verdict = result(tmp_path).verdict
    assert (verdict.chosen, verdict.runner_up, verdict.difference) == ("a", None, None)
    assert "1 architecture × 2 folds" in capsys.readouterr().out


def test_picking_two_of_many_is_admitted(tmp_path):
    main(write_case(tmp_path, {name: [[0.5, 0.6]] for name in "abcd"}))
    assert "picking the first two of 4 architectures" in result(tmp_path).verdict.text


def test_every_machine_is_named_once(tmp_path):
    write_case(tmp_path, TWO)
    gpu = Machine(device="cuda NVIDIA H100", precision="bfloat16", threads=2, torch="2.14.0")
    other = record("lenet5", 0, 1, 0.92, machine=gpu)
    write_record(record_path(tmp_path / "folds", "lenet5", 0, 1), other)
    main(flags(tmp_path))
    assert [one.device for one in result(tmp_path).machines] == ["cpu", "cuda NVIDIA H100"]


def test_missing_record_is_named_with_what_to_do(tmp_path):
    write_case(tmp_path, TWO)
    path = record_path(tmp_path / "folds", "lenet5", 0, 1)
    path.unlink()
    with pytest.raises(InputError) as caught:
        main(flags(tmp_path))
    assert str(caught.value) == f"{path} is missing; run 'dvc repro' to make it"
    assert not (tmp_path / "out").exists()


def test_missing_card_is_named_with_what_to_do(tmp_path):
    write_case(tmp_path, TWO)
    shutil.rmtree(tmp_path / "models" / "lenet5")
    with pytest.raises(InputError, match=r"lenet5/card.json is missing; run 'dvc repro'"):
        main(flags(tmp_path))


def test_card_of_another_architecture(tmp_path):
    write_case(tmp_path, TWO)
    write_card(tmp_path / "models" / "lenet5", card("alexnet"))
    with pytest.raises(InputError, match=r"lenet5/card.json: name is 'alexnet'; expected 'lenet5'"):
        main(flags(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "slim_vgg"}, "model is 'slim_vgg'; expected 'lenet5'"),
        ({"repeat": 1}, "repeat is 1; expected 0"),
        ({"fold": 2}, "fold is 2; expected 1"),
        ({"n_folds": 5}, "n_folds is 5; expected 3"),
        ({"accuracy": None, "status": "finished", "curves": []}, "status is 'finished', but a sc"),
        ({"epochs": 9, "curves": []}, "status is 'finished', but a score or an epoch is missing"),
    ],
)
def test_record_that_is_not_of_its_place(tmp_path, changes, message):
    write_case(tmp_path, TWO)
    path = record_path(tmp_path / "folds", "lenet5", 0, 1)
    write_record(path, record(**{"model": "lenet5", "fold": 1} | changes))
    with pytest.raises(InputError) as caught:
        main(flags(tmp_path))
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "run 'dvc repro'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", [{"n_train": 199}, {"n_validation": 101}, {"epochs": 3}])
def test_folds_that_do_not_pair(tmp_path, changes):
    write_case(tmp_path, TWO)
    path = record_path(tmp_path / "folds", "slim_vgg", 0, 2)
    write_record(path, record("slim_vgg", 0, 2, 0.97, **changes))
    (key, value), twin = *changes.items(), record_path(tmp_path / "folds", "lenet5", 0, 2)
    with pytest.raises(InputError, match=f"{key} is {value}, but ") as caught:
        main(flags(tmp_path))
    assert str(path) in str(caught.value)
    assert f" in {twin}; run 'dvc repro'" in str(caught.value)


@pytest.mark.parametrize("changes", [{"folds": [0]}, {"repeats": []}, {"compare": {}}])
def test_design_that_cannot_be_compared(tmp_path, changes):
    write_case(tmp_path, TWO)
    change_params(tmp_path, **changes)
    with pytest.raises(InputError, match=rf"params.yaml: {next(iter(changes))}"):
        main(flags(tmp_path))


def test_compare_does_not_import_torch():
    code = "import sys, stages.compare.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_verdict_of_nothing_is_a_sentence(tmp_path):
    main(write_case(tmp_path, TWO))
    assert verdict_text([], None, result(tmp_path).design).startswith("Nothing can be chosen")
