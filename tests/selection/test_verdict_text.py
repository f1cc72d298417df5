from comparisons import NOISY, STEADY, findings, moved

from foldwise.selection.verdict_text import join_names


def text(scores, **kwargs):
    return findings(scores, **kwargs).verdict.text


def test_significantly_worse_and_not_significantly_different_architectures_are_named():
    scores = {"a": STEADY, "b": moved(-0.03), "c": NOISY, "d": moved(-0.04), "e": moved(-0.001)}
    words = text(scores)
    assert words.startswith("The second best is e, 0.0010 worse")
    assert "Significantly worse: b and d. Not significantly different: c." in words


def test_cheap_choice_that_is_significantly_worse_says_so():
    words = text({"a": moved(0.008), "b": STEADY}, cards={"b": {"macs": 100}})
    assert words.startswith("b is 0.0080 worse than a")
    assert words.endswith("The difference is significant, but small enough for the lower cost.")


def test_one_architecture_has_nothing_to_compare():
    assert text({"a": STEADY}) == ""


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
