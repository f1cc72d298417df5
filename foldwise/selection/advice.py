"""What to try next: the rules of the lesson that Foldwise grew from, with the numbers they met."""

from collections.abc import Iterator, Mapping, Sequence

from foldwise.files.card import Card
from foldwise.files.comparison import Architecture, Comparison, Fit
from foldwise.selection.decision import VerdictContext
from foldwise.selection.metrics import lower_is_better
from foldwise.selection.power import repeats_to_find
from foldwise.selection.statistics import DIGITS
from foldwise.selection.verdict_text import listed

MOST = 5  # suggestions
YARDSTICK, DEEPER, SHALLOW = "resnet18", ("resnet34", "resnet50"), "small_alexnet"
GOOD = 0.8  # accuracy of the yardstick from which more layers pay
SLOW = 10  # times the seconds of the choice: too slow for what it gives
MANY = 10  # repeats; more are not worth their time
FITS: tuple[Fit, ...] = ("unstable", "underfit", "still improving", "overfit")


def next_steps(
    comparison: Comparison, case: VerdictContext | None, cards: Mapping[str, Card]
) -> list[str]:
    """Return what to try next and why, the most useful first.

    Args:
        comparison: Every number.
        case: How the choice was made; None: none finished.
        cards: Of every architecture, by name.
    """
    steps = [*_diverged(comparison), *(_undecided(case) if case else [])]
    fits = list(_fits(comparison, case.chosen.name)) if case else []
    steps += [step for is_chosen, step in fits if is_chosen]
    steps += [*(_yardstick(case) if case else []), *_transfer(comparison, cards)]
    steps += [step for is_chosen, step in fits if not is_chosen]
    return steps[:MOST] or [_nothing_else(comparison)]


def _diverged(comparison: Comparison) -> Iterator[str]:
    for one in comparison.architectures:
        if one.scores is None:
            yield (
                f"{one.name} {one.reason}: lower its peak learning rate, say to a third "
                f"(`build.architectures.{one.name}.learning_rate` in params.yaml)."
            )


def _undecided(case: VerdictContext) -> Iterator[str]:
    """Say what would tell the choice from its rival, where these folds do not."""
    pair, design = case.pair, case.comparison.design
    if pair is None or pair.different or case.is_tie or not round(pair.mean, DIGITS):
        return
    names = (pair.first, pair.second)
    who = f"These folds do not tell {listed(names)} apart"
    needed = repeats_to_find(abs(pair.mean) / pair.std, len(design.folds), design.confidence)
    if needed is None or needed > MANY:
        enough = "no number of repeats" if needed is None else f"only {needed} repeats"
        yield f"{who}, and {enough} would: take more images if there are any{_cheaper(case)}."
    elif needed > len(design.repeats) or not design.resplit:
        wanted = ",".join(map(str, range(max(2, needed))))
        resplit = "" if design.resplit else " -S resplit=true"
        yield (
            f"{who}; {max(2, needed)} repeats with folds of their own would find a difference as "
            f"large as this one: `dvc exp run -S 'repeats=[{wanted}]'{resplit}`."
        )
    else:
        yield f"{who} as one of {len(case.comparison.pairs)} pairs: compare these two alone."


def _cheaper(case: VerdictContext) -> str:
    rival = case.rival
    if rival is None or rival.cost * (1 + case.rule.same_cost) >= case.chosen.cost:
        return ""
    return f", or settle for the cheaper one, {rival.name}"


def _fits(comparison: Comparison, chosen: str) -> Iterator[tuple[bool, str]]:
    """Yield one step a diagnosis, and whether the chosen architecture has it."""
    for fit in FITS:
        found = [one for one in comparison.architectures if one.diagnosis.fit == fit]
        found.sort(key=lambda one: one.name != chosen)
        if found:
            yield found[0].name == chosen, _step(fit, found, comparison.design.epochs)


