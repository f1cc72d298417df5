import pytest
from comparisons import findings
from records import loaded, record

from foldwise.files.fold_record import Epoch

GOOD, BAD = [[0.95, 0.96, 0.94]], [[0.5, 0.52, 0.48]]


def steps(scores, **kwargs):
    return findings(scores, **kwargs).verdict.next


def containing(steps, *keys):
    return [step for step in steps if all(key in step for key in keys)]


def test_architecture_that_diverged_gets_a_lower_learning_rate():
    first = steps({"a": GOOD, "bad": [[None, 0.9, 0.9]]})[0]
    assert first.startswith("bad diverged in 1 of 3 folds, repeat 0 fold 0")
    assert "`build.architectures.bad.learning_rate`" in first


def test_several_that_diverged_get_one_short_step():
    failed = {name: [[None] * 5] for name in ("b", "c", "d")}
    (step,) = containing(steps({"a": [[0.95] * 5], **failed}), "diverged")
    assert "5 of 5 folds, repeat 0 fold 0" in step
    assert "repeat 0 fold 2" in step
    assert "repeat 0 fold 3" not in step
    assert "and 2 more, and so did c and d: lower" in step


def test_difference_that_is_not_significant_gets_more_repeats_or_more_images():
    close = {"a": [[0.95, 0.96, 0.94]], "b": [[0.93, 0.93, 0.925]]}
    (step,) = containing(steps(close), "between a and b is not significant")
    assert "`dvc exp run -S 'repeats=[" in step
    noisy = {"a": [[0.95, 0.97, 0.93]], "b": [[0.97, 0.93, 0.94]]}
    for limit, key in ((None, "more images if there are any"), (3000, "prepare.limit=null")):
        (step,) = containing(steps(noisy, limit=limit), "a and b is not significant")
        assert "no number of repeats" in step
        assert key in step


def test_diagnoses_of_the_choice_come_before_those_of_the_others():
    found = steps({"a": BAD, "b": [[0.3, 0.31, 0.29]]}, section={"worth": 0.0})
    (step,) = containing(found, "underfit (a: training accuracy 0.520")
    assert step.startswith("The diagnosis of a and b is underfit")
    assert "`dvc exp run -S train.epochs=4`" in step


def test_reference_decides_between_deeper_and_shallower_networks():
    assert containing(steps({"resnet18": GOOD}), "model=resnet34")
    assert containing(steps({"resnet18": BAD}), "model=small_alexnet")
    both = steps({"resnet18": BAD, "small_alexnet": BAD})
    assert containing(both, "try variants of the shallow small_alexnet")
    assert not containing(both, "model=small_alexnet")
    costly = steps({"a": GOOD, "resnet18": GOOD}, cards={"resnet18": {"macs": 500_000}})
    assert containing(costly, "costs too much", "500,000 instead of 5,000", "small_alexnet")


def curves(train, validation, slope=0.0, rise=0.0):
    """Return three epochs that end with these accuracies, and with this rise of the loss."""
    return [
        Epoch(
            epoch=epoch,
            train_loss=0.5,
            train_accuracy=train,
            validation_loss=0.5 + rise * (epoch == 3),
            validation_accuracy=validation - slope * (3 - epoch),
        )
        for epoch in (1, 2, 3)
    ]


OVERFIT, UNDERFIT = curves(0.99, 0.9, rise=0.1), curves(0.7, 0.69)
IMPROVING, HEALTHY = curves(0.93, 0.9, slope=0.02), curves(0.93, 0.9)


def steps_of(**fits):
    """Return the steps for architectures with these curves, the first of which is chosen."""
    scores = {name: [[0.95 - 0.1 * place] * 3] for place, name in enumerate(fits)}
    return steps(scores, epochs=3, curves=lambda name: fits[name])


@pytest.mark.parametrize("other", [UNDERFIT, IMPROVING])
def test_no_step_for_another_architecture_undoes_that_for_the_chosen_one(other):
    """Epochs, weight decay and augmentation are the same for all."""
    assert not containing(steps_of(a=OVERFIT, b=other), "train.epochs")
    assert not containing(steps_of(a=other, b=OVERFIT), "train.weight_decay")
    found = steps_of(a=HEALTHY, b=other, c=OVERFIT)  # b is better than c
    assert containing(found, "train.epochs")
    assert not containing(found, "train.weight_decay")


def test_reference_that_underfits_is_not_told_to_grow_and_to_shrink():
    found = steps_of(resnet18=UNDERFIT, b=HEALTHY)
    assert containing(found, "resnet18 is underfit", "train longer")
    assert not containing(found, "add layers")
    assert containing(steps_of(b=UNDERFIT), "add layers")


def test_deeper_networks_are_not_proposed_if_one_is_no_better():
    assert not containing(steps_of(resnet18=HEALTHY, resnet34=HEALTHY), "more layers")
    assert containing(steps_of(resnet34=HEALTHY, resnet18=HEALTHY), "model=resnet50")


def test_the_chosen_network_is_not_to_be_left_out():
    cards = {"b": {"loaded": [loaded("x")], "macs": 10}}
    scores = {"a": GOOD, "b": [[0.949, 0.958, 0.94]]}
    (step,) = containing(steps(scores, cards=cards), "b starts from pretrained weights")
    assert "policy: frozen" in step
    assert "leave it out" not in step
    (step,) = containing(steps({"a": GOOD, "b": BAD}, cards=cards), "b starts from pretrained")
    assert "leave it out" in step


def test_nothing_to_change_with_the_reference_leads_to_the_final_model():
    (step,) = steps_of(resnet18=HEALTHY, resnet34=HEALTHY)
    assert "`make final`" in step


def test_pretrained_network_that_is_no_better_is_frozen():
    found = steps({"a": GOOD, "b": BAD}, cards={"b": {"loaded": [loaded("x")]}})
    assert containing(found, "b starts from pretrained weights", "b.policy: frozen")
    assert not containing(steps({"a": GOOD, "b": BAD}), "policy: frozen")


def test_network_that_is_frozen_already_is_not_advised_to_freeze():
    cards = {"b": {"loaded": [loaded("x")], "policy": "frozen except fc"}}
    (step,) = containing(steps({"a": GOOD, "b": BAD}, cards=cards), "b starts from pretrained")
    assert "`build.architectures.b.thaw`" in step
    assert "policy: frozen" not in step
    (step,) = containing(steps({"b": BAD}, cards=cards), "is underfit")
    assert "`build.architectures.b.thaw`" in step
    assert "add layers" not in step


def test_nothing_to_change_names_the_reference():
    flat = record("a", accuracy=0.95, epochs=1).curves
    (step,) = steps({"a": [[0.95] * 3]}, epochs=1, curves=flat)
    assert "`dvc exp run -S model=resnet18`" in step


def test_five_steps_at_most():
    cards = {name: {"loaded": [loaded("x")]} for name in "bcdefg"}
    assert len(steps({"a": GOOD, **dict.fromkeys(cards, BAD)}, cards=cards)) == 5
