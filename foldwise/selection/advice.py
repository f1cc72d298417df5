"""What to try next, and the numbers that suggest it."""

from collections.abc import Iterator, Mapping, Sequence

from foldwise.files.comparison import Comparison, Design, Fit
from foldwise.files.network import Card
from foldwise.selection.cost import cost_of, describe_costs
from foldwise.selection.decision import Decision
from foldwise.selection.metrics import as_loss
from foldwise.selection.verdict_text import join_names

MAX_STEPS = 5
REFERENCE, DEEPER, SHALLOW = "resnet18", ("resnet34", "resnet50"), "small_alexnet"
GOOD_ACCURACY = 0.8  # of the reference, from which more layers are worth a try
COSTLY = 10  # times the cost of the chosen architecture
MAX_REPEATS = 10  # more are not worth their time
IMBALANCED = 3  # times the smallest class, from which the size of the classes is mentioned
BY_CLASS = ("balanced_accuracy", "macro_f1")  # metrics in which all classes weigh the same
LONGER = "train longer, `dvc exp run -S train.epochs={epochs}`"
FIT_STEPS: dict[Fit, str] = {
    "constant": (
        "let all classes weigh the same, `dvc exp run -S train.class_weights=balanced`, or lower "
        "the learning rate (`build.architectures.{first}.learning_rate`)"
    ),
    "unstable": (
        "lower the learning rate (`build.architectures.{first}.learning_rate`) or lengthen the "
        "warm-up (`dvc exp run -S train.warmup=0.4`)"
    ),
    "underfit": f"add layers or channels, or {LONGER}",
    "still improving": LONGER,
    "overfit": (
        "remove layers, raise `train.weight_decay`, or augment more, for example with "
        "`dvc exp run -S augment.erase=0.25`"
    ),
}
# For networks of which a part is frozen; the other steps are the same.
FROZEN_STEPS: dict[Fit, str] = {
    "underfit": f"thaw some of its layers (`build.architectures.{{first}}.thaw`), or {LONGER}",
    "overfit": (
        "raise `build.architectures.{first}.weight_decay`, thaw fewer layers if any thaw, or "
        "augment more, for example with `dvc exp run -S augment.erase=0.25`"
    ),
}
# Epochs, weight decay and augmentation are the same for all architectures: no step for one of them
# may undo that for another.
OPPOSITES: dict[Fit, tuple[Fit, ...]] = {
    "underfit": ("overfit",),
    "still improving": ("overfit",),
    "overfit": ("underfit", "still improving"),
}
NO_CHANGE = "These folds suggest no change"
MAKE_FINAL = f"{NO_CHANGE}: `make final` trains the chosen architecture on all images."
TRY_REFERENCE = f"{NO_CHANGE}. ResNet18 is the usual reference: `dvc exp run -S model={REFERENCE}`."


def next_steps(
    comparison: Comparison, decision: Decision | None, cards: Mapping[str, Card]
) -> list[str]:
    """Return what to try next and why, the most useful first.

    Args:
        comparison: Every number.
        decision: How the choice was made; None if no architecture finished.
        cards: Card of each architecture, by name.
    """
    if not decision and comparison.kept_out:
        names = join_names([a.name for a in comparison.kept_out])
        return [
            f"Give {names} weights that were trained on other images, or compare with an "
            "architecture that is trained from scratch."
        ]
    comparison = comparison.without_kept_out()
    steps = list(_diverged(comparison))
    if decision:
        chosen = decision.chosen.name
        fits = list(_fits(comparison, chosen, cards))
        steps += _imbalance(comparison, next(iter(cards.values())).classes)
        steps += _not_significant(decision)
        steps += [step for name, step in fits if name == chosen]
        steps += _reference(decision)
        steps += _transfer(comparison, cards, chosen)
        steps += [step for name, step in fits if name != chosen]
    has_reference = REFERENCE in comparison.design.models
    return steps[:MAX_STEPS] or [MAKE_FINAL if has_reference else TRY_REFERENCE]


def _diverged(comparison: Comparison) -> Iterator[str]:
    """Suggest a lower learning rate for the architectures that diverged, in one step."""
    if comparison.diverged:
        first, *others = comparison.diverged
        also = f", and so did {join_names([a.name for a in others])}" if others else ""
        yield (
            f"{first.name} diverged in {first.diagnosis.evidence}{also}: lower the peak learning "
            "rate, for example to a third "
            f"(`build.architectures.{first.name}.learning_rate` in params.yaml)."
        )


def _imbalance(comparison: Comparison, classes: Sequence[str]) -> Iterator[str]:
    """Suggest a metric in which rare classes count, if the largest class is much larger."""
    images, baseline = comparison.class_images, comparison.baseline
    if not baseline or not is_imbalanced(comparison):
        return
    value = baseline.metrics["accuracy"]
    yield (
        f"“{classes[baseline.label]}” has {max(images):,} images and the smallest class, "
        f"“{classes[images.index(min(images))]}”, {min(images):,}; always predicting the largest "
        f"class gives accuracy {value:.4f}. Let all classes decide alike, `dvc exp run -S "
        "compare.metric=balanced_accuracy`, and train alike, `-S train.class_weights=balanced`."
    )


def is_imbalanced(comparison: Comparison) -> bool:
    """Return whether the largest class is much larger, and counts more in the metric."""
    images = comparison.class_images
    if comparison.design.metric in BY_CLASS or not images:
        return False
    return max(images) > IMBALANCED * min(images)


