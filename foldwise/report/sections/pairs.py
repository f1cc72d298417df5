"""Every two architectures, on the same folds."""

from foldwise.files.comparison import Pair
from foldwise.report.blocks import Block, Details, Line, Paragraph, Section, Table
from foldwise.report.findings import ReportInputs
from foldwise.report.numbers import change, percent, probability, score

FOLDED = 3  # more pairs than this are folded away


def pairs(findings: ReportInputs) -> Section | None:
    """Return two tables, the test and the probabilities; None: fewer than two finished."""
    every, design = findings.comparison.pairs, findings.comparison.design
    if not every:
        return None
    blocks: list[Block] = [
        Table(
            "Difference first − second, and whether it could be chance",
            ("first", "second", "difference", design.percent, "p", "p (Holm)", "detectable"),
            [_test(pair) for pair in every],
            n_text=2,
        ),
        Table(
            "Probability that the first is better, practically equal or worse",
            ("first", "second", "better", "equal", "worse", "runs won"),
            [_probabilities(pair) for pair in every],
            n_text=2,
        ),
    ]
    words = Paragraph(
        f"Differences of the {design.decides.label}, paired by fold, with the corrected "
        f"{design.percent} interval, the p of the corrected resampled t-test, and p after Holm "
        "over all pairs. Detectable is the smallest difference that would be significant. Better "
        f"and worse mean by more than {design.rope:g} (Bayesian correlated t-test); runs won are "
        "an effect size, not a test."
    )
    if len(every) > FOLDED:
        return Section("Pairs", [words, Details(f"All {len(every)} pairs", blocks)])
    return Section("Pairs", [*blocks, words])


def _test(pair: Pair) -> list[Line]:
    low, high = pair.interval
    return [
        pair.first,
        pair.second,
        change(pair.mean),
        f"{change(low)} … {change(high)}",
        probability(pair.p),
        probability(pair.p_holm),
        score(pair.detectable),
    ]


def _probabilities(pair: Pair) -> list[Line]:
    shares = (pair.better, pair.equal, pair.worse)
    return [pair.first, pair.second, *map(probability, shares), percent(pair.wins)]
