import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import record

from foldwise.files.fold_record import Epoch
from foldwise.selection.diagnosis import MAX_DROP, MIN_SLOPE, diagnose, diverged

STEADY = [0.5, 0.7, 0.85, 0.93, 0.95, 0.951, 0.951, 0.952, 0.952]
LOSS = [1.0, 0.8, 0.6, 0.5, 0.4, 0.35, 0.32, 0.31, 0.3]


def curve(validation=STEADY, train=None, loss=LOSS):
    """Return one run; the training accuracy is .01 over validation if not given."""
    train = train or [min(1, one + 0.01) for one in validation]
    return [
        Epoch(
            epoch=epoch,
            train_loss=0.1,
            train_accuracy=own,
            validation_loss=loss[epoch - 1],
            validation_accuracy=one,
        )
        for epoch, (own, one) in enumerate(zip(train, validation, strict=True), start=1)
    ]


def diagnosed(*runs, others=None, target=0.9, gap=0.05):
    curves = {"a": list(runs)} | (others or {})
    return diagnose(curves, target=target, gap=gap)["a"]


def numbers(text):
    return re.findall(r"[+-]?\d+(?:\.\d+)?", text)


def test_healthy():
    found = diagnosed(curve(), curve())
    assert found.fit == "healthy"
    assert numbers(found.evidence) == ["0.962", "+0.010", "+0.0004"]
    assert (found.train_accuracy, found.gap) == (pytest.approx(0.962), pytest.approx(0.01))
    assert (found.start, found.slope) == (0.5, pytest.approx(0.0004))


def test_overfit_is_a_gap_with_a_validation_loss_that_rises_or_nothing_else():
    gap = [min(1, one + 0.2) for one in STEADY]
    wide = [one - 0.06 for one in STEADY]
    rising = [*LOSS[:5], 0.42, 0.44, 0.46, 0.48]
    found = diagnosed(*[curve(wide, gap, rising)] * 2)
    assert found.fit == "overfit"
    assert numbers(found.evidence) == ["1.000", "+0.108", "20", "0.400", "5"]
    found = diagnosed(*[curve(wide, gap, LOSS)] * 2)
    assert (found.fit, numbers(found.evidence)[1]) == ("overfit", "+0.108")
    improving = [*wide[:5], 0.86, 0.87, 0.88, 0.89]
    assert diagnosed(*[curve(improving, gap, LOSS)] * 2).fit == "still improving"
    assert diagnosed(*[curve(improving, gap, rising)] * 2).fit == "overfit"
    assert diagnosed(*[curve(loss=rising)] * 2).fit == "healthy"
    assert diagnosed(*[curve(wide, gap, rising)] * 2, gap=0.2).fit == "healthy"


def test_underfit_is_a_training_accuracy_below_the_target():
    low = [one - 0.1 for one in STEADY]
    found = diagnosed(*[curve(low)] * 2)
    assert found.fit == "underfit"
    assert numbers(found.evidence) == ["0.862", "0.9", "+0.0004"]
    assert diagnosed(*[curve(low)] * 2, target=0.8).fit == "healthy"


def test_still_improving_if_the_last_third_gains():
    rising = [*STEADY[:5], 0.951, 0.957, 0.963, 0.969]
    found = diagnosed(*[curve(rising)] * 2)
    assert found.fit == "still improving"
    assert found.slope == pytest.approx(0.006)
    assert numbers(found.evidence) == ["+0.0060"]


def test_only_the_last_third_says_whether_it_still_improves():
    early = [0.3, 0.5, 0.6, 0.7, 0.95, 0.951, 0.951, 0.951, 0.951]
    assert diagnosed(*[curve(early)] * 2).fit == "healthy"


def test_unstable_if_accuracy_drops_late():
    late = [*STEADY[:6], 0.88, 0.951, 0.952]
    found = diagnosed(*[curve(late)] * 2)
    assert found.fit == "unstable"
    assert numbers(found.evidence) == ["0.071"]


def test_early_swings_do_not_count():
    early = [0.5, 0.9, 0.6, 0.93, *STEADY[4:]]
    assert diagnosed(*[curve(early)] * 2).fit == "healthy"


def test_swing_of_a_single_fold_is_averaged():
    late = [*STEADY[:6], 0.951 - 3 * MAX_DROP, 0.951, 0.952]
    assert diagnosed(curve(late), curve(), curve(), curve()).fit == "healthy"


def ending(*last):
    return [curve([*STEADY[:8], one]) for one in last]


def test_unstable_if_folds_differ_far_more_than_those_of_the_others():
    wild, calm = ending(0.95, 0.99, 0.91), ending(0.95, 0.955, 0.945)
    found = diagnosed(*wild, others={"b": calm, "c": calm})
    assert found.fit == "unstable"
    assert numbers(found.evidence) == ["0.040", "0.005"]
    assert diagnosed(*wild, others={"b": wild, "c": wild}).fit != "unstable"
    assert diagnosed(*wild).fit != "unstable"


def test_small_spread_harms_nobody():
    assert diagnosed(*ending(0.95, 0.96, 0.94), others={"b": ending(0.95, 0.95)}).fit == "healthy"


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_short_runs(epochs):
    runs = [record("a", fold=fold, accuracy=0.9, epochs=epochs).curves for fold in range(3)]
    found = diagnosed(*runs)
    assert found.fit == ("healthy" if epochs == 1 else "still improving")
    assert (found.slope is None) == (found.potential_rank is None) == (epochs == 1)
    assert found.start_rank == 1
    if epochs > 1:
        assert found.slope == pytest.approx(0.9 / epochs)


def test_highest_start_and_greatest_potential_are_ranked():
    slow = [0.2, *STEADY[1:6], 0.953, 0.963, 0.973]
    curves = {"a": [curve()] * 2, "b": [curve(slow)] * 2, "c": [curve()] * 2}
    found = diagnose(curves, target=0.9, gap=0.05)
    assert [one.start_rank for one in found.values()] == [1, 3, 1]
    assert [one.potential_rank for one in found.values()] == [2, 1, 2]


def test_diverged_has_no_numbers():
    found = diverged([record("a"), record("a", fold=1, accuracy=None)])
    assert found.fit == "diverged"
    assert found.evidence == "1 of 2 folds, repeat 0 fold 1 (train loss is NaN in epoch 2)"
    assert found.model_dump(exclude={"fit", "evidence"}) == dict.fromkeys(
        ["train_accuracy", "gap", "start", "slope", "start_rank", "potential_rank"]
    )


SHARE = st.integers(0, 100).map(lambda n: n / 100)


@given(
    st.integers(1, 12).flatmap(
        lambda epochs: st.lists(
            st.lists(st.tuples(SHARE, SHARE), min_size=epochs, max_size=epochs),
            min_size=2,
            max_size=5,
        )
    )
)
def test_every_run_has_a_diagnosis_in_words(runs):
    curves = [
        curve([v for v, _ in run], [t for _, t in run], loss=[1 - v for v, _ in run])
        for run in runs
    ]
    found = diagnosed(*curves)
    assert found.evidence
    assert "nan" not in found.evidence
    assert (found.fit == "underfit") <= (found.train_accuracy < 0.9)
    assert (found.fit == "still improving") <= (
        found.slope is not None and found.slope >= MIN_SLOPE
    )
    assert (found.fit == "overfit") <= (found.gap > 0.05)
