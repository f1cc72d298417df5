import os
import re
import socket
import subprocess
import sys

import pytest

from foldwise.core.errors import InputError
from foldwise.files.image_folder import find_groups, list_files

NOBODY = 65534


def errors_of(root, **how):
    with pytest.raises(InputError) as caught:
        list_files(root, **{"allow_links": False} | how)
    return str(caught.value).split("\n")


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_all_files_are_listed_except_those_of_git_and_dvc(tmp_path):
    make(tmp_path, "a/1.png", "a/b/2", ".x/3", ".git/4", "a/.dvc/5", "6")
    os.mkfifo(tmp_path / ".git" / "monitor")
    (tmp_path / "link.png").symlink_to(tmp_path / "6")
    files = list_files(tmp_path, allow_links=False)
    assert sorted(files) == [".x/3", "6", "a/1.png", "a/b/2", "link.png"]


@pytest.mark.parametrize("folder", ["a", "a/b", ".hidden"])
@pytest.mark.parametrize("kind", ["fifo", "socket", "link to a device"])
def test_what_is_neither_file_nor_folder_is_an_error(tmp_path, monkeypatch, folder, kind):
    path = make(tmp_path, f"{folder}/2.png") / folder / "1.png"
    monkeypatch.chdir(path.parent)  # the path of a socket has at most 108 bytes
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    (error,) = errors_of(tmp_path)
    assert error.startswith(f"prepare.root: '{path}' is neither a file nor a folder")
    assert error.endswith("; remove it")


def test_a_link_to_nothing_is_an_error_and_says_so(tmp_path):
    (tmp_path / "1.png").symlink_to("nothing")
    (error,) = errors_of(tmp_path)
    assert error.endswith("1.png' is a link to no file; restore the file or remove the link")


def test_device_is_an_error(tmp_path):
    try:
        os.mknod(tmp_path / "zero", 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root may make a device")
    (error,) = errors_of(tmp_path)
    assert "zero' is neither a file nor a folder" in error


def test_links_that_lead_nowhere_are_an_error(tmp_path):
    (tmp_path / "a").symlink_to("a")
    (error,) = errors_of(tmp_path)
    assert f"'{tmp_path / 'a'}' cannot be read (Too many levels" in error


def test_link_to_a_folder_is_an_error_where_dvc_would_miss_its_changes(tmp_path):
    root, other = tmp_path / "root", make(tmp_path / "other", "1.png")
    make(root, "a/1.png")
    (root / "b").symlink_to(other)
    assert list_files(root, allow_links=True) == ["a/1.png"]
    (error,) = errors_of(root)
    assert error.startswith(f"prepare.root: '{root / 'b'}' is a link to a folder")


def test_newline_in_a_name_makes_no_line(tmp_path):
    os.mkfifo(tmp_path / "a\nb\x1b.png")
    (error,) = errors_of(tmp_path)
    assert error.isprintable()


def test_many_errors_of_a_kind_are_one_line(tmp_path):
    for index in range(50):
        os.mkfifo(tmp_path / str(index))
    (tmp_path / "link").symlink_to(".")
    lines = sorted(errors_of(tmp_path))
    assert len(lines) == 2
    assert "49 more files" in lines[0]
    assert "is a link to a folder, in which DVC sees no change; move the folder" in lines[1]


@pytest.mark.parametrize(
    ("mode", "path", "named"),
    [
        (0o000, "images/a/b", "images/a/b"),
        (0o111, "images/a/b", "images/a/b"),
        (0o444, "images/a/b", "images/a/b/1.png"),
        (0o000, "images", "images"),
        (0o000, "images/a/b/1.png", "images/a/b/1.png"),
    ],
)
def test_what_cannot_be_read_is_an_error(tmp_path, mode, path, named):
    """Root reads everything, so another user looks."""
    make(tmp_path, "images/a/b/1.png")
    (tmp_path / path).chmod(mode)
    result = look_as_nobody(tmp_path)
    (tmp_path / path).chmod(0o755)
    assert result.startswith(f"prepare.root: '{named}' cannot be read (Permission denied); change")
    assert result.count("\n") == 1


def look_as_nobody(folder):
    """List folder/images as a user without rights, who may only enter the folder."""
    folder.chmod(0o711)
    code = f"""
import os
from foldwise.core.errors import InputError
from foldwise.files.image_folder import list_files
from pathlib import Path
os.chdir({str(folder)!r})
if os.getuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
try:
    print(list_files(Path("images"), allow_links=False))
except InputError as error:
    print(error)
"""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "pattern",
    [r"((?:a|a)*)x", r"(\w+)+x", r"(a?a?a?a?)*x"],
)
def test_pattern_that_takes_hours_is_stopped(pattern, monkeypatch):
    monkeypatch.setattr("foldwise.files.image_folder.GROUP_SECONDS", 0.1)
    with pytest.raises(InputError, match=re.escape(repr(pattern))) as caught:
        find_groups(pattern, ["a" * 60])
    assert "; write it without repeats inside repeats" in str(caught.value)


def test_repeats_inside_repeats_that_are_quick_are_no_error():
    names = [f"a-b-patient{number}/1.png" for number in range(20_000)]
    groups = find_groups(r"(?:\w-)+patient(\d+)", names)
    assert groups == [str(number) for number in range(20_000)]
    assert find_groups(r"(\d)", ["a"]) == [None]
