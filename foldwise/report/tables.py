"""The tables of the report, as rows of formatted cells."""

from collections.abc import Callable, Sequence

import pandas as pd
from markupsafe import Markup

from foldwise.core.errors import first_few
from foldwise.files.comparison import Architecture
from foldwise.files.inspection import MOST_SHOWN as MOST_IMAGES
from foldwise.files.verdict import METRICS, CostUnit, metric
from foldwise.report import formats
from foldwise.report.formats import NONE, Row, Table, score
from foldwise.report.inputs import MOST_SHOWN, ReportInputs

COSTS: dict[CostUnit, tuple[str, Callable[[float], str], str]] = {  # column, its format, the rule
    "macs": ("MACs", formats.short, "fewest MACs per image"),
    "latency": ("ms / image", formats.milliseconds, "lowest latency of one image on one thread"),
    "training_seconds": ("s / fold", formats.seconds, "fewest seconds of training per fold"),
}
THREADS = ("1 thread", "all threads")
LATENCIES = ("image", "image_all_threads", "batch", "batch_all_threads")
YES = {True: "yes", False: "no"}
CLASS_COLUMNS = ("class", "images", "recall", "precision")


def named(inputs: ReportInputs, name: str) -> str:
    """Return the name of an architecture, marked if it is chosen or kept out of the choice."""
    if name in (each.name for each in inputs.comparison.kept_out):
        return Markup(f"{formats.inline(name)} (kept out)")
    return Markup(f"**{formats.inline(name)}** (chosen)") if name == inputs.verdict.chosen else name


def architectures(inputs: ReportInputs) -> Table:
    """Return score, diagnosis and cost of each architecture."""
    label = inputs.comparison.design.decides.label
    numbers = (f"mean {label}", "std")
    columns = [column for column, _, _ in COSTS.values()]
    header = ("architecture", "diagnosis", *numbers, *columns, "parameters")
    return _by_architecture(inputs, header, _score_and_cost, n_text=2)


def spread(inputs: ReportInputs) -> Table:
    """Return range and variance of the per-fold scores."""
    with_parts = any(each.scores and each.scores.parts for each in inputs.comparison.finished)
    parts = ("due to folds", "due to initial weights") if with_parts else ()
    header = ("architecture", "lowest", "highest", "variance", *parts, "stability rank")
    return _by_architecture(inputs, header, _spread)


def costs(inputs: ReportInputs) -> Table:
    """Return size, memory and time of each architecture."""
    sizes = ("parameters", "MACs", "predicted memory")
    header = ("architecture", *sizes, "memory", "extraction s", "total s", "images / s")
    return _by_architecture(inputs, header, _costs)


def latencies(inputs: ReportInputs) -> Table:
    """Return the milliseconds per image in use: one image and a batch, on one and all threads."""
    size = inputs.comparison.architectures[0].latency.batch_size
    numbers = [f"{n}, {threads}" for n in ("1 image", f"{size} images") for threads in THREADS]
    return _by_architecture(inputs, ("architecture", *numbers), _latencies)


def learning(inputs: ReportInputs) -> Table:
    """Return the numbers behind each diagnosis."""
    header = ("architecture", "diagnosis", "start", "train", "train − validation", "slope / epoch")
    return _by_architecture(inputs, header, _learning, n_text=2)


def rates(inputs: ReportInputs) -> Table:
    """Return the learning rate of each architecture, and the losses of those that were tried."""

    def cells(architecture: Architecture) -> Row:
        tuning = inputs.tunings[architecture.name]
        losses = (
            f"{t.learning_rate:g}: {'diverged' if t.loss is None else score(t.loss)}"
            for t in tuning.tried
        )
        return [tuning.source, " · ".join(losses) or NONE, f"{tuning.learning_rate:g}"]

    header = ("architecture", "learning rate from", "loss of the short trainings", "learning rate")
    return _by_architecture(inputs, header, cells, n_text=3)


def rule_steps(inputs: ReportInputs) -> Table:
    """Return each step of the decision rule and the architectures that remain after it."""
    verdict, design = inputs.verdict, inputs.comparison.design
    label, all_names = design.decides.label, [each.name for each in verdict.contenders]
    allowed = [each.name for each in verdict.contenders if each.within_worth]
    worth = f"expected shortfall in {label} against it at most {design.worth:g} (compare.worth)"
    same = f"within {100 * design.same_cost:g} %" if design.same_cost else "of equal ones"
    cheapest = f"{COSTS[verdict.cost_unit][2]}; {same}, fewest parameters"
    rows: list[Row] = [
        ["1. best", f"{design.decides.best} mean {label}", all_names[0]],
        ["2. worth it", worth, first_few(allowed, MOST_SHOWN)],
        ["3. cheapest", cheapest, Markup(f"**{formats.inline(verdict.chosen)}**")],
    ]
    return Table(("step", "rule", "remaining"), rows, n_text=3)


