"""What choices after few training steps have cost elsewhere: a sentence for every report.

`python -m benchmarks.regret.own` computes the numbers from a grid of trainings, and docs/regret.md
describes it.
"""

N_CANDIDATES = 3  # of each choice
LONGEST = 390  # steps; the accuracy on new images after these counts as the true one
# By steps of each training: true accuracy of the best candidate minus that of the one that the rule
# of the verdict chooses, `compare.worth` being 0.01; mean over 56 choices on each of 4 data sets.
REGRETS = {39: 0.0030, 130: 0.0019, LONGEST: 0.0006}


def few_steps_text(steps: int) -> str:
    """Return what choices after at most so many steps per training have cost on average."""
    studied = max((n for n in REGRETS if n <= steps), default=min(REGRETS))
    text = (
        f"Each training had {steps:,} steps. In a study of four data sets, choices among "
        f"{N_CANDIDATES} architectures after {studied} steps gave up {REGRETS[studied]:.4f} of "
        f"accuracy on average, against the best after {LONGEST} steps."
    )
    return text if steps >= studied else f"{text} Fewer than {studied} steps were not tried."
