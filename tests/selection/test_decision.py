import re
from random import Random
from statistics import fmean

import pytest
from comparisons import STEADY, findings, moved
from hypothesis import example, given, settings
from hypothesis import strategies as st
from records import MACHINE

from foldwise.selection.decision import decide
from foldwise.selection.metrics import ranks
from foldwise.selection.statistics import DIGITS, POWER, error_factor, power

FOLDS = st.lists(st.integers(0, 100).map(lambda n: n / 100), min_size=3, max_size=3)
SIZES = st.integers(1, 3)


def verdict(scores, **kwargs):
    return findings(scores, **kwargs).verdict


def names(found, **which):
    return [
        one.name for one in found.contenders if all(getattr(one, k) == v for k, v in which.items())
    ]


@settings(max_examples=10, deadline=None)
@example({"a": ([0.0, 0.06, 0.83], 1, 1), "b": ([0.0, 0.08, 0.81], 1, 1)}, Random(0))  # rounding
@given(
    st.dictionaries(
        st.sampled_from("abcd"), st.tuples(FOLDS | st.none(), SIZES, SIZES), min_size=1
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_the_candidates_changes_nothing(cases, random):
    order = random.sample(list(cases), len(cases))
    found, again = (
        findings(
            {name: [cases[name][0] or [0.9, None, 0.8]] for name in some},
            {name: {"macs": cases[name][1], "parameters": cases[name][2]} for name in some},
            {"worth": 0.1},
            n_validation=100,
            epochs=1,
        )
        for some in (cases, order)
    )
    assert again.verdict == found.verdict
    assert again.comparison.architectures == found.comparison.architectures
    assert again.comparison.pairs == found.comparison.pairs
    assert again.confused == found.confused


def test_best_mean_is_taken_where_all_others_give_up_more():
    found = verdict({"a": STEADY, "b": moved(0.05)}, cards={"a": {"macs": 10}})
    assert (found.chosen, found.best, found.runner_up) == ("b", "b", "a")
    assert names(found, within_worth=True) == ["b"]
    assert "a is cheaper, but is expected to give up" in found.summary.why
    assert "a would need 10 instead of 5,000 MACs per image" in found.summary.cost


def test_cheaper_one_that_gives_up_little_is_taken():
    found = verdict({"a": STEADY, "b": moved(0.005)}, cards={"a": {"macs": 10}})
    assert (found.chosen, found.best) == ("a", "b")
    (b, a) = found.contenders
    assert (b.expected_shortfall, b.shortfall, b.different) == (0, 0, False)
    # 25 of 5,000 images: the standard error is at least sqrt(26) / 5000, no spread between folds
    assert (a.expected_shortfall, a.shortfall) == pytest.approx((0.005, 0.005), abs=2e-5)
    assert (a.within_worth, a.different) == (True, True)


@pytest.mark.parametrize(("metric", "best"), [("accuracy", "b"), ("log_loss", "b")])
def test_better_means_are_first_whichever_way_the_metric_goes(metric, best):
    found = verdict({"a": STEADY, "b": moved(0.05)}, section={"metric": metric})
    assert (found.best, found.chosen) == (best, best)
    first, second = (one.mean for one in found.contenders)
    assert (first > second) == (metric == "accuracy")


def test_what_a_lower_cost_is_worth_decides():
    noisy = [[0.905, 0.94, 0.895, 0.89, 0.888]]
    facts = {"scores": {"a": STEADY, "b": noisy}, "cards": {"a": {"macs": 10}}}
    expected = verdict(**facts).contenders[1].expected_shortfall
    assert expected > 0.0036  # the difference of the means
    for worth, chosen in ((expected + 1e-9, "a"), (expected - 1e-9, "b"), (0, "b")):
        assert verdict(**facts, section={"worth": worth}).chosen == chosen


@pytest.mark.parametrize(("n_repeats", "resplit"), [(1, True), (3, False)])
def test_repeats_find_the_difference_after_holm_and_are_more_than_now(n_repeats, resplit):
    noisy = [[0.75, 0.86, 0.88, 0.77, 0.85]] * n_repeats
    scores = {"a": [[0.90, 0.91, 0.89, 0.92, 0.90]], "b": [[0.878, 0.864, 0.860, 0.872, 0.867]]}
    scores = {name: rows * n_repeats for name, rows in scores.items()}
    scores |= dict.fromkeys("cdef", noisy)
    decision = decide(findings(scores, resplit=resplit).comparison)
    pair, pairs = decision.pair, decision.comparison.pairs
    level = 0.05 / (len(pairs) - sum(each.different for each in pairs))
    assert level < pair.p, "not significant after Holm"
    needed = decision.repeats_needed
    assert needed > n_repeats
    effect = pair.mean / (pair.standard_error / error_factor(pair.n, 5))
    assert power(effect, 5 * needed, 5, 1 - level) >= POWER
    assert power(effect, pair.n, 5, 0.95) >= POWER, "as if there were no other pair"


@pytest.mark.parametrize("cost", ["training_seconds", "latency"])
def test_measured_costs_within_ten_percent_are_equal_and_then_size_decides(cost):
    scores = {"a": STEADY, "b": moved(0.001), "c": moved(0.002)}
    key = "seconds" if cost == "training_seconds" else "latency"
    cards = {
        "a": {key: 1.0, "parameters": 500},
        "b": {key: 1.09, "parameters": 400},
        "c": {key: 1.2, "parameters": 300},
    }
    assert verdict(scores, cards=cards, section={"cost": cost}).chosen == "b"
    cards["b"]["parameters"] = 501
    assert verdict(scores, cards=cards, section={"cost": cost}).chosen == "a"


@pytest.mark.parametrize(
    ("facts", "chosen"),
    [
        ({}, "a"),
        ({"b": {"macs": 4999}}, "b"),
        ({"c": {"parameters": 999}, "b": {"macs": 4999}}, "b"),  # MACs are counted: no tolerance
        ({"b": {"seconds": 1.0}, "c": {"parameters": 999}}, "c"),
    ],
)
def test_equal_in_all_else(facts, chosen):
    assert verdict(dict.fromkeys("cab", STEADY), cards=facts).chosen == chosen


def test_a_clock_that_moves_changes_nothing_of_the_default_verdict():
    scores = {"a": STEADY, "b": moved(0.001), "c": moved(-0.05)}
    slower = {"a": {"seconds": 1.5 * 1.29, "latency": 0.0026}, "c": {"extraction": 9.0}}
    assert verdict(scores, cards=slower) == verdict(scores)
    timed = {"cost": "training_seconds"}
    assert verdict(scores, cards=slower, section=timed) != verdict(scores, section=timed)


def test_frozen_network_is_as_expensive_as_it_is_in_use_and_in_extraction():
    scores = {"lenet5": STEADY, "frozen": moved(0.001)}
    cards = {
        "lenet5": {"macs": 423_038, "seconds": 0.2},
        "frozen": {"macs": 9 * 423_038, "seconds": 0.02, "extraction": 10.0, "latency": 0.009},
    }
    for cost in ("macs", "latency", "training_seconds"):
        assert verdict(scores, cards=cards, section={"cost": cost}).chosen == "lenet5"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(-12, 12), SIZES, SIZES), min_size=1, max_size=4))
