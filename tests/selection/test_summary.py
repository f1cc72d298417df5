import re

import pytest
from comparisons import NOISY, STEADY, findings, moved
from hypothesis import example, given, settings
from hypothesis import strategies as st
from records import STOPPED

from foldwise.selection.few_steps import REGRETS

FOLDS = st.lists(st.integers(85, 95).map(lambda n: n / 100), min_size=5, max_size=5)


def summary(scores, **kwargs):
    return findings(scores, **kwargs).verdict.summary


def ranges(change):
    """Return each range of `compare.worth` in the text, as smallest, largest and name."""
    found = re.findall(
        r"(From|Up to|With) `compare.worth=([\d.]+)`(?: to ([\d.]+))?.*?, it is (\w+)\.", change
    )
    return [
        (0.0 if start == "Up to" else float(value), float(end or (value, 9)[start == "From"]), name)
        for start, value, end, name in found
    ]


def test_other_worth_and_other_cost_that_change_the_choice_are_named():
    cards = {"b": {"macs": 100}, "c": {"latency": 0.0001}}
    scores = {"a": STEADY, "b": moved(-0.02), "c": moved(-0.005)}
    change = summary(scores, cards=cards).change
    ((value, _, name),) = ranges(change)
    assert f"From `compare.worth={value:g}` on, it is {name}." in change
    assert "With `compare.cost=latency`, it is c." in change
    verdicts = [
        findings(scores, cards=cards, section={"worth": value - step}).verdict.chosen
        for step in (0, 0.0001)
    ]
    assert verdicts == [name, "a"] == ["b", "a"]


@settings(max_examples=3, deadline=None)
@given(
    st.lists(st.tuples(FOLDS, st.integers(1, 9)), min_size=2, max_size=4),
    st.sampled_from([0.0, 0.005, 0.01, 0.05, 0.0101]),
    st.sampled_from(["accuracy", "log_loss"]),
)
@example([(moved(0.0424)[0], 9), (moved(0.0375)[0], 3), (STEADY[0], 1)], 0.01, "accuracy")
@example([(moved(0.0424)[0], 9), (moved(0.0375)[0], 3), (STEADY[0], 1)], 0.0, "accuracy")
def test_each_worth_in_the_text_gives_the_architecture_that_the_text_names(cases, worth, metric):
    scores = {name: [folds] for name, (folds, _) in zip("abcd", cases, strict=False)}
    facts = {name: {"macs": macs} for name, (_, macs) in zip("abcd", cases, strict=False)}

    def verdict(value):
        section = {"worth": value, "metric": metric}
        return findings(scores, cards=facts, section=section, epochs=1).verdict

    found = verdict(worth)
    named = ranges(found.summary.change)
    for first, last, name in named:
        assert {verdict(first).chosen, verdict(last).chosen} == {name} != {found.chosen}
    ends = {verdict(0).chosen, verdict(9).chosen} - {found.chosen}
    assert bool(named) == bool(ends), "each other choice is preceded by a nearer one"


def test_cheap_choice_names_the_worth_up_to_which_it_is_another():
    found = summary({"a": moved(0.005), "b": STEADY}, cards={"b": {"macs": 100}})
    assert "Up to `compare.worth=0.005`, it is a." in found.change  # b gives up .005004
    assert "a, which has the highest mean, would need 5,000 instead of 100 MACs" in found.cost
    assert "gives up no more than 0.01 of accuracy against a" in found.sure
    assert "0.0050 better on these images" in found.sure


def test_why_names_what_the_choice_gives_up_and_what_cheaper_ones_would():
    scores = {"a": moved(0.008), "b": moved(0.006), "c": STEADY, "d": moved(-0.03)}
    found = summary(scores, cards={"c": {"macs": 100}, "d": {"macs": 10}})
    assert found.why == (
        "a has the highest mean accuracy, 0.9080. c is cheaper, and is expected to give up 0.0080 "
        "against it, which `compare.worth=0.01` allows. d is cheaper still, but is expected to "
        "give up 0.0380, more than `compare.worth=0.01` allows."
    )
    assert "a, which has the highest mean, would need 5,000 instead of 100 MACs" in found.cost
    assert "d would need 10 instead of 100 MACs" in found.cost
    smaller = {"b": {"parameters": 10}}
    assert "as cheap and smaller (10 instead of" in summary(scores, cards=smaller).why
    best = summary({"a": STEADY, "d": moved(-0.03)}, cards={"d": {"macs": 10}}).why
    assert best.startswith("a has the highest mean accuracy. d is cheaper, but")
    little = summary({"a": STEADY, "d": moved(-0.03)}, cards={"d": {"macs": 4999}}).why
    assert little.startswith("a has the highest mean accuracy. d is cheaper, but")


