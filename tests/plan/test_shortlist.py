from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from synthetic import FACTS, LIMITS, PARAMS, TRAIN, TRAINS, facts_of

from foldwise.cli.advise import rewrite
from foldwise.files.params import check_params
from foldwise.plan.candidates import (
    LITE0,
    MAX_PROPOSALS,
    RESNET_STAGES,
    Candidate,
    reasons,
    shortlist,
    window,
)
from foldwise.plan.rules import enlarged_side, is_like_imagenet

DEPTHS = ("lenet5", "slim_vgg", "vgg_resnet", "resnet18_small")  # from shallow to deep


def names(train=TRAIN, **changed):
    return [idea.name for idea in shortlist(facts_of(**changed), LIMITS, train)]


def architectures(facts, train):
    """Return the networks that the ideas vary."""
    return {idea.section.get("base", idea.name) for idea in shortlist(facts, LIMITS, train)}


@given(FACTS, TRAINS)
def test_there_are_always_enough_ideas_each_once(facts, train):
    found = [idea.name for idea in shortlist(facts, LIMITS, train)]
    assert len(found) > MAX_PROPOSALS
    assert len(set(found)) == len(found)


@given(FACTS, TRAINS)
def test_nobody_is_sent_to_the_original_vgg(facts, train):
    assert not architectures(facts, train) & {"vgg16", "vgg19"}


@given(FACTS, TRAINS)
def test_resnet18_is_always_among_the_ideas(facts, train):
    assert "resnet18" in architectures(facts, train)


@given(FACTS, TRAINS)
def test_weights_from_imagenet_are_for_what_resembles_it_and_come_first(facts, train):
    ideas = shortlist(facts, LIMITS, train)
    assert any("weights" in idea.section for idea in ideas) == is_like_imagenet(facts, LIMITS)
    first = ideas[0]
    is_pretrained = "weights" in first.section or first.name == LITE0
    assert is_pretrained == is_like_imagenet(facts, LIMITS)


@settings(max_examples=10, deadline=None)
@given(FACTS, TRAINS, st.data())
def test_every_idea_makes_a_sound_params_yaml(facts, train, data):
    """Whatever the epochs: a layer that thawed after the last one would be refused."""
    ideas = shortlist(facts, LIMITS, train)
    start = data.draw(st.integers(0, len(ideas) - 2))
    chosen = ideas[start : start + MAX_PROPOSALS]
    content = YAML(typ="safe").load(rewrite(PARAMS, chosen))
    content["train"]["epochs"] = train.epochs
    checked = check_params(content, range(len(content["candidates"])), "params.yaml")
    assert {*checked.models} == {idea.name for idea in chosen}


def test_small_clean_images_go_deeper_with_the_data():
    for n_images, first in ((1000, 0), (8000, 0), (60_000, 1)):
        assert names(n_images=n_images)[:MAX_PROPOSALS] == list(
            DEPTHS[first : first + MAX_PROPOSALS]
        )


def test_small_photos_go_deeper_with_the_data():
    photos = {"side": 32, "channels": 3, "background": 0.01}
    assert names(n_images=1000, **photos)[:MAX_PROPOSALS] == [
        "small_alexnet",
        "narrow_vgg",
        "resnet20",
    ]
    assert names(n_images=8000, **photos)[:MAX_PROPOSALS] == [
        "narrow_vgg",
        "resnet20",
        "resnet18_small",
    ]
    assert names(n_images=50_000, **photos)[:MAX_PROPOSALS] == [
        "resnet20",
        "resnet18_small",
        "resnet56",
    ]


PHOTOS = {"side": 224, "channels": 3, "background": 0.01, "has_gpu": True}


@pytest.mark.parametrize(
    ("n_images", "expected"),
    [
        (1000, ["resnet18_frozen", "resnet18_finetuned"]),
        (5000, ["resnet18_thawed", "resnet18_finetuned"]),
        (50_000, ["resnet18_gradual", "resnet18_finetuned", "resnet18"]),
    ],
)
def test_the_more_images_the_more_of_a_pretrained_network_trains(n_images, expected):
    assert names(n_images=n_images, **PHOTOS)[: len(expected)] == expected


