import os
import re
import signal
import threading
import time

import pytest

from foldwise.core.limits import TimeLimitError, read_limited, time_limit


def test_only_regular_files_of_some_size_are_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    assert read_limited(path, 4) == b"1234"
    with pytest.raises(OSError, match="4 bytes, over 3"):
        read_limited(path, 3)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("fifo", "zero"):
        with pytest.raises(OSError, match="not a regular file"):
            read_limited(tmp_path / name, 4)
    with pytest.raises(IsADirectoryError):
        read_limited(tmp_path, 4)


def test_file_of_many_gigabytes_is_refused_unread(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.truncate(20 * 2**30)
    with pytest.raises(OSError, match="21,474,836,480 bytes"):
        read_limited(tmp_path / "file", 2**32)


def test_waiting_is_stopped_by_the_clock():
    with pytest.raises(TimeLimitError), time_limit(0.01):
        time.sleep(60)


def test_computing_is_stopped_by_its_cpu_time():
    with pytest.raises(TimeLimitError), time_limit(0.01, signal.ITIMER_VIRTUAL):
        re.search(r"(\w+)+x", "a" * 60)


def test_afterwards_nothing_is_left():
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(60):
        pass
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_other_threads_have_no_limit():
    done = []

    def work():
        with time_limit(0.01):
            time.sleep(0.05)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
