"""The three figures, each with what to look for."""

from stages.report.markdown import section


def pictures() -> str:
    """Return the figures; alt text for those who do not see them."""
    return section(
        "Figures",
        "![Accuracy of every fold, with mean and standard deviation, one row an architecture]"
        "(figures/scores.svg)",
        "Small dots are folds, the large mark their mean, the bar one standard deviation to each "
        "side: rows whose dots overlap are hard to tell apart.",
        "![Train and validation accuracy and loss over the epochs, one row an architecture]"
        "(figures/curves.svg)",
        "Thick lines are means over the folds, thin ones single folds, the band one standard "
        "deviation: a widening gap between dashed (train) and solid (validation) is overfitting, "
        "a solid line that still climbs asks for more epochs, a cross marks the epoch in which a "
        "fold diverged.",
        "![Mean accuracy against seconds per epoch and against parameters](figures/cost.svg)",
        "Up is more accurate, left is cheaper: whatever has a neighbour both above and to the "
        "left of it is not worth its cost.",
    )
