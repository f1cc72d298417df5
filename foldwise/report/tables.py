"""The tables of the report, as rows of formatted cells."""

from collections.abc import Callable, Iterator, Sequence

import pandas as pd
from markupsafe import Markup

from foldwise.files.card import Card
from foldwise.files.comparison import Architecture, Cost, Pair
from foldwise.files.verdict import METRICS, Contender, MetricName, metric
from foldwise.report import formats
from foldwise.report.formats import NONE, Row, Table, score
from foldwise.report.inputs import ReportInputs

MODELS_PER_TABLE = 5  # more columns make a page wider than a pull request
COSTS = {"seconds_per_epoch": "s / epoch", "macs": "MACs"}  # columns of the cost that decides
CLASS_COLUMNS = ("class", "images", "recall", "precision")


def named(inputs: ReportInputs, name: str) -> str:
    """Return the name of an architecture, marked if it is the chosen one."""
    return Markup(f"**{formats.inline(name)}** (chosen)") if name == inputs.verdict.chosen else name


def architectures(inputs: ReportInputs) -> Table:
    """Return score, diagnosis and cost of each architecture."""
    label = f"mean {inputs.comparison.design.decides.label}"
    header = (
        "architecture",
        "diagnosis",
        label,
        "std",
        "stability rank",
        "s / epoch",
        "parameters",
    )
    return _by_architecture(inputs, header, _score_and_cost, n_text=2)


def spread(inputs: ReportInputs) -> Table:
    """Return range and variance of the per-fold scores."""
    with_parts = any(each.scores and each.scores.parts for each in inputs.comparison.finished)
    parts = ("due to folds", "due to initial weights") if with_parts else ()
    header = ("architecture", "lowest", "highest", "variance", *parts)

    def cells(architecture: Architecture) -> Row:
        scores = architecture.scores
        if scores is None:
            return [NONE] * (len(header) - 1)
        row = [score(scores.min), score(scores.max), f"{scores.variance:.2e}"]
        if scores.parts:
            row += [f"{scores.parts.fold:.2e}", f"{scores.parts.initialisation:.2e}"]
        return row + [NONE] * (len(header) - 1 - len(row))

    return _by_architecture(inputs, header, cells)


def costs(inputs: ReportInputs) -> Table:
    """Return time, size and memory of each architecture."""
    header = ("architecture", "total s", "images / s", "parameters", "MACs", "memory", "predicted")
    return _by_architecture(inputs, header, _costs)


def learning(inputs: ReportInputs) -> Table:
    """Return the numbers behind each diagnosis."""
    header = ("architecture", "diagnosis", "start", "train", "train − validation", "slope / epoch")
    return _by_architecture(inputs, header, _learning, n_text=2)


def rule_steps(inputs: ReportInputs) -> Table:
    """Return each step of the decision rule and the architectures that remain after it."""
    verdict, label = inputs.verdict, inputs.comparison.design.decides.label
    rule, contenders = verdict.rule, verdict.contenders
    tied = [each for each in contenders if each.tied]
    criterion = f"practically equal to it (within {rule.rope:g}) with probability ≥ {rule.sure:g}"
    front = f"not dominated in {label}, stability, cost and size (Pareto front)"
    cost = {
        "seconds_per_epoch": "fewest seconds per epoch",
        "macs": "fewest MACs (the machines differ, so times are not comparable)",
    }[rule.cost]
    cheapest = f"{cost}; within {100 * rule.same_cost:g} %, fewest parameters"
    rows: list[Row] = [
        ["1. best", f"{rule.best} mean {label}", _names(contenders[:1])],
        ["2. tied", criterion, _names(tied)],
        ["3. front", front, _names([each for each in tied if each.on_front])],
        ["4. cheapest", cheapest, Markup(f"**{formats.inline(verdict.chosen)}**")],
    ]
    return Table(("step", "rule", "remaining"), rows, n_text=3)


def contenders(inputs: ReportInputs) -> Table:
    """Return the numbers that the decision rule used."""
    rule, label = inputs.verdict.rule, inputs.comparison.design.decides.label
    header = ("architecture", "tied", "on the front", "differs", f"{label} behind", "P equal")
    rows = [
        [
            named(inputs, each.name),
            _yes_or_no(each.tied),
            _yes_or_no(each.on_front) if each.tied else NONE,
            _yes_or_no(each.different),
            score(each.behind),
            formats.probability(each.equal),
            formats.seconds(each.cost)
            if rule.cost == "seconds_per_epoch"
            else formats.short(each.cost),
        ]
        for each in inputs.verdict.contenders
    ]
    return Table((*header, COSTS[rule.cost]), rows, n_text=4)


def pair_tests(inputs: ReportInputs) -> Table:
    """Return the difference of each pair with its significance test."""
    interval = inputs.comparison.design.percent
    header = ("first", "second", "difference", interval, "p", "p (Holm)", "detectable")
    return Table(header, [_pair_test(pair) for pair in inputs.comparison.pairs], n_text=2)


def pair_probabilities(inputs: ReportInputs) -> Table:
    """Return the probabilities that the first of a pair is better, equal or worse."""
    rows = [
        [
            *(pair.first, pair.second),
            *map(formats.probability, (pair.better, pair.equal, pair.worse)),
            formats.percent(pair.wins),
        ]
        for pair in inputs.comparison.pairs
    ]
    return Table(("first", "second", "better", "equal", "worse", "runs won"), rows, n_text=2)


