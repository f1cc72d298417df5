from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import LIMITS, facts_of, pace_of

from foldwise.files.params import AugmentSection
from foldwise.plan.budget import (
    ComparisonSize,
    Plan,
    fit_budget,
    settings_for_budget,
    settings_for_data,
    settings_for_size,
    total_seconds,
)
from foldwise.plan.candidates import CANDIDATES, Candidate
from foldwise.plan.proposals import Proposal
from foldwise.plan.rules import MIN_STEPS

PROPOSALS = st.lists(st.floats(0.01, 1e5), min_size=2, max_size=3).map(
    lambda speeds: proposals_of(*speeds)
)
DESIGNS = st.builds(
    ComparisonSize,
    n_images=st.integers(10, 10**6),
    n_repeats=st.integers(1, 10),
    n_folds=st.integers(2, 10),
    epochs=st.integers(1, 50),
    batch_size=st.sampled_from([8, 64, 512]),
)
BUDGETS = st.floats(0.01, 10**5).map(lambda m: LIMITS.model_copy(update={"budget_minutes": m}))
SMALL = ComparisonSize(n_images=1000, n_repeats=1, n_folds=5, epochs=2, batch_size=64)
PLAIN = AugmentSection(shift=0, flip=0, rotation=0, erase=0, brightness=0, contrast=0)


def proposals_of(*speeds):
    return [Proposal(Candidate(f"n{i}", ""), "", pace_of(one)) for i, one in enumerate(speeds)]


@given(PROPOSALS, DESIGNS, BUDGETS)
def test_what_is_over_the_budget_is_the_least_that_says_anything(proposals, design, limits):
    plan = fit_budget(proposals, design, limits)
    if total_seconds(plan.proposals, plan.size) > limits.budget_minutes * 60:
        assert len(plan.proposals) == 2
        assert plan.size.n_images <= limits.little_images
        assert plan.size.n_repeats == 1
        assert plan.size.epochs == plan.size.min_epochs


@given(PROPOSALS, DESIGNS, BUDGETS)
def test_never_under_five_folds_two_proposals_and_the_epochs_known_to_be_too_few(
    proposals, design, limits
):
    plan = fit_budget(proposals, design, limits)
    assert plan.size.n_folds == max(design.n_folds, 5)
    assert plan.size.epochs >= 2
    assert plan.size.n_steps >= MIN_STEPS
    assert plan.size.n_repeats >= 1
    assert plan.size.n_images >= min(design.n_images, limits.little_images)
    assert len(plan.proposals) >= 2


@given(PROPOSALS, DESIGNS, BUDGETS)
def test_the_slowest_goes_before_images_these_before_repeats_and_these_before_epochs(
    proposals, design, limits
):
    plan = fit_budget(proposals, design, limits)
    given_up = [
        len(plan.proposals) == 2,
        plan.size.n_images <= limits.little_images,
        plan.size.n_repeats == 1,
    ]
    asked = [
        plan.size.n_images < design.n_images,
        plan.size.n_repeats < design.n_repeats,
        plan.size.epochs < max(design.epochs, plan.size.min_epochs),
    ]
    for step, is_asked in enumerate(asked):
        assert not is_asked or all(given_up[: step + 1])
    slowest = sorted(proposals, key=lambda one: one.throughput.training[1])[: len(plan.dropped)]
    assert plan.dropped == slowest


@given(PROPOSALS, DESIGNS)
def test_what_fits_stays_as_it_is(proposals, design):
    design = replace(design, n_folds=max(design.n_folds, 5)).with_enough_epochs()
    limits = LIMITS.model_copy(update={"budget_minutes": 1e12})
    assert fit_budget(proposals, design, limits) == Plan(proposals, design, [])
    plan = Plan(proposals, design, [])
    assert not list(settings_for_budget(plan, design, limits))