def _step(fit: Fit, found: Sequence[Architecture], epochs: int) -> str:
    names, evidence = listed([one.name for one in found]), found[0].diagnosis.evidence
    verb = "s" if len(found) == 1 else ""
    of_first = "" if len(found) == 1 else f"{found[0].name}: "
    longer = f"`dvc exp run -S train.epochs={2 * epochs}`"
    if fit == "unstable":
        return (
            f"{names} train{verb} unsteadily ({of_first}{evidence}): a lower learning rate "
            f"(`build.architectures.{found[0].name}.learning_rate`) or a longer warm-up "
            "(`dvc exp run -S train.warmup=0.4`) helps."
        )
    if fit == "underfit":
        return (
            f"{names} underfit{verb} ({of_first}{evidence}): add layers or maps, or train longer, "
            f"{longer}."
        )
    if fit == "still improving":
        steepest = max(found, key=lambda one: one.diagnosis.slope or 0.0)
        most = "" if len(found) == 1 else f"{steepest.name} most, "
        return (
            f"{names} still gain{verb} at the end ({most}{steepest.diagnosis.slope:+.4f} of "
            f"accuracy an epoch): train longer, {longer}."
        )
    return (
        f"{names} overfit{verb} ({of_first}{evidence}): remove layers, raise `train.weight_decay`, "
        "or augment more, as with `dvc exp run -S augment.erase=0.25`."
    )


def _yardstick(case: VerdictContext) -> Iterator[str]:
    """Go deeper where ResNet18 is good and worth its time, and to an AlexNet-like net elsewhere."""
    comparison = case.comparison
    own = next((one for one in comparison.architectures if one.name == YARDSTICK), None)
    if own is None or own.metrics is None or own.cost is None or case.architecture.cost is None:
        return
    accuracy, epochs = own.metrics["accuracy"], comparison.design.epochs
    seconds, of_chosen = own.cost.seconds_per_epoch, case.architecture.cost.seconds_per_epoch
    deeper = [name for name in DEEPER if name not in comparison.design.models]
    if accuracy < GOOD:
        yield (
            f"{YARDSTICK} reaches {accuracy:.3f} in {epochs} epochs, less than {GOOD:g}: "
            f"{_shallow(comparison)}."
        )
    elif seconds > SLOW * of_chosen:
        yield (
            f"{YARDSTICK} is slow for what it gives ({seconds:.3g} s an epoch, {case.chosen.name} "
            f"{of_chosen:.3g} s): {_shallow(comparison)}."
        )
    elif deeper and own.diagnosis.fit != "overfit":
        yield (
            f"{YARDSTICK} reaches {accuracy:.3f} in {epochs} epochs, at least {GOOD:g}: more "
            f"layers may pay, `dvc exp run -S model={deeper[0]}`."
        )


def _shallow(comparison: Comparison) -> str:
    change = "then add layers to it or remove some"
    if SHALLOW in comparison.design.models:
        return f"rather add layers to {SHALLOW} or remove some"
    return f"try a net like AlexNet, `dvc exp run -S model={SHALLOW}`, {change}"


def _transfer(comparison: Comparison, cards: Mapping[str, Card]) -> Iterator[str]:
    """Refreeze what starts from trained weights and is no better than what does not."""
    metric = comparison.design.decides
    means = {one.name: one.scores.mean for one in comparison.architectures if one.scores}
    scratch = next((name for name in means if not cards[name].loaded), None)  # the best one
    for name, mean in means.items():
        if scratch is None or not cards[name].loaded:
            continue
        if lower_is_better(mean, metric) < lower_is_better(means[scratch], metric):
            continue
        yield (
            f"{name} starts from trained weights and is no better than {scratch} from scratch "
            f"({metric.label} {mean:.4f} and {means[scratch]:.4f}; {cards[name].policy}): drop "
            "the layers that were added to it and freeze the rest again "
            f"(`build.architectures.{name}.policy: frozen`), or do without."
        )


def _nothing_else(comparison: Comparison) -> str:
    if YARDSTICK not in comparison.design.models:
        return (
            "Nothing in these folds asks for a change; ResNet18 is the usual yardstick: "
            f"`dvc exp run -S model={YARDSTICK}`."
        )
    return "Nothing in these folds asks for a change: train the choice longer, on all images."
