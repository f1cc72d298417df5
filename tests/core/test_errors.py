import os
import subprocess
import sys

import pytest

from foldwise.core.errors import InputError, counted, first_few, run_main


def stop(error):
    def main():
        raise error

    return main


def test_every_line_of_an_input_error_is_an_error(capsys):
    with pytest.raises(SystemExit) as caught:
        run_main(stop(InputError("params.yaml: a is 1\nparams.yaml: b is 2")))
    assert caught.value.code == "error: params.yaml: a is 1\nerror: params.yaml: b is 2"
    assert capsys.readouterr().out == ""


def test_our_own_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_main(stop(ZeroDivisionError()))


def test_sound_input_ends_the_process_with_all_that_it_said():
    """At once: what is registered for later would take torch apart, a second of each fold."""
    code = (
        "import atexit; from foldwise.core.errors import run_main; "
        "atexit.register(print, 'late'); run_main(lambda: print('done'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"


@pytest.mark.parametrize("stage", ["build", "train"])
def test_importing_a_stage_changes_nothing_in_the_process(torch_process, stage):
    code = (
        "import gc, os; before = dict(os.environ), gc.get_threshold(); "
        f"import stages.{stage}; assert before == (dict(os.environ), gc.get_threshold())"
    )
    torch_process.run("-c", code)


def test_waiting_threads_yield_which_openmp_is_told_before_torch_is_loaded():
    code = (
        "import os, sys; from foldwise.core.process import tune_python; tune_python(); "
        "assert 'torch' not in sys.modules; print(os.environ['GOMP_SPINCOUNT'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "5000\n"


def test_numbers_and_long_lists_in_messages():
    assert [counted(n, "tensor") for n in (0, 1, 2)] == ["0 tensors", "1 tensor", "2 tensors"]
    assert first_few(["a", "b"], 2) == "a, b"
    assert first_few(["a", "b", "c", "d"], 2) == "a, b and 2 more"
