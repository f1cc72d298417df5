"""The command line: what stops before anything runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from foldwise.cli.main import run_command
from foldwise.core.errors import InputError

ROOT = Path(__file__).parents[2]
HARDWARE = {"precision": "auto", "device": "cpu", "threads": 1}
IMPORTS = """
import sys
sys.modules["ray"] = None  # as if it were not installed
from foldwise.cli.main import run_command
try:
    run_command(["run", "--address", "auto"])
except ValueError as error:
    print({"ray", "torch", "dvc"} & {name for name, module in sys.modules.items() if module})
    print(error)
"""


@pytest.fixture
def params(tmp_path, monkeypatch):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"hardware": HARDWARE, "train": "not read here"}))
    monkeypatch.chdir(tmp_path)
    return path


def test_too_many_jobs_stop_before_anything_runs(params, capfd):
    with pytest.raises(InputError, match="--jobs is 100000 and hardware"):
        run_command(["run", "--jobs", "100000"])
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in params.parent.iterdir()] == ["params.yaml"]


@pytest.mark.slow
def test_an_error_of_dvc_stops_the_command_after_dvc_s_message(params, capfd):
    for name in ("params.yaml", "dvc.yaml", "stages", "foldwise"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, params.parent / name)
    with pytest.raises(InputError, match=r"'dvc repro' ended with status 253; fix"):
        run_command(["run", "--jobs", "1"])
    assert "you are not inside of a DVC repository" in capfd.readouterr().err


def test_ray_torch_and_dvc_are_imported_when_needed_and_without_ray_one_line_says_so(params):
    command = (sys.executable, "-c", IMPORTS)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    imported, error = output.splitlines()
    assert imported == "set()"
    assert error.startswith("--address needs Ray, ")
    assert error.endswith("-e '.[cluster]'")


@pytest.mark.parametrize("command", ["check", "advise", "run"])
def test_every_command_has_one_usage(command, capsys):
    with pytest.raises(SystemExit) as caught:
        run_command([command, "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: foldwise {command} ")
    with pytest.raises(SystemExit):
        run_command(["--help"])
    assert f"\n    {command} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "COMMAND"),
        (["no_such"], "check"),
        (["run", "--gpus", "1"], "--address"),
        (["run", "--remote", "store"], "--address"),
        (["run", "--jobs", "2", "--list", "x"], "not allowed with"),
        (["run", "--params", "x"], "unrecognized"),  # DVC reads params.yaml and dvc.yaml only
        (["final", "--pipeline", "x"], "unrecognized"),
    ],
)
def test_a_wrong_command_line_is_a_usage_and_an_error(words, part, capsys):
    with pytest.raises(SystemExit) as caught:
        run_command(words)
    assert caught.value.code == 2
    usage, *_, error = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: foldwise ")
    assert part in error
