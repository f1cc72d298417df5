import pytest

from benchmarks.process import run_fold


@pytest.mark.slow  # with the stages before it, 10 to 20 seconds
def test_a_fold_is_trained_as_the_pipeline_trains_it(case):
    seconds, record = run_fold(case)
    assert (record.model, record.fold, record.status) == (case.name.split("-")[1], 0, "finished")
    assert seconds > record.timing.total_seconds > 0
