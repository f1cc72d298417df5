"""What one gets without looking: every image is of the largest class."""

import math
from collections.abc import Iterable

from stages.compare.metrics import confusion_matrix, fold_metrics
from stages.contracts.comparison import Baseline
from stages.contracts.fold_record import Calibration, Tally


def majority(tallies: Iterable[Tally], top_k: int) -> Baseline:
    """Return the largest class, and the metrics of always saying it.

    Its probabilities are the shares of the classes: scikit-learn's
    DummyClassifier(strategy="prior"). Of equally large classes the first is said.

    Args:
        tallies: Of all validation images, each once a repeat; all of the same classes.
        top_k: k of the top-k accuracy.
    """
    images = confusion_matrix(tallies).sum(axis=1).tolist()
    n, label = sum(images), images.index(max(images))
    said = Tally(
        n_classes=len(images),
        confusion=[(true, label, count) for true, count in enumerate(images) if count],
        log_loss=sum(count * math.log(n / count) for count in images if count),
        ranks=sorted(images, reverse=True),
        calibration=Calibration(
            images=[n], correct=[images[label]], confidence=[float(images[label])]
        ),
        mistakes=[],
    )
    return Baseline(label=label, metrics=fold_metrics(said, top_k))
