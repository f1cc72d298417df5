"""Which architecture to take: metrics, statistics, decision, diagnosis and advice; no torch.

>>> from foldwise.selection import compare_scores
>>> small, large = [0.85, 0.90, 0.88, 0.92], [0.90, 0.94, 0.95, 0.94]  # accuracies of 4 folds
>>> (pair,) = compare_scores({"small": [small], "large": [large]})
>>> pair.first, round(pair.mean, 3)
('large', 0.045)
"""

from foldwise.core.exports import lazy_exports

__getattr__, __all__ = lazy_exports(
    {
        "foldwise.files.comparison": "Pair",
        "foldwise.selection.compare": "compare",
        "foldwise.selection.pairs": "compare_scores",
        "foldwise.selection.statistics": "holm",
    }
)
