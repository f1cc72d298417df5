import pytest
from comparisons import findings

from foldwise.selection.verdict_text import join_names

STEADY = [[0.90, 0.91, 0.89, 0.90, 0.90]]
NOISY = [[0.80, 0.91, 0.93, 0.82, 0.90]]


def moved(by):
    return [[round(x + by, 4) for x in row] for row in STEADY]


def text(scores, **kwargs):
    return findings(scores, **kwargs).verdict.text


def test_significantly_worse_and_not_significantly_different_architectures_are_named():
    scores = {"a": STEADY, "b": moved(-0.03), "c": NOISY, "d": moved(-0.04), "e": moved(-0.001)}
    words = text(scores)
    assert words.startswith("Take a: it has the highest mean accuracy, 0.9000 ± ")
    assert "The second best is e, 0.0010 worse" in words
    assert "Significantly worse: b and d. Not significantly different: c." in words
    assert "5 folds; the choice among 5 does not flatter it)" in words
    close = text({"a": NOISY, "b": [NOISY[0][::-1]]})
    assert "corrected for the choice among 2; 0.8720 as plain mean of 5 folds)" in close


def test_cheap_choice_says_what_it_gives_up_and_names_better_and_cheaper_ones():
    scores = {"a": moved(0.008), "b": moved(0.006), "c": STEADY, "d": moved(-0.03)}
    words = text(scores, cards={"c": {"macs": 100}, "d": {"macs": 10}})
    first = words.partition(". ")[0]
    assert first.startswith("Take c: its mean accuracy is 0.9000 ± ")
    assert "expected to give up 0.0080 of accuracy" in first
    assert "against a, which has the highest mean, 0.9080" in first
    assert "compare.worth allows 0.01" in first
    assert "cheaper: 100 instead of 5,000 MACs per image" in first
    assert (
        "d is cheaper (10 instead of 100 MACs per image), but is expected to give up 0.03" in words
    )
    assert "c is 0.0080 worse than a" in words
    assert "The difference is significant, but small enough for the lower cost." in words


@pytest.mark.parametrize(
    ("cost", "key"),
    [("latency", "0.5 instead of 2 ms per image"), ("training_seconds", "0.2 instead of 3 s of")],
)
def test_measured_cost_that_decides_is_in_the_text_beside_the_macs(cost, key):
    cards, scores = {"b": {"seconds": 0.1, "latency": 0.0005}}, {"a": STEADY, "b": moved(-0.001)}
    words = text(scores, cards=cards, section={"cost": cost})
    assert f"cheaper: {key}" in words
    assert f"5,000 MACs (multiply-accumulate operations) per image, and {key[:3]}" in words


@pytest.mark.parametrize(
    ("accuracy", "key"),
    [(0.9, "0.6500 above the baseline of 0.2500"), (0.2, "no better than the baseline of 0.2500")],
)
def test_choice_is_compared_with_the_majority_baseline(accuracy, key):
    assert key in text({"a": [[accuracy] * 3]})


def test_architectures_that_diverged_are_named():
    assert "training diverged: b and c." in text(
        {"a": STEADY, "b": [[None, *STEADY[0][1:]]], "c": [[None] * 5]}
    )
    assert text({"a": [[None, 0.9]]}).startswith("Nothing can be chosen")


def test_p_value_of_many_pairs_does_not_contradict_the_probabilities_of_one():
    scores = {"a": [[0.90, 0.91, 0.89, 0.92, 0.90]], "b": [[0.876, 0.864, 0.860, 0.872, 0.867]]}
    many = scores | {name: [[x - 0.05 for x in NOISY[0]]] for name in "cdef"}
    assert "The difference is significant." in text(scores)
    words = text(many)
    assert "a is better by more than 0.01 with probability >99 %" in words
    assert "not significant, counting all 15 pairs" in words


def test_a_sentence_names_six_architectures_or_the_first_five():
    assert join_names([*"abcdef"]) == "a, b, c, d, e and f"
    assert join_names([*"abcdefg"]) == "a, b, c, d, e and 2 more"
    assert join_names("") == ""
