"""The whole comparison, from the records and cards to the verdict."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from stages.compare.params import CompareParams
from stages.compare.summary import summarise
from stages.compare.tables import curves_table, scores_table
from stages.compare.verdict import chosen_and_runner_up, difference, rank
from stages.compare.wording import verdict_text
from stages.contracts.card import Card
from stages.contracts.comparison import Architecture, Comparison, Design, Findings, Metrics, Verdict
from stages.contracts.fold_record import FoldRecord, Machine

DECIMALS = 6  # of metrics.json: finer than one image in 100,000, and no digits of rounding errors


def compare(
    params: CompareParams, cards: Mapping[str, Card], records: Sequence[FoldRecord]
) -> Findings:
    """Return what the records say; the order of the candidates does not change the verdict.

    Args:
        params: The design.
        cards: Of every model, by name.
        records: Exactly those of the design, checked by `require_pairs`.
    """
    design, scores = _design(params, records), scores_table(records)
    ranked = rank(
        summarise(cards[model], [one for one in records if one.model == model], design.confidence)
        for model in design.models
    )
    comparison = Comparison(
        design=design,
        architectures=ranked,
        verdict=_verdict(ranked, scores, design),
        machines=_machines(records),
    )
    return Findings(comparison, _metrics(params.model, ranked), scores, curves_table(records))


def _design(params: CompareParams, records: Sequence[FoldRecord]) -> Design:
    one_repeat = records[: len(params.folds)]  # validates every image once
    return Design(
        models=params.models,
        repeats=params.repeats,
        folds=params.folds,
        epochs=records[0].epochs,
        n_images=sum(record.n_validation for record in one_repeat),
        metric="accuracy",
        confidence=params.compare.confidence,
    )


def _verdict(ranked: Sequence[Architecture], scores: pd.DataFrame, design: Design) -> Verdict:
    first, second = chosen_and_runner_up(ranked)
    lead = None
    if first is not None and second is not None:
        lead = difference(scores, first, second, len(design.folds), design.confidence)
    text = verdict_text(ranked, lead, design)
    return Verdict(chosen=first, runner_up=second, difference=lead, text=text)


def _metrics(model: str, ranked: Sequence[Architecture]) -> Metrics:
    tested = next(one.scores for one in ranked if one.name == model)
    best = ranked[0]
    return Metrics(
        mean=round(tested.mean, DECIMALS) if tested else None,
        std=round(tested.std, DECIMALS) if tested else None,
        verdict=best.name if best.scores else None,
        verdict_mean=round(best.scores.mean, DECIMALS) if best.scores else None,
    )


def _machines(records: Iterable[FoldRecord]) -> list[Machine]:
    """Return each machine once, in an order that does not depend on the records'."""
    machines = {record.machine.model_dump_json(): record.machine for record in records}
    return [machines[key] for key in sorted(machines)]