def contenders(inputs: ReportInputs) -> Table:
    """Return the numbers that the decision rule used."""
    label = inputs.comparison.design.decides.label
    column, format_cost, _ = COSTS[inputs.verdict.cost_unit]
    rows = []
    for each in inputs.verdict.contenders:
        answers = (YES[each.within_worth], YES[each.different])
        numbers = (score(each.shortfall), score(each.expected_shortfall), format_cost(each.cost))
        rows.append([named(inputs, each.name), *answers, *numbers])
    header = ("architecture", "worth it", "differs", f"{label} shortfall", "expected shortfall")
    return Table((*header, column), rows, n_text=3)


def pair_tests(inputs: ReportInputs) -> Table:
    """Return the difference of each pair with its significance test."""
    rows = []
    for pair in inputs.shown.pairs:
        interval = " … ".join(map(formats.change, pair.interval))
        p_values = map(formats.probability, (pair.p, pair.p_holm))
        numbers = [formats.change(pair.mean), interval, *p_values, score(pair.detectable)]
        rows.append([pair.first, pair.second, *numbers])
    interval = inputs.comparison.design.percent
    header = ("first", "second", "difference", interval, "p", "p (Holm)", "detectable")
    return Table(header, rows, n_text=2)


def pair_probabilities(inputs: ReportInputs) -> Table:
    """Return the probabilities that the first of a pair is better, equal or worse."""
    rows = []
    for pair in inputs.shown.pairs:
        probabilities = map(formats.probability, (pair.better, pair.equal, pair.worse))
        rows.append([pair.first, pair.second, *probabilities, formats.percent(pair.wins)])
    return Table(("first", "second", "better", "equal", "worse", "runs won"), rows, n_text=2)


def metrics(inputs: ReportInputs) -> Table | None:
    """Return every metric of each architecture and of the baseline; None: none finished.

    The top-k accuracy of at most k classes is left out, because it is always 1.
    """
    baseline, top_k = inputs.comparison.baseline, inputs.comparison.design.top_k
    if baseline is None:
        return None

    keys = [name for name in METRICS if name != "top_k" or len(baseline.images) > top_k]
    readings = [metric(name, top_k) for name in keys]
    header = [each.label if each.higher_is_better else f"{each.label} ↓" for each in readings]
    finished = inputs.comparison.finished
    values = [(named(inputs, each.name), each.metrics or {}) for each in finished]
    values.append((f"always “{inputs.class_names[baseline.label]}”", baseline.metrics))
    rows = [[name, *(score(means.get(key)) for key in keys)] for name, means in values]
    return Table(("architecture", *header), rows)


def recall(inputs: ReportInputs, most: int | None = None) -> Table:
    """Return recall and precision of each class by the chosen architecture, lowest recall first.

    Args:
        inputs: With a chosen architecture.
        most: Rows to return; None: all.
    """
    classes = inputs.classes[inputs.classes["model"] == inputs.verdict.chosen]
    ranked = classes.sort_values(["recall", "class"], na_position="last", kind="stable")[:most]
    rows = []
    for name, images, *shares in ranked[[*CLASS_COLUMNS]].itertuples(index=False):
        cells = [NONE if pd.isna(share) else formats.percent(share) for share in shares]
        rows.append([name, f"{images:,}", *cells])
    return Table(CLASS_COLUMNS, rows)


def near_duplicates(inputs: ReportInputs) -> Table:
    """Return the first pairs of near-duplicates, with a picture of each."""
    rows: list[Row] = []
    pairs = inputs.near_duplicates.head(MOST_IMAGES)
    for at, (first, second, *classes, place) in enumerate(pairs.itertuples(index=False)):
        names = " and ".join(dict.fromkeys(classes))
        rows.append([first, second, names, place, _picture(f"pair-{at}", "Two images")])
    return Table(("first", "second", "class", "where", "images"), rows, n_text=5)


