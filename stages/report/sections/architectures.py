"""The tables of architectures, best first: what they reach, and what they cost."""

from stages.contracts.comparison import Architecture, Comparison
from stages.report.markdown import escape, section, table, unbroken

COST = ("architecture", "s / epoch", "total s", "images / s", "parameters", "multiply-adds")


def architectures(comparison: Comparison) -> str:
    """Return two tables; the chosen row says so in words, a failed one shows no statistics.

    Two, since one with all columns is wider than a page of a pull request.
    """
    chosen, percent = comparison.verdict.chosen, comparison.design.percent
    every = comparison.architectures
    failed = [one for one in every if one.reason is not None]
    reasons = "\n".join(f"- {escape(one.name)} {escape(one.reason or '')}" for one in failed)
    header = ("architecture", "status", f"accuracy ({percent})", "std", "variance", "range")
    return section(
        "Architectures",
        table(
            [*map(unbroken, header), "train − validation"],
            [_scores(one, one.name == chosen) for one in every],
            n_text=2,
        ),
        f"Accuracy is the mean over the folds ± half its corrected {percent} interval; std, "
        "variance and range are those of single folds. Folds share training images, so the "
        "interval is wider than std / √folds would make it (Nadeau and Bengio, 2003).",
        reasons and f"Failed:\n\n{reasons}",
        table(COST, [_cost(one, one.name == chosen) for one in every]),
        "Seconds are of training steps per epoch, and of all folds with evaluation and start; "
        "multiply-adds are of one image. What a part that never trains made of the images was "
        "computed once before, and is not in the seconds.",
    )


def _scores(one: Architecture, is_chosen: bool) -> list[str]:
    status = "**chosen**" if is_chosen else one.status
    numbers = ["–"] * 5
    if one.scores is not None:
        scores = one.scores
        numbers = [
            unbroken(scores.text),
            f"{scores.std:.4f}",
            f"{scores.variance:.2e}",
            unbroken(f"{scores.min:.4f} … {scores.max:.4f}"),
            f"{scores.gap:+.4f}",
        ]
    return [_name(one, is_chosen), status, *numbers]


def _cost(one: Architecture, is_chosen: bool) -> list[str]:
    seconds = ["–"] * 3
    if one.cost is not None:
        cost = one.cost
        seconds = [
            f"{cost.seconds_per_epoch:,.2f}",
            f"{cost.total_seconds:,.0f}",
            f"{cost.images_per_second:,.0f}",
        ]
    sizes = [f"{one.parameters:,}", f"{one.multiply_adds:,}"]
    return [_name(one, is_chosen), *seconds, *sizes]


def _name(one: Architecture, is_chosen: bool) -> str:
    return f"**{escape(one.name)}**" if is_chosen else escape(one.name)
