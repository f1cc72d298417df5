"""The table of architectures, best first."""

from stages.contracts.comparison import Architecture, Comparison
from stages.report.markdown import escape, section, table

HEADER = (
    *("architecture", "status", "accuracy", "std", "variance", "range", "train − validation"),
    *("s / epoch", "parameters", "multiply-adds"),
)


def architectures(comparison: Comparison) -> str:
    """Return the table; the chosen row says so in words, a failed one shows no statistics."""
    chosen, percent = comparison.verdict.chosen, comparison.design.percent
    rows = [_row(one, one.name == chosen) for one in comparison.architectures]
    failed = [one for one in comparison.architectures if one.reason is not None]
    reasons = "\n".join(f"- {escape(one.name)} {escape(one.reason or '')}" for one in failed)
    return section(
        "Architectures",
        table(HEADER, rows, n_text=2),
        f"Accuracy is the mean over the folds ± half its corrected {percent} interval; std, "
        "variance and range are those of single folds. Folds share training images, so the "
        "interval is wider than std / √folds would make it (Nadeau and Bengio, 2003).",
        reasons and f"Failed:\n\n{reasons}",
    )


def _row(one: Architecture, is_chosen: bool) -> list[str]:
    name = f"**{escape(one.name)}**" if is_chosen else escape(one.name)
    status = "**chosen**" if is_chosen else one.status
    numbers = ["–"] * 6
    if one.scores is not None and one.cost is not None:
        scores = one.scores
        numbers = [
            scores.text,
            f"{scores.std:.4f}",
            f"{scores.variance:.2e}",
            f"{scores.min:.4f} … {scores.max:.4f}",
            f"{scores.gap:+.4f}",
            f"{one.cost.seconds_per_epoch:.2f}",
        ]
    return [name, status, *numbers, f"{one.parameters:,}", f"{one.multiply_adds:,}"]
