import pytest
from compared import compared, read_all  # first: it says where records is
from records import write_case


@pytest.fixture
def case(tmp_path):
    """Write records, compare them, and return the flags of report."""

    def case(accuracies, **changes):
        write_case(tmp_path, accuracies, **changes)
        return compared(tmp_path)

    return case


@pytest.fixture
def inputs(case):
    """Write records, compare them, and return what the report reads."""
    return lambda accuracies, **changes: read_all(case(accuracies, **changes))
