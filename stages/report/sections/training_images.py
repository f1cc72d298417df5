"""What the networks trained on: the contact sheet of the first fold, and where the others are."""

from stages.contracts.comparison import Comparison
from stages.report.markdown import section

FOLDER = "contact_sheets"  # of the stage augment, beside the report


def training_images(comparison: Comparison) -> str:
    """Return the first sheet as a picture and a link to each of the others; none is read.

    Args:
        comparison: What compare found.
    """
    plan = comparison.design
    (repeat, fold), *others = [(r, f) for r in plan.repeats for f in plan.folds]
    alt = f"Augmented training images of repeat {repeat} fold {fold}"
    links = ", ".join(f"[{r}-{f}]({FOLDER}/{r}/{f}.png)" for r, f in others)
    return section(
        "Training images",
        f"![{alt}]({FOLDER}/{repeat}/{fold}.png)",
        f"Repeat {repeat} fold {fold}, augmented as in training. "
        f"Every fold draws its own (repeat-fold): {links}.",
    )
