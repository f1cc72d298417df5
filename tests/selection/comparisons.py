"""Comparisons made to measure, through the real code, from the scores alone."""

from records import SECTION, card, record, timing

from foldwise.files.params import CompareSection, Params
from foldwise.selection.compare import compare


def findings(scores, cards=None, section=None, resplit=True, **changes):
    """Return what compare finds.

    Args:
        scores: Per model one list a repeat, with one accuracy a fold; None: diverged.
        cards: Facts to change, by model; `seconds` an epoch is one, too.
        section: What to change of `compare` in params.yaml.
        resplit: Whether each repeat has folds of its own.
        changes: To all records, or by model as functions of its name.
    """
    repeats, k = next(iter(scores.values())), len(next(iter(scores.values()))[0])
    changes = {"n_validation": 1000, "epochs": 2} | changes
    facts = {name: dict((cards or {}).get(name, {})) for name in scores}
    seconds = {name: own.pop("seconds", 1.5) for name, own in facts.items()}
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
        compare=CompareSection(**SECTION | (section or {})),
    )
    cards = {name: card(name, **facts[name]) for name in scores}
    return compare(records, cards, params)
