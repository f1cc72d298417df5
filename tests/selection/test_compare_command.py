import json

import pytest
import yaml
from measured import MACHINE
from records import SECTION, extraction, flags, latency, record, write_case

from foldwise.core.errors import InputError
from foldwise.files.base import read_json
from foldwise.files.comparison import Comparison
from foldwise.files.fold_record import Machine, record_path, write_record
from foldwise.files.measurements import write_extraction, write_latency
from foldwise.files.tables import SCORES, read_table
from foldwise.files.verdict import Verdict
from stages.compare import main

FILES = (
    *("comparison.json", "verdict.json", "metrics.json", "confused.json"),
    *("scores.csv", "curves.csv", "classes.csv", "confusion.csv"),
)
TWO = {"lenet5": [[0.9, 0.92, 0.91]], "slim_vgg": [[0.95, 0.94, 0.97]]}


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def result(root):
    return read_json(root / "out" / "comparison.json", Comparison)


def verdict(root):
    return read_json(root / "out" / "verdict.json", Verdict)


def change_params(root, **changes):
    path = root / "params.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


def test_golden_comparison(tmp_path, capsys):
    main(write_case(tmp_path, TWO))
    out, error = capsys.readouterr()
    line = "take slim_vgg, accuracy 0.9533 ± 0.0600"
    assert out == f"compare: {line} -> {tmp_path / 'out' / 'verdict.json'}\n"
    assert error == ""
    assert sorted(bytes_of(tmp_path / "out")) == sorted(FILES)
    # differences .05, .02, .06: mean .0433, s² .000433, t(2) 4.3027: half = 4.3027·√(5/6 · s²)
    assert verdict(tmp_path).text == (
        "The second best is lenet5, 0.0433 worse (95 % confidence interval -0.0384 to 0.1251; "
        "p = 0.15). slim_vgg is better by more than 0.01 with probability 89 %, practically equal "
        "with probability 6 %, and worse with probability 5 %. The difference is not significant; "
        "14 repeats with new folds would detect a difference of this size with a power of 80 %."
    )
    summary = verdict(tmp_path).summary
    assert summary.take == (
        "slim_vgg, accuracy 0.9533 ± 0.0600 (95 % confidence interval, 3 folds; the choice among 2 "
        "does not flatter it). slim_vgg is 0.7033 above the baseline of 0.2500 (always predicting "
        "the largest class)."
    )
    assert summary.why == "slim_vgg has the highest mean accuracy."
    assert summary.cost == "5,000 MACs per image, 2 ms per image, and 1,000 parameters."
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics == {
        "metric": "accuracy",
        "mean": 0.953333,
        "std": 0.015275,
        "verdict": "slim_vgg",
        "verdict_mean": 0.953333,
        "verdict_score": 0.953333,
    }
    design = result(tmp_path).design
    assert (design.n_images, design.epochs, design.models) == (300, 2, ["lenet5", "slim_vgg"])


def test_second_run_writes_the_same_bytes(tmp_path):
    write_case(tmp_path, TWO)
    main(flags(tmp_path, "one"))
    main(flags(tmp_path, "two"))
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    for content in bytes_of(tmp_path / "one").values():
        assert str(tmp_path).encode() not in content


def test_files_of_other_experiments_count_in_the_tests_alone_and_are_named(tmp_path, capsys):
    main(write_case(tmp_path, TWO))
    before, tested = bytes_of(tmp_path / "out"), {"comparison.json", "verdict.json"}
    capsys.readouterr()
    for run in [("resnet18", 0, 0), ("resnet18", 0, 1), ("slim_vgg", 7, 0), ("lenet5", 0, 9)]:
        write_record(record_path(tmp_path / "folds", *run), record(*run, accuracy=1.0))
    (tmp_path / "folds" / "broken.json").write_text("{")
    main(flags(tmp_path))
    after = bytes_of(tmp_path / "out")
    assert {name for name in before if after[name] != before[name]} == tested
    assert result(tmp_path).design.compared_before == ["resnet18"]
    error = capsys.readouterr().err
    assert error.startswith(f"warning: {tmp_path / 'folds'}: ")
    assert error.endswith(": . (broken), lenet5 (0-9), resnet18 (0-0, 0-1), slim_vgg (7-0)\n")
    assert error.count("\n") == 1


def test_two_repeats_have_a_score_for_each_fold(tmp_path):
    main(write_case(tmp_path, {"a": [[0.9, 0.8], [0.7, 0.9]], "b": [[0.6, 0.5], [0.7, 0.6]]}))
    assert "2 repeats × 2 folds" in verdict(tmp_path).summary.take
    assert len(read_table(tmp_path / "out" / "scores.csv", SCORES)) == 8
    assert result(tmp_path).design.n_images == 200


def test_architecture_that_diverged_cannot_be_chosen(tmp_path):
    main(write_case(tmp_path, {"good": [[0.5, 0.6]], "bad": [[1.0, None]]}))
    found = verdict(tmp_path)
    assert (found.chosen, found.runner_up) == ("good", None)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics == {
        "metric": "accuracy",
        **{"mean": None, "std": None},
        **{"verdict": "good", "verdict_mean": 0.55, "verdict_score": 0.55},
    }
    assert "bad,0,1,,,,,,,,,\n" in (tmp_path / "out" / "scores.csv").read_text()
    assert result(tmp_path).pairs == []


