import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from foldwise.core.errors import InputError
from stages.check import main

ROOT = Path(__file__).parents[2]
PIPELINE = """
stages:
  build:
    matrix:
      model: &models ["${model}", "${candidates[0]}", "${candidates[1]}", "${candidates[2]}"]
  train:
    matrix: {model: *models, fold: "${folds}"}
"""


@pytest.fixture
def flags(tmp_path, params, monkeypatch):
    """Write params.yaml and dvc.yaml into an empty folder, the working directory."""
    monkeypatch.chdir(tmp_path)

    def flags(*dropped, **changes):
        Path("params.yaml").write_text(yaml.safe_dump(params(*dropped, **changes)))
        Path("dvc.yaml").write_text(PIPELINE)
        return [
            *("--params", "params.yaml", "--pipeline", "dvc.yaml"),
            *("--code", str(ROOT), "--output", "data/checked"),
        ]

    return flags


def written():
    return {path.name: path.read_bytes() for path in Path("data/checked").iterdir()}


def test_one_file_a_stage(flags, capsys):
    main(flags())
    stages = sorted(path.stem for path in ROOT.glob("stages/[!_]*.py"))
    assert sorted(written()) == [f"{stage}.json" for stage in stages if stage != "check"]
    assert {"prepare.json", "split.json", "train.json", "compare.json"} <= set(written())
    assert "foldwise.data.split" in json.loads(written()["split.json"])["modules"]
    assert capsys.readouterr().out == (
        "check: params.yaml is sound, 3 architectures × 1 repeat × 5 folds -> data/checked\n"
    )


def test_good_change_of_params_changes_nothing(flags):
    main(flags())
    before = written()
    main(flags(model="resnet18", repeats=[0, 1], **{"train.epochs": 9}))
    assert written() == before


def test_nothing_is_written_unless_all_is_sound(flags):
    with pytest.raises(InputError):
        main(flags(model="../raw"))
    assert not Path("data").exists()


def test_the_parameters_of_the_final_model_are_checked_before_any_training(flags):
    Path("final").mkdir()
    text = (ROOT / "final" / "params.yaml").read_text()
    Path("final/params.yaml").write_text(text.replace("epochs: comparison", "epochs: comparision"))
    given = flags()
    given[given.index(str(ROOT))] = "."
    with pytest.raises(InputError, match=r"^final/params.yaml: epochs is 'comparision'"):
        main(given)


def test_images_are_looked_at_before_dvc_opens_them(flags):
    Path("images/a").mkdir(parents=True)
    os.mkfifo("images/a/1.png")
    with pytest.raises(InputError, match=r"a/1.png' is neither a file nor a folder.*; remove it"):
        main(flags(**{"prepare.dataset": "folder", "prepare.root": "images"}))
    assert not Path("data").exists()


def test_every_slot_of_dvc_yaml_has_a_candidate(flags):
    with pytest.raises(InputError, match=r"expected 3 names.*; 'foldwise candidates lenet5' "):
        main(flags(candidates=["lenet5"]))


def test_same_key_twice_is_an_error(flags):
    given = flags()
    with Path("params.yaml").open("a") as file:
        file.write("\nseed: 1\n")
    with pytest.raises(InputError, match=r'line \d+: found duplicate key "seed"'):
        main(given)


def test_params_of_this_project_are_sound(tmp_path):
    files = ["--params", str(ROOT / "params.yaml"), "--pipeline", str(ROOT / "dvc.yaml")]
    main([*files, "--code", str(ROOT), "--output", str(tmp_path)])


def test_every_error_is_a_line_on_stderr_and_nothing_is_executed(flags):
    given = flags("seed", model="x; touch P", candidates=["$(touch P)", "../raw", "lenet5"])
    command = [sys.executable, "-m", "stages.check", *given]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("error: params.yaml: ") for line in lines)
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["dvc.yaml", "params.yaml"]


def test_nothing_slow_is_imported():
    slow = ("torch", "torchvision", "numpy", "pandas", "scipy", "sklearn", "matplotlib", "dvc")
    code = f"import sys, stages.check; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["{a}", "x}", "{"])
def test_folder_in_which_dvc_fails(flags, tmp_path, monkeypatch, name):
    options = flags()
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match=r"folder is '.*[{}].*rename it$"):
        main(options)


NETS = """
from torch import nn
from torchvision.models import resnet18 as small

class Net(nn.Module):
    pass

try:
    Other = make()
except NameError:
    def Other(n_classes): ...
"""


@pytest.mark.parametrize("attribute", ["Net", "Other", "small"])
def test_a_file_of_an_own_network_is_sound_if_it_defines_the_name(flags, attribute):
    Path("nets").mkdir()
    Path("nets/my.py").write_text(NETS)
    section = {"file": f"nets/my.py:{attribute}"}
    main(flags(model="mine", **{"build.architectures": {"mine": section}}))


@pytest.mark.parametrize("line", ["from nets.others import *", "globals()['Nett'] = 1"])
def test_names_that_only_python_knows_are_left_to_it(flags, line):
    Path("nets").mkdir()
    Path("nets/my.py").write_text(f"{line}\n")
    section = {"file": "nets/my.py:Nett"}
    main(flags(model="mine", **{"build.architectures": {"mine": section}}))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "nets/my.py is missing; put the network there, or correct the path"),
        ("class Nett(:", "nets/my.py: not Python: invalid syntax in line 1; fix the syntax"),
        ("\nnonlocal x", "nets/my.py: not Python: nonlocal declaration not allowed"),
        (NETS, "nets/my.py has no class or function 'Nett'; did you mean 'Net'?"),
        ("def one(): ...", "nets/my.py has no class or function 'Nett'; it has one"),
        ("from .more import x\n\nx.Nett = 1", "no class or function 'Nett'; it has none"),
        ("from .broken import Nett", "nets/broken.py: not Python: invalid syntax in line 1; fix"),
    ],
)
@pytest.mark.parametrize("role", ["model", "base", "source"])
def test_what_is_wrong_with_the_file_of_an_own_network_is_one_line(flags, source, reason, role):
    Path("nets").mkdir()
    Path("nets/broken.py").write_text("class Nett(:")
    if source is not None:
        Path("nets/my.py").write_text(source)
    sections = {
        "mine": {"file": "nets/my.py:Nett"},
        "variant": {"base": "mine"},
        "joined": {"layers": [{"take": "mine.body"}, "linear"]},
    }
    name = {"model": "mine", "base": "variant", "source": "joined"}[role]
    with pytest.raises(InputError) as caught:
        main(flags(model=name, **{"build.architectures": sections}))
    start = "params.yaml: build.architectures.mine.file is 'nets/my.py:Nett': "
    assert str(caught.value).startswith(start)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_no_architecture_needs_may_be_missing(flags):
    sections = {"mine": {"file": "nets/my.py:Net"}}
    main(flags(**{"build.architectures": sections}))
