import pytest

from foldwise.run.progress import error_line, is_result_line, parse_epoch

RUNS = "Running stage 'train@net-0-1':\n> exec python -m stages.train --params params.yaml\n"
EPOCH = "net repeat 0 fold 2 of 5: epoch 4 of 10, loss 0.350, validation accuracy 0.976; 3 s left\n"
TRACE = 'Traceback (most recent call last):\n  File "x.py", line 1\nRuntimeError: no kernel\n'
BY_DVC = "ERROR: failed to reproduce 'train@net-0-1': failed to run: exec python, exited with 1\n"


def test_the_epoch_is_read_from_the_line_that_ends_it():
    assert parse_epoch(EPOCH) == "4/10"
    assert parse_epoch("Updating lock file 'dvc.lock'") is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("train: net repeat 0 fold 1, 98.26 % of validation images right", True),
        ("Stage 'train@net-0-1' is cached - skipping run, checking out outputs", True),
        (EPOCH, False),
    ],
)
def test_the_result_is_how_the_fold_ended(line, expected):
    assert is_result_line(line) == expected


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (RUNS + EPOCH + "error: data/x is missing\n" + BY_DVC, "data/x is missing"),
        (RUNS + EPOCH + TRACE + "\n" + BY_DVC, "RuntimeError: no kernel"),
        (RUNS + EPOCH + BY_DVC, BY_DVC.removeprefix("ERROR: ").strip()),  # killed
        (
            "ERROR: unexpected error - disk full\n\nHaving trouble?\n",
            "unexpected error - disk full",
        ),
        ("dvc: not found\n", "dvc: not found"),
        ("", "it said nothing"),
    ],
)
def test_the_error_is_the_line_that_says_why(log, error):
    assert error_line(log) == error