def test_choice_gives_up_little_and_none_that_does_is_cheaper(cases):
    scores = {f"m{i}": moved(shift / 1000) for i, (shift, _, _) in enumerate(cases)}
    cards = {f"m{i}": {"macs": s, "parameters": p} for i, (_, s, p) in enumerate(cases)}
    found = verdict(scores, cards=cards, epochs=1)
    allowed = {one.name: one for one in found.contenders if one.expected_shortfall <= 0.01}
    assert names(found, within_worth=True) == list(allowed)
    assert found.chosen in allowed
    keys = {name: (one.cost, one.parameters, -one.mean, name) for name, one in allowed.items()}
    assert keys[found.chosen] == min(keys.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"cpu": "Xeon"},
        {"device": "cuda H100"},
        {"precision": "bfloat16"},
        {"threads": 4},
        {"versions": {"torch": "1.0"}},
    ],
)
def test_unlike_machines_are_named_and_the_cost_is_the_same(changes):
    other = MACHINE.model_copy(update=changes)
    scores = {"a": STEADY, "b": moved(-0.001)}
    equal = verdict(scores, cards={"b": {"macs": 10}})
    unlike = verdict(
        scores, cards={"b": {"macs": 10}}, machine=lambda name: other if name == "a" else MACHINE
    )
    assert "unlike machines" not in equal.summary.sure
    assert unlike.contenders == equal.contenders
    (key, value), *_ = (changes.get("versions") or changes).items()
    _, _, caution = unlike.summary.sure.partition("Caution: ")
    assert caution.startswith("the folds were trained on unlike machines or versions")
    assert re.search(rf"[(; ]{key} .*{value}", caution)