def metrics(inputs: ReportInputs) -> Table | None:
    """Return every metric of each architecture and of the baseline; None: none finished."""
    baseline, top_k = inputs.comparison.baseline, inputs.comparison.design.top_k
    if baseline is None:
        return None

    def cells(values: dict[MetricName, float]) -> Row:
        return [score(values.get(name)) for name in METRICS]

    readings = [metric(name, top_k) for name in METRICS]
    header = [each.label if each.higher_is_better else f"{each.label} ↓" for each in readings]
    finished = inputs.comparison.finished
    rows = [[named(inputs, each.name), *cells(each.metrics or {})] for each in finished]
    rows.append([f"always “{inputs.class_names[baseline.label]}”", *cells(baseline.metrics)])
    return Table(("architecture", *header), rows)


def recall(inputs: ReportInputs, most: int | None = None) -> Table:
    """Return recall and precision of each class by the chosen architecture, lowest recall first.

    Args:
        inputs: With a chosen architecture.
        most: Rows to return; None: all.
    """
    classes = inputs.classes[inputs.classes["model"] == inputs.verdict.chosen]
    ranked = classes.sort_values(["recall", "class"], na_position="last", kind="stable")[:most]
    rows = [
        [name, f"{images:,}", _share(recalled), _share(precise)]
        for name, images, recalled, precise in zip(
            *(ranked[column] for column in CLASS_COLUMNS), strict=True
        )
    ]
    return Table(CLASS_COLUMNS, rows)


def fold_scores(inputs: ReportInputs) -> Iterator[Table]:
    """Yield the scores: a row for each fold, a column for each architecture."""
    names = [each.name for each in inputs.comparison.architectures]
    wide = inputs.scores.pivot(index=["repeat", "fold"], columns="model", values="score")
    for start in range(0, len(names), MODELS_PER_TABLE):
        part = wide[names[start : start + MODELS_PER_TABLE]]
        rows: list[Row] = [
            [f"repeat {repeat} fold {fold}", *map(_fold_score, scores)]
            for (repeat, fold), scores in zip(part.index, part.to_numpy(), strict=True)
        ]
        yield Table(("fold", *part.columns), rows)


def cards(inputs: ReportInputs) -> Table:
    """Return size and cost of each architecture for one image."""
    header = ("architecture", "weights", "parameters", "trained", "frozen", "MACs")
    rows = [_card(card) for card in inputs.cards.values()]
    return Table((*header, "activations", "smallest image", "total stride"), rows, n_text=2)


def _by_architecture(
    inputs: ReportInputs,
    header: Sequence[str],
    cells: Callable[[Architecture], Row],
    n_text: int = 1,
) -> Table:
    architectures = inputs.comparison.architectures
    return Table(
        header, [[named(inputs, each.name), *cells(each)] for each in architectures], n_text
    )


def _score_and_cost(architecture: Architecture) -> Row:
    fit, size = architecture.diagnosis.fit, formats.short(architecture.parameters)
    if architecture.scores is None or architecture.cost is None:
        return [fit, "failed", NONE, NONE, NONE, size]
    scores, epoch = architecture.scores, formats.seconds(architecture.cost.seconds_per_epoch)
    return [fit, scores.text, score(scores.std), str(scores.stability_rank), epoch, size]


def _costs(architecture: Architecture) -> Row:
    cost, measured = architecture.cost, [NONE, NONE]
    if cost is not None:
        measured = [formats.seconds(cost.total_seconds), f"{cost.images_per_second:,.0f}"]
    return [
        *measured,
        f"{architecture.parameters:,}",
        f"{architecture.macs:,}",
        NONE if cost is None else _peak_memory(cost),
        formats.memory(architecture.predicted_memory_bytes),
    ]


def _peak_memory(cost: Cost) -> str:
    on_gpu = (
        "" if cost.peak_gpu_bytes is None else f" + {formats.memory(cost.peak_gpu_bytes)} (GPU)"
    )
    return f"{formats.memory(cost.peak_memory_bytes)}{on_gpu}"


def _learning(architecture: Architecture) -> Row:
    diagnosis = architecture.diagnosis
    return [
        diagnosis.fit,
        _ranked(score(diagnosis.start), diagnosis.start_rank),
        score(diagnosis.train_accuracy),
        formats.change(diagnosis.gap),
        _ranked(formats.change(diagnosis.slope), diagnosis.potential_rank),
    ]


def _ranked(number: str, rank: int | None) -> str:
    return number if rank is None or number == NONE else f"{number} ({rank}.)"


def _names(contenders: Sequence[Contender]) -> str:
    return ", ".join(each.name for each in contenders)


def _yes_or_no(answer: bool) -> str:
    return "yes" if answer else "no"


def _pair_test(pair: Pair) -> Row:
    low, high = pair.interval
    return [
        pair.first,
        pair.second,
        formats.change(pair.mean),
        f"{formats.change(low)} … {formats.change(high)}",
        formats.probability(pair.p),
        formats.probability(pair.p_holm),
        score(pair.detectable),
    ]


def _share(value: float) -> str:
    return NONE if pd.isna(value) else formats.percent(value)


def _fold_score(value: float) -> str:
    return "diverged" if pd.isna(value) else score(value)


def _card(card: Card) -> Row:
    side, stride = card.smallest_side, card.total_stride
    sources = dict.fromkeys(loaded.source for loaded in card.loaded)
    return [
        card.name,
        ", ".join(sources) or "none",
        f"{card.parameters:,}",
        f"{card.trainable_parameters:,}",
        f"{card.locked_parameters:,}",
        f"{card.macs:,}",
        f"{card.activation_bytes / 1e6:,.2f} MB",
        "certain sizes" if side is None else formats.shape([side, side]),
        NONE if stride is None else str(stride),
    ]
