from random import Random
from statistics import fmean

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from records import card, record

from stages.compare.corrected import interval
from stages.compare.summary import summarise
from stages.compare.tables import scores_table
from stages.compare.verdict import DIGITS, chosen_and_runner_up, difference, rank

FOLDS = st.lists(st.integers(0, 100).map(lambda n: n / 100), min_size=3, max_size=3)


def architecture(name, accuracies, **facts):
    records = [record(name, 0, fold, accuracy) for fold, accuracy in enumerate(accuracies)]
    return summarise(card(name, **facts), records, 0.95)


@example({"a": [0.0, 0.06, 0.83], "b": [0.0, 0.08, 0.81]}, Random(0))  # means apart by rounding
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.none() | FOLDS, min_size=1),
    st.randoms(use_true_random=False),
)
def test_order_given_does_not_change_the_ranking(cases, random):
    every = [architecture(name, scores or [0.9, None, 0.8]) for name, scores in cases.items()]
    ranked = rank(every)
    assert rank(random.sample(every, len(every))) == ranked
    means = [round(one.scores.mean, DIGITS) if one.scores else -1 for one in ranked]
    assert means == sorted(means, reverse=True)
    chosen, runner_up = chosen_and_runner_up(ranked)
    names = [one.name for one in ranked if one.status == "finished"]
    assert [chosen, runner_up] == [*names, None, None][:2]


def test_equal_means_are_told_apart_by_multiply_adds_then_by_name():
    every = [
        architecture("light", [0.8, 0.9, 1.0], multiply_adds=1),
        architecture("also_light", [1.0, 0.8, 0.9], multiply_adds=1),
        architecture("heavy", [0.9, 0.9, 0.9], multiply_adds=2),
        architecture("best", [0.9, 0.9, 0.91], multiply_adds=3),
    ]
    assert [one.name for one in rank(every)] == ["best", "also_light", "light", "heavy"]


def test_means_that_differ_by_rounding_alone_are_a_tie():
    first, second = [0.80, 0.80, 0.87], [0.80, 0.82, 0.85]  # .8233333333333334, .8233333333333333
    assert fmean(first) > fmean(second)
    every = [architecture("a", first), architecture("b", second, multiply_adds=1)]
    assert [one.name for one in rank(every)] == ["b", "a"]


def test_difference_is_paired_by_repeat_and_fold():
    first = {(0, 0): 0.9, (0, 1): 0.8, (0, 2): 0.7}
    second = {(0, 2): 0.65, (0, 0): 0.85, (0, 1): 0.75}  # .05 lower on every fold
    records = [record(*("a", *key), accuracy) for key, accuracy in first.items()]
    records += [record(*("b", *key), accuracy) for key, accuracy in second.items()]
    found = difference(scores_table(records), "a", "b", 3, 0.95)
    assert found.mean == pytest.approx(0.05)
    assert found.interval == pytest.approx((0.05, 0.05))
    assert found.excludes_zero


@given(FOLDS, FOLDS)
def test_interval_that_excludes_zero_is_said_to(first, second):
    rows = [("a", 0, i, x) for i, x in enumerate(first)]
    rows += [("b", 0, i, x) for i, x in enumerate(second)]
    table = pd.DataFrame(rows, columns=["model", "repeat", "fold", "accuracy"])
    found = difference(table, "a", "b", 3, 0.95)
    low, high = interval([x - y for x, y in zip(first, second, strict=True)], 3, 0.95)
    assert found.interval == (low, high)
    assert found.excludes_zero == (not low <= 0 <= high)
    mirrored = difference(table, "b", "a", 3, 0.95)
    assert (mirrored.mean, mirrored.interval) == (-found.mean, (-high, -low))
