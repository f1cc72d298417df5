"""What choices after few training steps have cost elsewhere: a sentence for every report.

`python -m benchmarks.regret.own` computes the numbers from a grid of trainings, and docs/regret.md
describes it.
"""

from foldwise.files.comparison import Design

N_CANDIDATES = 3  # of each choice
LONGEST = 390  # steps; the accuracy on new images after these counts as the true one
# By steps of each training: true accuracy of the best candidate minus that of the one that the rule
# of the verdict chooses, `compare.worth` being 0.01; mean over 56 choices on each of 4 data sets.
REGRETS = {39: 0.0030, 130: 0.0019}


def few_steps_text(design: Design, n_candidates: int) -> str:
    """Return what choices after at most so many steps per training have cost on average.

    Args:
        design: Steps of each training, and the deciding metric.
        n_candidates: Architectures among which the choice was made.
    """
    had = f"Each training had {design.steps:,} steps."
    if design.steps >= LONGEST:
        return f"{had} What longer training changes was studied up to {LONGEST} steps only."
    studied = max((n for n in REGRETS if n <= design.steps), default=min(REGRETS))
    unlike = [
        text
        for text, differs in (
            (f"fewer than {studied} steps", design.steps < studied),
            (f"choices among {n_candidates}", n_candidates not in (1, N_CANDIDATES)),
            (f"choices by {design.decides.label}", design.metric != "accuracy"),
        )
        if differs
    ]
    text = (
        f"{had} In a study of four data sets, choices by accuracy among {N_CANDIDATES} "
        f"architectures after {studied} steps gave up {REGRETS[studied]:.4f} of accuracy on "
        f"average, against the best after {LONGEST} steps."
    )
    return f"{text} It did not try {' or '.join(unlike)}." if unlike else text