@pytest.mark.parametrize(
    ("cost", "key"),
    [("latency", "2 instead of 0.5 ms per image"), ("training_seconds", "3 instead of 0.2 s of")],
)
def test_measured_cost_that_decides_is_named_beside_the_macs(cost, key):
    cards, scores = {"b": {"seconds": 0.1, "latency": 0.0005}}, {"a": STEADY, "b": moved(-0.001)}
    words = summary(scores, cards=cards, section={"cost": cost}).cost
    assert words.startswith("5,000 MACs per image, 0.5 ms per image")
    assert f"a, which has the highest mean, would need {key}" in words


@pytest.mark.parametrize(
    ("accuracy", "key"),
    [(0.9, "0.6500 above the baseline of 0.2500"), (0.2, "no better than the baseline of 0.2500")],
)
def test_choice_is_compared_with_the_majority_baseline(accuracy, key):
    found = summary({"a": [[accuracy] * 3]})
    assert key in found.take
    assert found.why == "It is the only architecture that can be chosen."


def test_the_only_one_that_a_race_left_was_compared_on_the_first_fold():
    scores = {"a": [[0.9, 0.92, 0.91]], "b": [[0.6, STOPPED, STOPPED]]}
    found = findings(scores).verdict.summary
    assert "the race stopped b after the first fold" in found.why
    assert "first fold only" in found.sure


@pytest.mark.parametrize(
    ("metric", "key"),
    [
        ("log_loss", "below the baseline of 1.3863 (predicting the class frequencies)"),
        ("top_k", "above the baseline of 0.7500 (always predicting the largest classes)"),
        ("macro_f1", "above the baseline of 0.1000 (always predicting the largest class)"),
    ],
)
def test_baseline_is_described_as_its_metric_is_computed(metric, key):
    assert key in summary({"a": STEADY}, section={"metric": metric}).take


def test_how_sure_names_the_best_of_the_others_not_the_noisiest():
    noisy = [[0.80, 0.90, 0.81, 0.89, 0.85]]
    found = findings({"a": STEADY, "b": moved(-0.03), "c": noisy})
    pairs = {each.second: each for each in found.comparison.pairs if each.first == "a"}
    assert pairs["c"].worse > pairs["b"].worse
    assert "against b, the strongest alternative, which is 0.0300" in found.verdict.summary.sure
    assert found.verdict.text.startswith("The second best is b, 0.0300 worse")


def test_score_is_corrected_for_the_choice():
    clear = summary({"a": STEADY, "b": moved(-0.03), "c": moved(-0.04)}).take
    assert "5 folds; the choice among 3 does not flatter it)" in clear
    close = summary({"a": NOISY, "b": [NOISY[0][::-1]]}).take
    assert "corrected for the choice among 2; 0.8720 as plain mean of 5 folds)" in close
    numbers = re.search(r"accuracy ([\d.]+) .* is ([\d.]+) above .* of ([\d.]+) ", close).groups()
    score, lead, baseline = map(float, numbers)
    assert lead == pytest.approx(score - baseline, abs=1.5e-4)


def test_difference_that_is_not_significant_asks_for_repeats_or_images():
    noisy = {"a": NOISY, "b": [NOISY[0][::-1]]}
    assert "use more images if there are any" in summary(noisy).change
    assert "prepare.limit=null" in summary(noisy, limit=5000).change
    assert "prepare.limit" not in summary(noisy, limit=9000).change


def test_nothing_changes_a_clear_choice_and_a_useless_one_has_a_caution():
    clear = summary({"a": STEADY, "b": moved(-0.3)})
    assert "No other `compare.worth`" in clear.change
    assert ">99 %" in clear.sure
    alone = summary({"a": [[0.2, 0.3]]})
    assert "no other architecture" in alone.sure
    assert "significant" not in alone.change
    assert "no better than the baseline" in alone.take


THREE = {"a": STEADY, "b": moved(-0.02), "c": moved(-0.03)}


@pytest.mark.parametrize(
    ("changes", "steps", "studied"),
    [
        ({"n_train": 800, "batch_size": 64, "epochs": 10}, 130, 130),
        ({"n_train": 800, "batch_size": 64, "epochs": 9}, 117, 39),  # 12.5 batches are 13 steps
        ({"n_train": 800, "batch_size": 64, "epochs": 2}, 26, 39),
    ],
)
def test_what_choices_after_as_few_steps_cost_elsewhere(changes, steps, studied):
    longer = summary(THREE, **changes).longer
    assert longer.startswith(f"Each training had {steps:,} steps. ")
    assert f" after {studied} steps gave up {REGRETS[studied]:.4f} of accuracy" in longer
    assert longer.endswith("did not try fewer than 39 steps.") == (steps < studied)
    assert ("did not try" in longer) == (steps < studied)


def test_study_of_few_steps_is_not_stretched_to_other_comparisons():
    changes = {"n_train": 800, "batch_size": 64, "epochs": 10}
    two = summary({name: THREE[name] for name in "ab"}, section={"metric": "log_loss"}, **changes)
    assert two.longer.endswith("It did not try choices among 2 or choices by log loss.")
    for epochs in (30, 60):
        longer = summary(THREE, **changes | {"epochs": epochs}).longer
        assert longer.startswith(f"Each training had {13 * epochs:,} steps. ")
        assert "gave up" not in longer
