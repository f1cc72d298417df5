import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import card, record

from stages.compare.summary import summarise
from stages.compare.tables import curves_table, scores_table
from stages.contracts.fold_record import Timing


def test_numbers_of_one_architecture():
    times = [(2.0, 10.0), (4.0, 30.0), (6.0, 20.0)]  # seconds of training, images / second
    records = [
        record(
            "a",
            fold=fold,
            accuracy=accuracy,
            log_loss=loss,
            timing=Timing(
                train_seconds=seconds,
                evaluate_seconds=9,
                total_seconds=seconds + 1,
                images_per_second=speed,
            ),
        )
        for fold, (accuracy, loss, (seconds, speed)) in enumerate(
            zip((0.8, 0.9, 0.7), (0.1, 0.2, 0.6), times, strict=True)
        )
    ]
    found = summarise(card("a", parameters=7, multiply_adds=11), records, 0.95)
    scores, cost = found.scores, found.cost
    assert (found.status, found.reason) == ("finished", None)
    assert (found.title, found.parameters, found.multiply_adds) == ("The a", 7, 11)
    assert (scores.min, scores.max, scores.mean) == (0.7, 0.9, pytest.approx(0.8))
    assert (scores.variance, scores.std) == (pytest.approx(0.01), pytest.approx(0.1))
    assert scores.log_loss == pytest.approx(0.3)
    assert scores.train_accuracy == pytest.approx(0.82)
    assert scores.gap == pytest.approx(0.02)
    assert scores.text == "0.8000 ± 0.3928"  # √(5/6) · 4.302653 · 0.1
    assert cost.seconds_per_epoch == pytest.approx(2)  # two epochs a fold
    assert cost.total_seconds == pytest.approx(15)
    assert cost.images_per_second == pytest.approx(20)


@given(st.lists(st.none() | st.floats(0, 1), min_size=3, max_size=3).filter(lambda a: None in a))
def test_fold_that_diverged_is_never_averaged(accuracies):
    records = [record("a", fold=fold, accuracy=one) for fold, one in enumerate(accuracies)]
    found = summarise(card("a"), records, 0.95)
    assert (found.status, found.scores, found.cost) == ("failed", None, None)
    assert found.reason.startswith(f"diverged in {accuracies.count(None)} of 3 folds: repeat 0")
    fold = accuracies.index(None)
    assert f"repeat 0 fold {fold} (train loss is NaN in epoch 2)" in found.reason


def test_record_that_diverged_gives_no_numbers_even_if_it_holds_some():
    table = scores_table([record("a", accuracy=0.9, status="diverged")])
    assert table.iloc[0, 3:].isna().all()
    found = summarise(card("a"), [record("a", status="diverged")] * 2, 0.95)
    assert found.scores is None


def test_curves_of_a_fold_that_diverged_end_before_it_did():
    table = curves_table([record("a", epochs=3), record("a", fold=1, accuracy=None, epochs=3)])
    assert table["epoch"].tolist() == [1, 2, 3, 1, 2]
    assert curves_table([record("a", accuracy=None, curves=[])]).empty