def test_few_photos_without_a_gpu_are_for_frozen_networks():
    found = names(n_images=245, **PHOTOS | {"has_gpu": False})
    assert found[:3] == ["resnet18_frozen", "mobilenet_v2_frozen", "resnet18"]
    for has_gpu in (True, False):
        facts = PHOTOS | {"has_gpu": has_gpu, "has_lite0": True}
        assert names(n_images=245, **facts)[:2] == ["lite0_frozen", "resnet18_frozen"]


@given(FACTS, TRAINS)
def test_a_pretrained_network_stands_beside_the_same_from_scratch(facts, train):
    """Among the three that are proposed; else nothing tells whether the weights help."""
    found = shortlist(facts, LIMITS, train)[:MAX_PROPOSALS]
    pretrained = [idea for idea in found if "weights" in idea.section or idea.name == LITE0]
    if not pretrained:
        return
    (control,) = [idea for idea in found if idea not in pretrained]
    bases = {idea.section.get("base", "timm_tf_efficientnet_lite0") for idea in pretrained}
    assert control.section.get("base", control.name) in bases
    assert "from scratch" in control.because


@given(FACTS, TRAINS)
def test_without_a_download_no_weights_are_proposed_that_need_one(facts, train):
    offline = replace(facts, no_download="the download failed")
    found = shortlist(offline, LIMITS, train)
    assert not any("weights" in idea.section for idea in found)
    is_like = is_like_imagenet(facts, LIMITS)
    assert (LITE0 in [idea.name for idea in found]) == (is_like and facts.has_lite0)
    said = any("the download failed" in sentence for sentence in reasons(offline, LIMITS))
    assert said or not is_like
    if not facts.has_lite0:
        assert enlarged_side(offline, LIMITS) is None
        assert not any("pretrained" in sentence for sentence in reasons(offline, LIMITS))


def test_resnet50_is_for_a_gpu():
    found = names(n_images=50_000, **PHOTOS | {"has_gpu": False})
    assert "resnet50_finetuned" not in found
    assert "mobilenet_v2_finetuned" in found


def test_in_a_single_epoch_nothing_can_thaw():
    train = TRAIN.model_copy(update={"epochs": 1})
    assert names(train, n_images=5000, **PHOTOS)[0] == "resnet18_frozen"


@given(st.integers(2, 50), st.floats(1e-5, 1))
def test_stages_thaw_from_the_output_down_at_a_tenth_of_the_rate(epochs, rate):
    train = TRAIN.model_copy(update={"epochs": epochs, "learning_rate": rate})
    thaw = shortlist(facts_of(n_images=50_000, **PHOTOS), LIMITS, train)[0].section["thaw"]
    assert [one["layers"] for one in thaw] == list(RESNET_STAGES)
    starts = [one["at_epoch"] for one in thaw]
    assert starts == sorted(starts)
    assert 2 <= starts[0] <= starts[-1] <= epochs
    rates = [one["learning_rate"] for one in thaw]
    assert rates == pytest.approx(
        [rate / 10] * len(RESNET_STAGES), rel=0.01
    )  # as one would write it


@given(st.integers(3, 9), st.data())
def test_a_window_is_followed_by_its_neighbours(n, data):
    start = data.draw(st.integers(0, n - 3))
    ladder = [Candidate(str(place), "") for place in range(n)]
    order = [int(idea.name) for idea in window(ladder, start, 3)]
    assert order[:3] == [start, start + 1, start + 2]
    assert sorted(order) == list(range(n))
    far = [abs(place - start - 1) for place in order[3:]]
    assert far == sorted(far)


@given(FACTS)
def test_there_is_always_a_reason(facts):
    assert all(reasons(facts, LIMITS))
