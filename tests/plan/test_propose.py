import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import FACTS, LIMITS, TRAIN, facts_of, pace_of, trial_of

from foldwise.core.errors import InputError
from foldwise.plan.candidates import MAX_PROPOSALS, Candidate, shortlist
from foldwise.plan.proposals import MIN_PROPOSALS, describe_downsampling, propose
from foldwise.plan.rules import max_downsamplings

GIGA = 10**9


@given(FACTS, st.data())
def test_there_are_two_or_three_that_fit_and_are_light_enough(facts, data):
    """Or the user hears why not."""
    ideas = shortlist(facts, LIMITS, TRAIN)
    weights = {idea.name: data.draw(st.integers(0, 5 * GIGA)) for idea in ideas}
    fits = {idea.name: data.draw(st.booleans()) for idea in ideas}

    def try_candidate(idea):
        if not fits[idea.name]:
            raise InputError("needs at least 999×999 px")
        return trial_of(macs=weights[idea.name])

    good = [one.name for one in ideas if fits[one.name]]
    good = [name for name in good if facts.has_gpu or weights[name] <= 1.5 * GIGA]
    if len(good) < MIN_PROPOSALS:
        with pytest.raises(InputError, match=r"fewer than 2 architectures are left"):
            propose(ideas, try_candidate, lambda _: pace_of(1), facts, LIMITS)
        return
    found, left_out = propose(ideas, try_candidate, lambda _: pace_of(1), facts, LIMITS)
    assert [one.candidate.name for one in found] == good[:MAX_PROPOSALS]
    assert all(left_out.values())


@given(st.integers(0, 8), st.integers(1, 2048))
def test_a_proposal_keeps_the_rule_of_downsamplings_or_says_why_not(n, side):
    sentence = describe_downsampling(n, side, "EXCEPTION")
    assert (" although " in sentence) == (n > max_downsamplings(side))
    assert f"at most {max_downsamplings(side)} " in sentence
    if n > max_downsamplings(side):
        assert sentence.endswith(("EXCEPTION", "downsamples images of this size too far"))


def test_one_that_is_too_large_for_the_memory_makes_room_for_the_next():
    ideas = [Candidate(name, "") for name in "abcd"]
    trials = iter("abcd")

    def pace(_):
        if next(trials) == "b":
            raise InputError("b: a step is too large")
        return pace_of(1)

    found, left_out = propose(ideas, lambda _: trial_of(), pace, facts_of(), LIMITS)
    assert [one.candidate.name for one in found] == ["a", "c", "d"]
    assert left_out == {"b": "b: a step is too large"}


def test_what_is_too_heavy_is_never_timed():
    ideas = [Candidate(name, "") for name in ("heavy", "a", "b")]
    timed = []

    def try_candidate(idea):
        return trial_of(macs=2 * GIGA if idea.name == "heavy" else GIGA)

    def pace(network):
        timed.append(network)
        return pace_of(1)

    found, left_out = propose(ideas, try_candidate, pace, facts_of(), LIMITS)
    assert len(timed) == len(found) == 2
    assert left_out["heavy"].startswith("2.0 billion MACs per image exceed")
