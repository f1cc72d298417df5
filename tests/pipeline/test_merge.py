"""The merge of two branches that each brought a candidate, as docs/experiments.md says."""

import pytest
import yaml
from clone import ROOT

GENERATED = ("dvc.lock", "reports/report.md", "reports/report.html", "reports/verdict.json")


@pytest.fixture
def merging(clone):
    """Return a clone amid a merge: its branch brings nin, the other one narrow_vgg."""
    for name in ("narrow_vgg", "nin"):
        clone.git("checkout", "--quiet", "-b", name, "main")
        clone.change_params(candidates=["lenet5", "slim_vgg", name])
        clone.dvc("repro")
        clone.commit(f"try {name}")
    result = clone.run("git", "-c", "user.name=x", "-c", "user.email=x", "merge", "narrow_vgg")
    assert result.returncode == 1
    return clone


@pytest.mark.slow
@pytest.mark.parametrize("remove_lock", [False, True])
def test_after_a_merge_everything_comes_from_the_run_cache(merging, remove_lock):
    conflicts = merging.git("diff", "--name-only", "--diff-filter=U").split()
    assert {"params.yaml", *GENERATED} <= set(conflicts)
    for name in conflicts:  # generated files are whole, without marks of the conflict
        assert (b"<<<<<<<" in (merging.path / name).read_bytes()) == (name == "params.yaml")
    merging.git("checkout", "--ours", "params.yaml")
    merging.change_params(model="narrow_vgg")
    if remove_lock:
        (merging.path / "dvc.lock").unlink()
    result = merging.run("python", "-m", "foldwise.cli.main", "run")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "train: " not in result.stdout + result.stderr
    assert "is cached - skipping run" in result.stdout + result.stderr
    assert merging.comparison()["design"]["models"] == ["lenet5", "slim_vgg", "nin", "narrow_vgg"]
    merging.commit("merge narrow_vgg")
    assert merging.dvc("repro") == []
    assert merging.git("log", "-1", "--format=%p").count(" ") == 1  # a merge


def test_generated_files_are_never_mixed_and_texts_of_people_are(clone):
    names = ["dvc.lock", "reports/report.md", "reports/folds/lenet5/0-0.json", "reports/log.md"]
    names += ["reports/bench.md", "reports/transfer/README.md", "params.yaml", "README.md"]
    lines = clone.git("check-attr", "merge", "--", *names).splitlines()
    values = {line.split(": ")[0]: line.split(": ")[2] for line in lines}
    assert [name for name in names if values[name] == "unset"] == names[:3]
    outs = yaml.safe_load((ROOT / "dvc.yaml").read_text())["metrics"]
    assert "merge: unset" in clone.git("check-attr", "merge", "--", *outs)
