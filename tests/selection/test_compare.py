import math
from statistics import fmean, stdev

import pytest
from comparisons import findings
from hypothesis import given, settings
from hypothesis import strategies as st
from records import fold_counts, record, timing

from foldwise.selection.metrics import curves_table, fold_metrics, scores_by_model, scores_table
from foldwise.selection.statistics import confidence_interval, sample

SHARES = st.integers(0, 100).map(lambda n: n / 100)


def first(scores, **kwargs):
    return findings(scores, **kwargs).comparison.architectures[0]


def test_numbers_of_one_architecture():
    accuracies = (0.8, 0.9, 0.7)
    found = first(
        {"a": [list(accuracies)]},
        cards={"a": {"parameters": 7, "macs": 11}},
        section={"top_k": 2},
    )
    scores = found.scores
    assert (found.parameters, found.macs) == (7, 11)
    assert (scores.min, scores.max, scores.mean) == (0.7, 0.9, pytest.approx(0.8))
    assert (scores.variance, scores.std) == (pytest.approx(0.01), pytest.approx(0.1))
    assert scores.text == "0.8000 ± 0.3928"  # √(5/6) · 4.302653 · 0.1
    assert (scores.stability_rank, scores.parts) == (1, None)
    folds = [fold_metrics(fold_counts(one, 1000), 2) for one in accuracies]
    assert found.metrics == {name: fmean(fold[name] for fold in folds) for name in folds[0]}


def test_training_cost_has_the_share_of_each_fold_in_the_extraction():
    times, cards = {"a": timing(2.0), "b": timing(6.0)}, {"b": {"extraction": 10.0}}
    result = findings({"a": [[0.9, 0.8]], "b": [[0.7, 0.6]]}, cards, timing=times.get)
    a, b = (architecture.cost for architecture in result.comparison.architectures)
    assert (a.training_seconds, a.total_seconds, a.images_per_second) == (2, 6, 200)
    assert (b.training_seconds, b.extraction_seconds, b.total_seconds) == (6 + 5, 10, 14 + 10)


def test_memory_is_that_of_the_median_fold_and_the_prediction_that_of_the_batch():
    peaks = iter([700, 600, 900])
    found = findings(
        {"a": [[0.9, 0.8, 0.7]]},
        timing=lambda _: timing(2.0).model_copy(update={"peak_memory_bytes": next(peaks)}),
    )
    (one,) = found.comparison.architectures
    assert one.cost.peak_memory_bytes == 700
    assert one.cost.peak_gpu_bytes is None
    assert one.predicted_memory_bytes == 500_000_000 + 20_000_000 + 64 * 1_000_000


@pytest.mark.parametrize(
    "metric", ["accuracy", "balanced_accuracy", "macro_f1", "log_loss", "top_k"]
)
def test_metric_that_decides_is_the_score(metric):
    found = findings({"a": [[0.8, 0.9, 0.7]]}, section={"metric": metric})
    (one,) = found.comparison.architectures
    assert found.scores["score"].tolist() == found.scores[metric].tolist()
    assert one.scores.mean == one.metrics[metric] == pytest.approx(fmean(found.scores[metric]))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(SHARES, min_size=3, max_size=3), min_size=2, max_size=3), st.booleans())
def test_repeats_of_the_same_folds_are_averaged_for_the_interval_alone(rows, resplit):
    found = first({"a": rows}, resplit=resplit, n_validation=100, epochs=1).scores
    every = [score for row in rows for score in row]
    means = [fmean(column) for column in zip(*rows, strict=True)]
    assert (found.mean, found.std) == (pytest.approx(fmean(every)), pytest.approx(stdev(every)))
    assert (found.min, found.max) == (min(every), max(every))
    shares = [fmean(row) for row in rows]  # of 300 images in each repeat
    floor = math.sqrt(fmean(p * (1 - p) / 300 + 1 / 300**2 for p in shares))
    values = sample(every if resplit else means, 3, floor)
    assert found.interval == pytest.approx(confidence_interval(values, 0.95))
    assert (found.parts is None) == resplit
    if found.parts:
        parts = found.parts.fold + found.parts.initialisation
        assert parts == pytest.approx(found.variance, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.none() | SHARES, min_size=3, max_size=3).filter(lambda a: None in a))
def test_fold_that_diverged_is_never_averaged(accuracies):
    found = first({"a": [accuracies]}, epochs=2, n_validation=100)
    assert (found.scores, found.cost, found.metrics) == (None, None, None)
    assert found.diagnosis.fit == "diverged"
    assert found.diagnosis.evidence.startswith(f"{accuracies.count(None)} of 3 folds, repeat 0")
    fold = accuracies.index(None)
    assert f"repeat 0 fold {fold} (train loss is NaN in epoch 2)" in found.diagnosis.evidence


def test_steadiest_has_the_first_rank_of_stability():
    found = findings({"a": [[0.9, 0.8]], "b": [[0.7, 0.7]], "c": [[0.6, 0.7]], "d": [[1, None]]})
    ranks = {
        one.name: one.scores and one.scores.stability_rank for one in found.comparison.architectures
    }
    assert ranks == {"a": 2, "b": 1, "c": 2, "d": None}


def test_record_that_diverged_gives_no_numbers_even_if_it_holds_some():
    records = [record("a", accuracy=0.9, status="diverged"), record("a", fold=1)]
    table = scores_table(records, "accuracy", 3)
    assert table.iloc[0, 3:].isna().all()
    assert table.iloc[1, 3:].notna().all()
    assert scores_by_model(table) == {}


def test_runs_are_by_repeat_and_fold():
    rows = [
        record("a", repeat, fold, (1 + repeat + fold) / 10) for repeat in (0, 2) for fold in (0, 1)
    ]
    assert scores_by_model(scores_table(rows, "accuracy", 3)) == {"a": [[0.1, 0.2], [0.3, 0.4]]}


def test_curves_of_a_fold_that_diverged_end_before_it_did():
    table = curves_table([record("a", epochs=3), record("a", fold=1, accuracy=None, epochs=3)])
    assert table["epoch"].tolist() == [1, 2, 3, 1, 2]
    assert curves_table([record("a", accuracy=None, curves=[])]).empty