def test_equal_means_are_ranked_by_macs_then_by_name():
    scores = {
        "light": [[0.8, 0.9, 1.0]],
        "also_light": [[1.0, 0.8, 0.9]],
        "heavy": [[0.9, 0.9, 0.9]],
        "best": [[0.9, 0.9, 0.91]],
        "bad": [[0.9, None, 1.0]],
    }
    sizes = {"light": 1, "also_light": 1, "heavy": 2, "best": 3}
    found = findings(scores, {name: {"macs": size} for name, size in sizes.items()})
    order = [one.name for one in found.comparison.architectures]
    assert order == ["best", "also_light", "light", "heavy", "bad"]
    assert [one.name for one in found.verdict.contenders] == order[:-1]


def test_means_that_differ_by_rounding_alone_are_a_tie():
    first, second = [0.80, 0.80, 0.87], [0.80, 0.82, 0.85]  # .8233333333333334, .8233333333333333
    assert fmean(first) > fmean(second)
    found = verdict({"a": [first], "b": [second]}, cards={"b": {"macs": 1}})
    assert found.best == "b"


@pytest.mark.parametrize("fold", [0.99, None])
def test_what_has_seen_the_images_changes_nothing_in_the_choice_among_the_others(fold):
    scores = {"a": STEADY, "b": moved(0.02), "warm": [[0.99, 0.98, 0.99, 0.99, fold]]}
    cards = {"warm": {"seen_images": 100, "macs": 1, "parameters": 1, "seconds": 0.1}}
    found = findings(scores, cards=cards)
    others = findings({name: scores[name] for name in "ab"})
    assert found.comparison.pairs == others.comparison.pairs
    text, sentence = found.verdict.text.split(" warm ")
    assert "kept out" in sentence
    assert "100 images" in sentence
    assert found.verdict.model_copy(update={"text": text}) == others.verdict
    assert len(found.comparison.architectures) == 3


def test_only_architectures_that_have_seen_the_images_leave_nothing_to_choose():
    found = findings({"warm": STEADY}, cards={"warm": {"seen_images": 3}})
    assert (found.verdict.best, found.verdict.chosen, found.metrics.mean) == (None, None, None)
    assert found.verdict.text.startswith("Nothing can be chosen")
    assert "3 images" in found.verdict.text
    assert "warm" in found.verdict.next[0]
    assert found.confused.model is None
    assert found.comparison.finished


def test_nothing_is_chosen_if_all_failed():
    found = verdict({"a": [[None, 0.6]], "b": [[1.0, None]]})
    assert (found.best, found.chosen, found.runner_up, found.contenders) == (None, None, None, [])


@given(st.dictionaries(st.text(), st.integers(0, 5).map(float)))
def test_equal_values_share_a_rank(values):
    found = ranks(values)
    ordered = sorted(values.values())
    assert found == {name: 1 + ordered.index(value) for name, value in values.items()}
    assert round(0.1 + 0.2, DIGITS) == 0.3
    assert ranks({"a": 0.1 + 0.2, "b": 0.3}) == {"a": 1, "b": 1}
