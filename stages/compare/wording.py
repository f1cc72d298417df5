"""The verdict in plain English: no surer than the folds are."""

from collections.abc import Sequence

from stages.contracts.comparison import Architecture, Comparison, Design, Difference, Scores

Finished = Sequence[tuple[Architecture, Scores]]


def verdict_text(
    ranked: Sequence[Architecture], difference: Difference | None, design: Design
) -> str:
    """Return one paragraph: the choice, how sure it is, and what failed.

    "Highest mean" is never put as "surely better": what the interval of the difference says of
    the first two is said, too.

    Args:
        ranked: Best first, failed ones last.
        difference: First minus second; None if fewer than two finished.
        design: What was compared.
    """
    finished = [(one, one.scores) for one in ranked if one.scores is not None]
    failed = [one.name for one in ranked if one.scores is None]
    sentences = [_choice(finished, design)]
    if difference is not None:
        first, second = finished[0][0], finished[1][0]
        sentences += [_lead(first, second, difference, design), _separation(first, difference)]
    if len(finished) > 2:
        sentences.append(
            "The interval makes no allowance for picking the first two "
            f"of {len(finished)} architectures on these same folds."
        )
    if failed:
        sentences.append(f"Diverged, hence without a score: {', '.join(failed)}.")
    return " ".join(sentences)


def summary_line(comparison: Comparison) -> str:
    """Return the choice and the size of the comparison, without a full stop."""
    best, design = comparison.architectures[0], comparison.design
    choice = "no architecture finished"
    if best.scores is not None:
        choice = f"{best.name}, accuracy {best.scores.text} ({design.percent})"
    n = len(design.models)
    return f"{choice}, {n} architecture{'s' if n > 1 else ''} × {design.text}"


def _choice(finished: Finished, design: Design) -> str:
    if not finished:
        return "Nothing can be chosen: no architecture finished all of its folds."
    first, scores = finished[0]
    score = f"{scores.text} ({design.percent} interval, {design.text})"
    if len(finished) == 1:
        return (
            f"{first.name} is the only architecture with a score: mean accuracy {score}. "
            "Nothing else says whether another would do better."
        )
    return f"{first.name} has the highest mean accuracy: {score}."


def _lead(first: Architecture, second: Architecture, lead: Difference, design: Design) -> str:
    low, high = lead.interval
    sure = f"{design.percent} interval {low:.4f} to {high:.4f}"
    if round(lead.mean, 12) > 0:
        return f"It leads {second.name} by {lead.mean:.4f} ({sure})."
    fewer = first.multiply_adds < second.multiply_adds
    why = "it needs fewer multiply-adds" if fewer else "its name comes first"
    return f"{second.name} has the same mean ({sure}); {first.name} is chosen since {why}."


def _separation(first: Architecture, lead: Difference) -> str:
    if lead.excludes_zero:
        return "The interval excludes 0: these folds separate the two."
    return (
        "The interval contains 0: these folds do not separate the two, "
        f"and {first.name} is not surely the better one."
    )