def test_nothing_is_chosen_if_all_failed(tmp_path, capsys):
    main(write_case(tmp_path, {"a": [[None, 0.6]], "b": [[1.0, None]]}))
    assert sorted(bytes_of(tmp_path / "out")) == sorted(FILES)
    assert verdict(tmp_path).chosen is None
    assert result(tmp_path).baseline is None
    assert "no architecture finished" in capsys.readouterr().out


def test_one_architecture_has_no_runner_up(tmp_path):
    main(write_case(tmp_path, {"a": [[0.5, 0.6]]}))
    found = verdict(tmp_path)
    assert (found.chosen, found.runner_up) == ("a", None)
    assert "the only architecture" in found.summary.why


def test_chosen_architecture_need_not_have_the_best_mean(tmp_path, capsys):
    close = {"a": [[0.9, 0.9, 0.9]], "b": [[0.905, 0.905, 0.905]]}
    main(write_case(tmp_path, close, cards={"a": {"macs": 10}}, n_validation=200))
    assert (verdict(tmp_path).best, verdict(tmp_path).chosen) == ("b", "a")
    assert capsys.readouterr().out.startswith("compare: take a, accuracy 0.9000 ")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["verdict"], metrics["verdict_mean"], metrics["mean"]) == ("a", 0.9, 0.905)


@pytest.mark.parametrize(("cost", "stage"), [("latency", "build"), ("training_seconds", "train")])
def test_costs_measured_on_unlike_machines_are_refused(tmp_path, cost, stage):
    main(write_case(tmp_path, TWO, section={"cost": cost}))
    other = MACHINE.model_copy(update={"cpu": "Xeon"})
    if cost == "latency":
        write_latency(tmp_path / "models" / "lenet5" / "latency.json", latency(machine=other))
    else:
        write_extraction(tmp_path / "extraction" / "lenet5.json", extraction(1.0, other))
    with pytest.raises(InputError, match=f"compare.cost is {cost}.*EPYC.*Xeon.*macs.*{stage}"):
        main(flags(tmp_path))
    change_params(tmp_path, compare=SECTION)
    main(flags(tmp_path))


def test_every_machine_is_named_once(tmp_path):
    write_case(tmp_path, TWO)
    gpu = Machine(
        cpu="EPYC", device="cuda NVIDIA H100", precision="bfloat16", threads=2, versions={}
    )
    other = record("lenet5", 0, 1, 0.92, machine=gpu)
    write_record(record_path(tmp_path / "folds", "lenet5", 0, 1), other)
    main(flags(tmp_path))
    assert [one.device for one in result(tmp_path).machines] == ["cpu", "cuda NVIDIA H100"]


def test_top_k_of_all_classes_decides_nothing(tmp_path):
    main(write_case(tmp_path, TWO, section={"top_k": 4}))
    assert result(tmp_path).architectures[0].metrics["top_k"] == 1
    change_params(tmp_path, compare=SECTION | {"top_k": 4, "metric": "top_k"})
    with pytest.raises(InputError) as caught:
        main(flags(tmp_path))
    message = str(caught.value)
    assert message.startswith("params.yaml: compare.top_k is 4, but ")
    assert f"{tmp_path / 'folds' / 'lenet5' / '0-0.json'} has 4 classes" in message
    assert "set compare.top_k to less than 4, or compare.metric to accuracy" in message


@pytest.mark.parametrize(
    "changes", [{"folds": [0]}, {"repeats": []}, {"compare": {}}, {"resplit": 1}]
)
def test_design_that_cannot_be_compared_is_refused(tmp_path, changes):
    write_case(tmp_path, TWO)
    change_params(tmp_path, **changes)
    with pytest.raises(InputError, match=rf"params.yaml: {next(iter(changes))}"):
        main(flags(tmp_path))


def test_verdict_without_labels_that_look_wrong(tmp_path):
    """Counts without such images, as the stage inspect writes them, may choose another network."""
    arguments = write_case(tmp_path, TWO)
    main(arguments)
    assert verdict(tmp_path).chosen == verdict(tmp_path).chosen_without == "slim_vgg"
    path = tmp_path / "inspection" / "counts.json"
    counts = json.loads(path.read_text())
    for run in counts["runs"]:
        better = 0.99 if run["model"] == "lenet5" else 0.95
        run["fold_counts"] = record("a", accuracy=better).fold_counts.model_dump()
    path.write_text(json.dumps(counts))
    main(arguments)
    assert (verdict(tmp_path).chosen, verdict(tmp_path).chosen_without) == ("slim_vgg", "lenet5")
    del counts["runs"][0]
    path.write_text(json.dumps(counts))
    with pytest.raises(
        InputError, match=r"counts.json: lenet5 repeat 0 fold 0 is missing; .*repro"
    ):
        main(arguments)