def test_every_change_is_a_key_of_params_yaml_and_a_reason():
    design = ComparisonSize(50_000, 3, 3, 30, 64)
    limits = LIMITS.model_copy(update={"budget_minutes": 30})
    plan = fit_budget(proposals_of(100.0, 200.0, 50.0), design, limits)
    assert [one.candidate.name for one in plan.dropped] == ["n2"]
    assert [*map(str, settings_for_budget(plan, design, limits))] == [
        "folds: [0, 1, 2, 3, 4], because fewer say too little",
        "prepare.limit: 5000, to stay within advise.budget_minutes",
        "repeats: [0], to stay within advise.budget_minutes",
        "train.epochs: 5, to stay within advise.budget_minutes",
    ]


def test_a_budget_that_nothing_fits_is_said_to_be_too_small():
    design = ComparisonSize(5000, 1, 5, 2, 64)
    limits = LIMITS.model_copy(update={"budget_minutes": 1})
    plan = fit_budget(proposals_of(100.0, 100.0), design, limits)
    epochs, budget = settings_for_budget(plan, design, limits)
    assert (epochs.key, epochs.value) == ("train.epochs", plan.size.min_epochs)
    assert (budget.key, budget.value) == ("advise.budget_minutes", None)
    assert "faster hardware" in budget.reason


def advised(design=SMALL, augment=PLAIN, **changed):
    plan = Plan(proposals_of(1e4, 1e4), design, [])
    return list(settings_for_data(plan, facts_of(**changed), augment, LIMITS))


def keys(lines):
    return [setting.key for setting in lines]


def test_little_data_are_augmented_as_they_bear_it():
    """A mirrored 3 is no 3."""
    clean = advised(n_images=1000)
    photos = advised(n_images=1000, background=0.01)
    assert keys(clean) == ["augment.shift", "augment.rotation", "repeats"]
    assert {"augment.flip", "augment.brightness"} < {*keys(photos)}
    assert advised(n_images=8000) == []


def test_what_is_set_already_is_not_advised():
    augment = PLAIN.model_copy(update={"shift": 0.05, "rotation": 5.0})
    assert keys(advised(augment=augment, n_images=1000)) == ["repeats"]
    assert "repeats" not in keys(advised(replace(SMALL, n_repeats=2), n_images=1000))


def test_repeats_are_advised_only_where_there_is_time():
    slow = Plan(proposals_of(10.0, 10.0), SMALL, [])
    once = total_seconds(slow.proposals, SMALL) / 60
    for budget, is_advised in ((1.9 * once, False), (2.1 * once, True)):
        limits = LIMITS.model_copy(update={"budget_minutes": budget})
        lines = settings_for_data(slow, facts_of(n_images=1000), PLAIN, limits)
        assert ("repeats" in keys(lines)) == is_advised


def test_pretrained_proposals_say_where_their_weights_come_from():
    frozen = Proposal(CANDIDATES["resnet18_frozen"], "", pace_of(1e4))
    plan = Plan([frozen, *proposals_of(1e4)], SMALL, [])
    (setting,) = settings_for_data(plan, facts_of(), PLAIN, LIMITS)
    assert (setting.key, setting.value) == ("build.architectures.NAME.weights", None)
    assert "resnet18_frozen" in setting.reason
    assert "weights_sha256" in setting.reason


@pytest.mark.parametrize(
    ("facts", "enlarged", "expected"),
    [
        ({"side": 64, "file_side": 500}, [128, 128], 128),
        ({"side": 64, "file_side": 500}, [128, 170], [128, 170]),
        ({"side": 32, "file_side": 100}, None, None),  # the files have more detail
        ({"side": 224, "compressed": 0.2}, None, None),  # half of the side may do
    ],
)
def test_image_size_is_set_for_pretrained_networks_or_a_choice(facts, enlarged, expected):
    (setting,) = settings_for_size(facts_of(**facts), enlarged)
    assert (setting.key, setting.value) == ("prepare.image_size", expected)
    assert str(facts.get("file_side", 112)) in setting.reason


def test_images_as_large_as_their_files_and_full_of_detail_keep_their_size():
    for facts in ({"side": 224}, {"side": 28, "compressed": 0.2}, {"side": 80, "file_side": 100}):
        assert list(settings_for_size(facts_of(**facts), None)) == []
