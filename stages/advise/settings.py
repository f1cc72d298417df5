"""Which other keys of params.yaml to change, and why."""

from collections.abc import Iterator
from dataclasses import replace

from stages.advise.budget import Design, Plan, seconds
from stages.advise.facts import Facts
from stages.advise.params import AdviseSection
from stages.advise.rules import is_clean, is_little
from stages.augment.params import AugmentSection
from stages.contracts.forecast import MINUTE, in_words

SIMPLE = 0.3  # of the bytes; images that compress to less hold little for their size
SIMPLE_SIDE = 64  # pixels, of which half is still an image
# For little data; photos are mirrored and lit in many ways, drawings and letters are not.
CLEAN_RECIPE = {"shift": 0.1, "rotation": 10.0}
PHOTO_RECIPE = {"shift": 0.1, "flip": 0.5, "brightness": 0.2, "contrast": 0.2}


def within_budget(plan: Plan, given: Design, limits: AdviseSection) -> Iterator[str]:
    """Yield what must change for the time that the plan takes.

    Args:
        plan: What fits into the budget.
        given: What params.yaml holds.
        limits: The budget.
    """
    design = plan.design
    if design.n_folds > given.n_folds:
        yield f"folds: {list(range(design.n_folds))}, since fewer say too little"
    if design.epochs > given.epochs:
        yield f"train.epochs: {design.epochs}, since fewer say too little"
    if design.n_images < given.n_images:
        yield f"prepare.limit: {design.n_images}, to stay within advise.budget_minutes"
    if design.n_repeats < given.n_repeats:
        yield f"repeats: {list(range(design.n_repeats))}, to stay within advise.budget_minutes"
    if design.epochs < given.epochs:
        yield f"train.epochs: {design.epochs}, to stay within advise.budget_minutes"
    excess = seconds(plan.proposals, design) - limits.budget_minutes * MINUTE
    if excess > 0:
        yield (
            f"advise.budget_minutes, or other hardware: the least that says anything takes "
            f"{in_words(excess)} more"
        )


def for_data(
    plan: Plan, facts: Facts, augment: AugmentSection, limits: AdviseSection
) -> Iterator[str]:
    """Yield what the data call for beside architectures.

    Args:
        plan: What fits into the budget.
        facts: Of the data.
        augment: What is set already.
        limits: The thresholds.
    """
    if is_little(facts, limits):
        recipe = CLEAN_RECIPE if is_clean(facts, limits) else PHOTO_RECIPE
        for key, value in recipe.items():
            if not getattr(augment, key):
                yield f"augment.{key}: {value:g}, since data are little"
        yield from _repeats(plan, limits)
    if facts.compressed < SIMPLE and facts.side >= SIMPLE_SIDE:
        yield (
            f"prepare.image_size: {facts.side // 2}, since the images compress so well that half "
            "of the side may hold as much"
        )


def _repeats(plan: Plan, limits: AdviseSection) -> Iterator[str]:
    """Yield a second repeat, if there is time for it: with few images one split is luck."""
    twice = replace(plan.design, n_repeats=2)
    total = seconds(plan.proposals, twice)
    if plan.design.n_repeats == 1 and total <= limits.budget_minutes * MINUTE:
        yield f"repeats: [0, 1], since data are little; in all about {in_words(total)}"
