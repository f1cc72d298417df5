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


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """Write records, compare them, and return what the report reads; the same case once for all."""
    made = {}

    def inputs(accuracies, **changes):
        key = repr((accuracies, changes))
        if key not in made:
            root = tmp_path_factory.mktemp("inputs")
            write_case(root, accuracies, **changes)
            made[key] = read_all(compared(root))
        return made[key]

    return inputs
