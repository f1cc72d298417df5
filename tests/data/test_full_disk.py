"""A full disk (a small file system): one line, and the same command goes on when there is room."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def disk(tmp_path):
    """Return a folder with its own disk of 1 MB, and a function that makes it larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "tmpfs", str(folder), "-o"]
    try:
        subprocess.run([*command, "size=1m"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a file system")
    yield folder, lambda: subprocess.run([*command, "remount,size=99m"], check=True)
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_prepare_ends_with_one_line_and_goes_on_when_there_is_room(disk, tmp_path):
    folder, enlarge = disk
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["prepare"] |= {"dataset": "digits", "image_size": 64, "limit": 100}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    command = [sys.executable, "-m", "stages.prepare", "--params", str(tmp_path / "params.yaml")]
    command += ["--output", str(folder / "prepared")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {folder}/prepared/")
    assert "No space left" in line
    assert list((folder / "prepared").iterdir()) == []
    enlarge()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert len(list((folder / "prepared").iterdir())) == 5