def wrong_labels(inputs: ReportInputs) -> Table:
    """Return the first images whose label looks wrong, with a picture of each."""
    rows: list[Row] = []
    images = inputs.labels.head(MOST_IMAGES)
    for at, (file, *classes, probability, of_label) in enumerate(images.itertuples(index=False)):
        numbers = [formats.probability(probability), formats.probability(of_label)]
        rows.append([file, _picture(f"label-{at}", "The image"), *classes, *numbers])
    header = ("file", "image", "label", "looks like", "probability", "of the label")
    return Table(header, rows, n_text=4)


def fold_scores(inputs: ReportInputs) -> Table:
    """Return the scores: a row for each fold, a column for each architecture.

    Of many architectures, each has a row, because the page has no room for so many columns.
    """
    fits = {each.name: each.diagnosis.fit for each in inputs.comparison.architectures}
    wide = inputs.scores.pivot(index=["repeat", "fold"], columns="model", values="score")
    folds = [f"repeat {repeat} fold {fold}" for repeat, fold in wide.index]
    columns = {
        name: [fit if pd.isna(value) else score(value) for value in wide[name]]
        for name, fit in fits.items()
    }
    if len(columns) > MOST_SHOWN:
        return Table(("architecture", *folds), [[name, *row] for name, row in columns.items()])
    rows = zip(folds, *columns.values(), strict=True)
    return Table(("fold", *columns), [[*row] for row in rows])


def cards(inputs: ReportInputs) -> Table:
    """Return size and cost of each architecture for one image."""
    rows = []
    for card in inputs.cards.values():
        sources = ", ".join(dict.fromkeys(loaded.source for loaded in card.loaded)) or "none"
        counts = (card.parameters, card.trainable_parameters, card.locked_parameters, card.macs)
        activations, side = f"{card.activation_bytes / 1e6:,.2f} MB", card.smallest_side
        smallest = formats.shape([side, side]) if side else "certain sizes"
        numbers = [*(f"{count:,}" for count in counts), activations, smallest]
        rows.append([card.name, sources, *numbers, str(card.total_stride or NONE)])
    header = ("architecture", "weights", "parameters", "trained", "frozen", "MACs")
    return Table((*header, "activations", "smallest image", "total stride"), rows, n_text=2)


def _picture(name: str, text: str) -> Markup:
    return Markup(f"![{text}](inspection/{name}.png)")


def _by_architecture(
    inputs: ReportInputs,
    header: Sequence[str],
    cells: Callable[[Architecture], Row],
    n_text: int = 1,
) -> Table:
    """Return one row per architecture; missing cells at its end are filled."""
    rows = []
    for architecture in inputs.comparison.architectures:
        row = [named(inputs, architecture.name), *cells(architecture)]
        rows.append(row + [NONE] * (len(header) - len(row)))
    return Table(header, rows, n_text)


def _score_and_cost(architecture: Architecture) -> Row:
    fit, size = architecture.diagnosis.fit, formats.short(architecture.parameters)
    macs, latency = formats.short(architecture.macs), architecture.latency.image
    scores, cost = architecture.scores, architecture.cost
    first = architecture.first_score
    numbers = ["failed" if first is None else f"{score(first)} on one fold", NONE]
    if scores is not None:
        numbers = [scores.text, score(scores.std)]
    seconds = formats.seconds(cost.training_seconds) if cost else NONE
    return [fit, *numbers, macs, formats.milliseconds(latency), seconds, size]


def _spread(architecture: Architecture) -> Row:
    if (scores := architecture.scores) is None:
        return []
    parts = (scores.parts.fold, scores.parts.initialisation) if scores.parts else ()
    variances = [f"{variance:.2e}" for variance in (scores.variance, *parts)]
    return [score(scores.min), score(scores.max), *variances, str(scores.stability_rank)]


def _costs(architecture: Architecture) -> Row:
    predicted, cost = formats.memory(architecture.predicted_memory_bytes), architecture.cost
    row = [f"{architecture.parameters:,}", f"{architecture.macs:,}", predicted]
    if cost is None:
        return row
    gpu = f" + {formats.memory(cost.peak_gpu_bytes)} (GPU)" if cost.peak_gpu_bytes else ""
    memory = formats.memory(cost.peak_memory_bytes) + gpu
    seconds = map(formats.seconds, (cost.extraction_seconds, cost.total_seconds))
    return [*row, memory, *seconds, f"{cost.images_per_second:,.0f}"]


def _latencies(architecture: Architecture) -> Row:
    values = [getattr(architecture.latency, name) for name in LATENCIES]
    return [NONE if value is None else formats.milliseconds(value) for value in values]


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
