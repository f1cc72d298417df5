import os
import subprocess
import sys

import pytest

from stages.contracts.command import InputError, run


def stop(error):
    def main():
        raise error

    return main


def test_every_line_of_an_input_error_is_an_error(capsys):
    with pytest.raises(SystemExit) as caught:
        run(stop(InputError("params.yaml: a is 1\nparams.yaml: b is 2")))
    assert caught.value.code == "error: params.yaml: a is 1\nerror: params.yaml: b is 2"
    assert capsys.readouterr().out == ""


def test_our_own_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(stop(ZeroDivisionError()))


def test_sound_input_ends_the_process_with_all_that_it_said():
    """At once: what is registered for later would take torch apart, a second of each fold."""
    code = (
        "import atexit; from stages.contracts.command import run; "
        "atexit.register(print, 'late'); run(lambda: print('done'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"


@pytest.mark.parametrize("stage", ["augment", "build", "train"])
def test_threads_yield_and_are_told_so_before_torch_is_loaded(stage):
    code = (
        "import os, sys, stages; assert 'torch' not in sys.modules; "
        f"print(os.environ['GOMP_SPINCOUNT']); import stages.{stage}.__main__; "
        "assert 'torch' in sys.modules"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "5000\n"
