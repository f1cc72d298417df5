"""Synthetic comparisons from scores alone, by the real code of compare."""

from records import LATENCY, PREPARE, SECTION, card, extraction, latency, record, timing

from foldwise.files.measurements import Measurements
from foldwise.files.params import CompareSection, Params
from foldwise.files.preparation import PrepareSection
from foldwise.selection.compare import compare
from foldwise.selection.history import UNKNOWN

STEADY = [[0.90, 0.91, 0.89, 0.90, 0.90]]
NOISY = [[0.80, 0.91, 0.93, 0.82, 0.90]]


def moved(by, folds=STEADY):
    """Return scores that are better by a number."""
    return [[round(x + by, 4) for x in row] for row in folds]


def findings(scores, cards=None, section=None, resplit=True, history=None, **changes):
    """Return the result of compare.

    Args:
        scores: Per model one list per repeat, with one accuracy per fold; None: diverged.
        cards: Changed keys of each card, by model; also `seconds` per epoch, `extraction` seconds
            and `latency` in seconds.
        section: Changed keys of the section `compare` of params.yaml.
        resplit: Whether each repeat has new folds.
        history: Earlier comparisons of the same folds.
        changes: Changed keys of all records; a function gets the name of the model. Also `limit`,
            the training images that are used at most.
    """
    limit = changes.pop("limit", None)
    repeats, k = next(iter(scores.values())), len(next(iter(scores.values()))[0])
    changes = {"n_validation": 1000, "epochs": 2} | changes
    facts = {name: dict((cards or {}).get(name, {})) for name in scores}
    measured = {
        name: Measurements(
            latency(changed.pop("latency", LATENCY.image)),
            extraction(changed.pop("extraction", 0)),
        )
        for name, changed in facts.items()
    }
    seconds = {name: changed.pop("seconds", 1.5) for name, changed in facts.items()}
    records = [
        record(
            name,
            repeat,
            fold,
            accuracy,
            **{"n_folds": k, "timing": timing(seconds[name] * changes["epochs"])}
            | {key: value(name) if callable(value) else value for key, value in changes.items()},
        )
        for name, table in scores.items()
        for repeat, row in enumerate(table)
        for fold, accuracy in enumerate(row)
    ]
    params = Params.model_construct(
        model=next(iter(scores)),
        candidates=list(scores),
        repeats=list(range(len(repeats))),
        folds=list(range(k)),
        resplit=resplit,
        prepare=PrepareSection(**PREPARE | {"limit": limit}),
        compare=CompareSection(**SECTION | (section or {})),
    )
    cards = {name: card(name, **facts[name]) for name in scores}
    return compare(records, cards, measured, params, history or UNKNOWN)
