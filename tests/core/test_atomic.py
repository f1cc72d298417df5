import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from foldwise.core.atomic import open_whole, sole_writer, write_text
from foldwise.core.errors import InputError

ROOT = Path(__file__).parents[2]


def test_a_second_writer_of_an_output_is_refused(tmp_path):
    folder = tmp_path / "runs" / "0-0"
    with sole_writer(folder):
        with (
            pytest.raises(InputError, match="0-0: another training writes"),
            sole_writer(folder),
        ):
            pass
        with sole_writer(tmp_path / "runs" / "0-1"):
            pass
    with sole_writer(folder):
        pass


def test_the_lock_lies_beside_the_output(tmp_path):
    with sole_writer(tmp_path / "0-0"):
        assert [path.name for path in tmp_path.iterdir()] == ["0-0.lock"]


def test_a_file_appears_when_it_is_complete(tmp_path):
    with open_whole(tmp_path / "new" / "file") as file:
        file.write("text")
        assert not (tmp_path / "new" / "file").exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_two_processes_that_write_a_file_do_not_mix(tmp_path):
    path = tmp_path / "file"
    code = f"from foldwise.core.atomic import *; write_text(Path({str(path)!r}), 'of the other')"
    with open_whole(path) as file:
        file.write("ours")
        file.flush()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        assert path.read_text() == "of the other"
    assert path.read_text() == "ours"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), open_whole(tmp_path / "file"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_its_target_is_written(tmp_path, exists):
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    link.symlink_to("far/target")
    if exists:
        write_text(target, "old")
    write_text(link, "new")
    assert (link.is_symlink(), target.read_text()) == (True, "new")


def test_a_pipe_is_written_and_stays(tmp_path):
    path, read = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = Thread(target=lambda: read.append(path.read_text()), daemon=True)
    reader.start()
    write_text(path, "text")
    reader.join(5)
    assert (read, path.is_fifo()) == (["text"], True)


def test_a_folder_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="is a folder; name a file"), open_whole(tmp_path):
        pytest.fail("nothing may be computed")
