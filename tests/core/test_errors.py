import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foldwise.core.errors import (
    MAX_PER_REASON,
    InputError,
    counted,
    first_few,
    lines_by_reason,
    run_main,
)


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


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "a/b"),
            "a/b: Permission denied; .*chmod",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", b"a"),
            "a: Read-only file system; .*not mou",
        ),
        (OSError(errno.ENOTDIR, "Not a directory", "a"), "a: Not a directory; remove the file"),
    ],
)
def test_error_of_the_system_is_one_line_with_its_remedy(error, line):
    with pytest.raises(SystemExit) as caught:
        run_main(stop(error))
    assert re.fullmatch(f"error: {line}.* and run the same command again", caught.value.code)


def test_full_disk_is_one_line():
    def main():
        with Path("/dev/full").open("w") as file:
            file.write("x")

    with pytest.raises(SystemExit) as caught:
        run_main(main)
    assert caught.value.code.startswith(f"error: {Path.cwd()}: No space left on device; free space")


def test_error_of_the_system_that_is_our_bug_keeps_its_traceback():
    with pytest.raises(OSError, match="Bad file descriptor"):
        run_main(lambda: os.close(10**6))


def test_control_characters_never_reach_the_terminal():
    with pytest.raises(SystemExit) as caught:
        run_main(stop(InputError("a\x1b]0;x\x07: é × \x9b31m\nb\r: \u202e")))
    assert caught.value.code == "error: a\\x1b]0;x\\x07: é × \\x9b31m\nerror: b\\r: \\u202e"


@pytest.mark.parametrize("end", ["print('0.9 ± 0.1')", "raise InputError('2 × 2')"])
def test_output_that_is_not_utf_8_shows_escapes(end):
    code = f"from foldwise.core.errors import *\ndef main():\n {end}\nrun_main(main)"
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=ascii_only, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) in [("0.9 \\xb1 0.1\n", ""), ("", "error: 2 \\xd7 2\n")]


def test_sound_input_ends_the_process_with_all_that_it_said():
    """At once: what is registered for later would take torch apart, a second of each fold."""
    code = (
        "import atexit; from foldwise.core.errors import run_main; "
        "atexit.register(print, 'late'); run_main(lambda: print('done'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"


@pytest.mark.parametrize("lines", [1, 10_000])
def test_reader_that_leaves_ends_the_process_without_a_word(lines):
    code = f"from foldwise.core.errors import run_main\nrun_main(lambda: print('1\\n' * {lines}))"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as output:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_another_pipe_that_breaks_is_a_bug_with_its_traceback():
    code = (
        "import os; from foldwise.core.errors import run_main; read, write = os.pipe(); "
        "os.close(read); run_main(lambda: os.write(write, b'1'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1][:15]) == (1, "BrokenPipeError")


@pytest.mark.parametrize("stage", [pytest.param("build", marks=pytest.mark.slow), "train"])
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
    assert [counted(n, "tensor") for n in (0, 1, 2000)] == [
        "0 tensors",
        "1 tensor",
        "2,000 tensors",
    ]
    assert first_few(["a", "b"], 2) == "a, b"
    assert first_few(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_a_reason_that_many_places_share_is_one_line():
    many = [(f"{index}.png", f"has {index} bits; convert it") for index in range(600)]
    lines = lines_by_reason([("a.gif", "is empty; remove it"), *many]).split("\n")
    assert lines[0] == "a.gif is empty; remove it"
    assert lines[1].startswith("0.png has 0 bits; convert it (the same for 599 more files")
    assert lines[1].count(".png") == 3
    assert len(lines) == 2
    assert lines_by_reason(many[:MAX_PER_REASON]).count("\n") == MAX_PER_REASON - 1


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("core.atomic", "write_text(folder / 'a', 'x' * 9999)"),
        ("core.machine", "create_npy(folder / 'a', 'u1', (9999,))"),
        ("files.dataset", "write_digests(folder, np.zeros(9999, dtype=np.uint64))"),
    ],
)
def test_a_failed_write_names_its_own_file_and_not_the_current_folder(tmp_path, module, call):
    code = f"""
import resource, signal
from pathlib import Path
import numpy as np
from foldwise.core.errors import run_main
from foldwise.{module} import {call.partition("(")[0]}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (99, 99))  # bytes: fails as a full disk does
folder = Path({str(tmp_path)!r})
run_main(lambda: {call})"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.startswith(f"error: {tmp_path}/")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
