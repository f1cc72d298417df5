import re
import subprocess
import sys
from pathlib import Path

from foldwise.files.params import read_yaml
from foldwise.report.pipeline import steps

ROOT = Path(__file__).parents[2]


def order(pipeline, params=None):
    return {step.name: step.after for step in steps(pipeline, params or {})}


def all_before(name, after):
    return {one for near in after[name] for one in {near} | all_before(near, after)}


def test_order_is_that_of_dvc():
    command = [sys.executable, "-m", "dvc", "dag", "--mermaid"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r'(node\d+)\["([^"@]+)', text))
    expected = {name: set() for name in names.values() if not name.endswith(".dvc")}
    for before, after in re.findall(r"(node\d+)-->(node\d+)", text):
        if names[before] in expected:
            expected[names[after]].add(names[before])
    after = order(read_yaml(ROOT / "dvc.yaml"), read_yaml(ROOT / "params.yaml"))
    assert {name: all_before(name, after) for name in after} == {
        name: all_before(name, expected) for name in expected
    }


def test_arrows_that_follow_from_others_are_left_out():
    pipeline = {
        "stages": {
            "a": {"outs": ["x"]},
            "b": {"deps": ["x"], "outs": ["y"]},
            "c": {"deps": ["x", "y"]},
        }
    }
    assert order(pipeline) == {"a": [], "b": ["a"], "c": ["b"]}


def test_folders_matrices_and_parameters_are_understood():
    pipeline = {
        "stages": {
            "part": {"outs": ["data/parts/${item.part}"], "deps": ["${root}"]},
            "near": {"outs": ["data/part"], "metrics": [{"m.json": {"cache": False}}]},
            "one": {"deps": ["data/parts/${repeats[0]}"]},
            "all": {"deps": ["data/parts"]},
            "inside": {"deps": ["data/part/a.json"]},
            "metric": {"deps": ["m.json"]},
            "other": {"deps": ["${unknown}"]},
        }
    }
    assert order(pipeline, {"root": "data/part"}) == {
        "part": ["near"],
        "near": [],
        "one": ["part"],
        "all": ["part"],
        "inside": ["near"],
        "metric": ["near"],
        "other": [],
    }


def test_question_of_a_stage_is_its_description():
    pipeline = {"stages": {"a": {"desc": "Why?"}, "b": {}}}
    assert [step.question for step in steps(pipeline, {})] == ["Why?", ""]
