"""What `foldwise run` changes in DVC: how it writes dvc.lock and the rwlock."""

import json
from pathlib import Path

import pytest

UPDATE_TWICE = """
import json, sys
from dvc.utils.serialize import modify_yaml
from foldwise.run.dvc_process import _format_changed_stages

def update(name, entries):
    for stage, entry in entries:  # as DVC does after each stage
        with modify_yaml(name + "/dvc.lock") as data:
            if not data:
                data["schema"] = "2.0"
            data.setdefault("stages", {})[stage] = entry

entries = json.loads(sys.argv[1])
update("dvc", entries)
_format_changed_stages()
update("ours", entries[:3])
update("ours", entries[3:])
"""
AWKWARD = {
    "cmd": "a " * 60,
    "lines": "one\n\ntwo: 2\n  three # 3\n",
    "names": ["on", "1", "", "~", "é ✓", "  x", "'", '"', "a: b", "#", "@", "1e-3", "2026-11-29"],
    "numbers": [1e-3, 1e30, 0.1, -1, 10**20],
    "nothing": None,
    "nested": {"a": [], "b": {}, "c": [[1, 2], {"d": True}]},
}


def run_with_foldwise(dvc_process, code, *args, **options):
    """Run code in a process that has loaded DVC and finds Foldwise."""
    ours = Path(__file__).parents[2]
    code = f"import sys; sys.path.append({str(ours)!r})\n{code}"
    dvc_process.run("-c", code, *args, **options)


def test_only_changed_stages_are_formatted_and_the_file_is_that_of_dvc(dvc_process, tmp_path):
    names = ["train@resnet18-0-0", "a: b", "on", "é", "later"]
    entries = [(name, {**AWKWARD, "cmd": name}) for name in names]
    entries += [(names[0], AWKWARD), (names[1], {}), (names[0], {"cmd": "x"})]
    for name in ("dvc", "ours"):
        (tmp_path / name).mkdir()
    run_with_foldwise(dvc_process, UPDATE_TWICE, json.dumps(entries), folder=tmp_path)
    files = [(tmp_path / name / "dvc.lock").read_text() for name in ("dvc", "ours")]
    assert files[0] == files[1]
    assert files[0].count("stages:") == 1


REPEATED = """
import io
from dvc.utils.serialize import _yaml
from foldwise.run.dvc_process import _format_changed_stages

params = _yaml.parse_yaml("{a: &x {mean: [0.5]}, b: {<<: *x}, c: *x}", "params.yaml")
lock = {"schema": "2.0", "stages": {"build": {"params": params}, "train": {"params": params}}}
if PLAIN:  # the file was last written by `dvc repro` itself
    text = _yaml.dumps_yaml(lock)
    assert "*id" in text
_format_changed_stages()
if PLAIN:
    lock = _yaml.parse_yaml_for_update(text, "dvc.lock")
    del lock["stages"]["build"]
_yaml._dump(lock, stream := io.StringIO())
assert _yaml.parse_yaml(stream.getvalue(), "dvc.lock") == lock
"""


@pytest.mark.parametrize("plain", [False, True])
def test_a_value_that_params_yaml_repeats_leaves_dvc_lock_valid(dvc_process, plain):
    """YAML's anchors: each stage has a copy of its own, so DVC can read the file again."""
    run_with_foldwise(dvc_process, f"PLAIN = {plain}\n{REPEATED}")


KILLED = """
import os, sys
from dvc import rwlock
from dvc.fs import localfs
from foldwise.run.dvc_process import _write_whole_files

def write_half(data, file):
    file.write("{")
    file.flush()
    os._exit(0)

_write_whole_files()
with rwlock._edit_rwlock(sys.argv[1], localfs, False):
    pass
rwlock.json.dump = write_half
with rwlock._edit_rwlock(sys.argv[1], localfs, False):
    pass
"""


def test_dvc_that_ends_while_it_writes_the_rwlock_leaves_the_old_one(dvc_process, tmp_path):
    run_with_foldwise(dvc_process, KILLED, str(tmp_path))
    assert json.loads((tmp_path / "rwlock").read_text()) == {"read": {}, "write": {}}