def more_images(design: Design) -> str:
    """Return how to use more images."""
    if design.limited:
        return f"use more than {design.n_images:,} images, `dvc exp run -S prepare.limit=null`"
    return "use more images if there are any"


def _not_significant(decision: Decision) -> Iterator[str]:
    """Suggest how to separate the chosen architecture from its rival."""
    pair, rival, design = decision.pair, decision.rival, decision.comparison.design
    if not pair or not rival or pair.different or rival.within_worth or decision.same_mean:
        return
    text = f"The difference between {pair.first} and {pair.second} is not significant"
    repeats, detect = decision.repeats_needed, "would detect a difference of this size"
    if repeats is None or repeats > MAX_REPEATS:
        needed = "no number of repeats" if repeats is None else f"only {repeats} repeats"
        yield f"{text}, and {needed} {detect}: {more_images(design)}."
    else:
        numbers = ",".join(map(str, range(repeats)))
        command = f"`dvc exp run -S 'repeats=[{numbers}]' -S resplit=true`"
        yield f"{text}; {repeats} repeats with new folds {detect}: {command}."


def _fits(
    comparison: Comparison, chosen: str, cards: Mapping[str, Card]
) -> Iterator[tuple[str, str]]:
    """Yield one step per diagnosis and its first architecture: the chosen one, or the best.

    Those that oppose the step for the chosen one, or else for the best, are left out.
    """
    ordered = sorted(comparison.architectures, key=lambda a: a.name != chosen)
    leading = next((a.diagnosis.fit for a in ordered if a.diagnosis.fit in OPPOSITES), None)
    opposed = OPPOSITES[leading] if leading else ()
    for fit, step in FIT_STEPS.items():
        affected = [a for a in ordered if a.diagnosis.fit == fit]
        if not affected or fit in opposed:
            continue
        first = affected[0]
        evidence = f"{first.name}: {first.diagnosis.evidence}"
        if cards[first.name].starts_frozen:
            step = FROZEN_STEPS.get(fit, step)
        elif fit == "underfit" and any(a.name == REFERENCE for a in affected):
            step = LONGER  # `_reference` says whether more layers are worth a try
        action = step.format(first=first.name, epochs=2 * comparison.design.epochs)
        names = join_names([a.name for a in affected])
        yield first.name, f"The diagnosis of {names} is {fit} ({evidence}): {action}."


def _reference(decision: Decision) -> Iterator[str]:
    """Suggest deeper networks if ResNet18 is good and fast enough, else a shallow one."""
    comparison, chosen = decision.comparison, decision.architecture
    reference = next((a for a in comparison.finished if a.name == REFERENCE), None)
    if not (reference and reference.metrics):
        return
    models, epochs = comparison.design.models, comparison.design.epochs
    accuracy, unit = reference.metrics["accuracy"], comparison.design.cost
    costs = [cost_of(architecture, unit) for architecture in (reference, chosen)]
    reached = f"{REFERENCE} reaches {accuracy:.3f} in {epochs} epochs"
    deeper = [name for name in DEEPER if name not in models]
    better = comparison.finished[: comparison.finished.index(reference)]
    if any(a.name in DEEPER and a not in better for a in comparison.finished):
        deeper = []  # more layers do not help
    shallow = f"try the shallow {SHALLOW} (`dvc exp run -S model={SHALLOW}`) or variants of it"
    if SHALLOW in models:
        shallow = f"try variants of the shallow {SHALLOW}"
    if accuracy < GOOD_ACCURACY:
        yield f"{reached}, less than {GOOD_ACCURACY:g}: {shallow}."
    elif costs[0] > COSTLY * costs[1]:
        times = f"more than {COSTLY} times as much as {chosen.name}: {describe_costs(costs, unit)}"
        yield f"{REFERENCE} costs too much for its accuracy ({times}): {shallow}."
    elif deeper and reference.diagnosis.fit != "overfit":
        more = f"more layers may help, `dvc exp run -S model={deeper[0]}`"
        yield f"{reached}, at least {GOOD_ACCURACY:g}: {more}."


def _transfer(comparison: Comparison, cards: Mapping[str, Card], chosen: str) -> Iterator[str]:
    """Suggest freezing, or thawing, where pretrained weights do not beat training from scratch."""
    metric = comparison.design.decides
    means = {a.name: a.scores.mean for a in comparison.finished if a.scores}
    scratch = next((name for name in means if not cards[name].loaded), None)  # the best of them
    if scratch is None:
        return
    for name, mean in means.items():
        if cards[name].loaded and as_loss(mean, metric) >= as_loss(means[scratch], metric):
            yield (
                f"{name} starts from pretrained weights and is no better than {scratch}, trained "
                f"from scratch ({metric.label} {mean:.4f} and {means[scratch]:.4f}; "
                f"{cards[name].policy}): {_other_freezing(cards[name])}"
                f"{'' if name == chosen else ', or leave it out'}."
            )


def _other_freezing(card: Card) -> str:
    """Return what to freeze or thaw instead of what the card says."""
    key = f"build.architectures.{card.name}"
    if card.starts_frozen:
        return f"let other layers train, or from another epoch on (`{key}.thaw`)"
    added = "remove the added layers and " if any(part.layer for part in card.loaded) else ""
    return f"{added}freeze the pretrained layers (`{key}.policy: frozen`)"
