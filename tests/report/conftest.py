import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "compare"))  # records.py, the factory of both

from records import write_case

from stages.compare.__main__ import main as compare


@pytest.fixture
def case(tmp_path):
    """Write records, compare them, and return the flags of report."""

    def case(accuracies, **changes):
        compare(write_case(tmp_path, accuracies, **changes))
        out = tmp_path / "out"
        return [
            *("--comparison", str(out / "comparison.json"), "--scores", str(out / "scores.csv")),
            *("--curves", str(out / "curves.csv"), "--models", str(tmp_path / "models")),
            *("--output", str(tmp_path / "reports")),
        ]

    return case
