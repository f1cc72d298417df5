"""`foldwise reset` goes back to the last commit, whatever an experiment or a stop has left."""

import subprocess

import pytest
import yaml
from trainings import wait_until

RESET = ("python", "-m", "foldwise.cli.main", "reset")
EXPERIMENT = ("dvc", "exp", "run", "--name", "other", "--set-param", "model=nin")


def reset(clone):
    """Run the command and return its lines."""
    result = clone.run(*RESET)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def files(clone):
    """Return all files but the locks of trainings, which are empty, and measured latencies.

    A latency is measured once for each network and machine, and kept.
    """
    return {
        name: content
        for name, content in clone.files().items()
        if not name.endswith(".lock") and not name.startswith("data/latency/")
    }


def is_clean(clone):
    return clone.git("status", "--porcelain") == "" and clone.dvc("repro") == []


@pytest.mark.slow
def test_after_an_experiment_that_was_ended(clone, start):
    before = files(clone)
    experiment = start(*EXPERIMENT)  # without shims: plain DVC ends at once
    wait_until(lambda: "Running stage 'forecast'" in clone.output.read_text())
    experiment.terminate()
    experiment.wait()
    assert clone.git("diff", "HEAD", "--name-only")
    assert "committed again: params.yaml; " in reset(clone)
    assert files(clone) == before
    assert is_clean(clone)
    assert "model: nin" in (clone.path / ".dvc/tmp/params-before-reset.yaml").read_text()


@pytest.mark.slow
def test_after_an_experiment_that_has_ended(clone):
    before = files(clone)
    clone.dvc(*EXPERIMENT[1:])
    assert "generated files that are not committed" in reset(clone)
    assert files(clone) == before
    assert is_clean(clone)
    clone.dvc("exp", "apply", "other")
    assert (clone.path / "reports/folds/nin/0-0.json").is_file()


def grow_lock(clone):
    """Commit a dvc.lock as long as with many architectures."""
    lock = yaml.safe_load((clone.path / "dvc.lock").read_text())
    deps = [{"path": f"data/file{n}", "md5": "0" * 32, "size": n} for n in range(4000)]
    lock["stages"]["removed"] = {"cmd": "true", "deps": deps}
    (clone.path / "dvc.lock").write_text(yaml.safe_dump(lock, sort_keys=False))
    clone.commit("long dvc.lock")


OWN = ("data/models/notes.txt", "data/runs/archive/x", "data/features/own.npy", "reports/models/x")
OF_AN_EXPERIMENT = (
    *(
        "data/models/nin/network.json",
        "data/runs/nin/0-0/predictions.npz",
        "data/runs/nin/1-0.lock",
    ),
    *("data/tuned/nin.json", "data/splits/1/folds.csv", "reports/models/nin/card.json"),
    *("reports/tuning/nin.json", "reports/contact_sheets/1/0.png"),
)


def test_files_and_edits_of_the_user_stay(clone):
    grow_lock(clone)
    before = files(clone)
    clone.change_params(seed=5)
    (clone.path / "nets/mine.py").write_text("mine")
    written = ("nets/mine.py", "reports/mine.md", "reports/figures/mine.svg", *OWN)
    for name in written:
        (clone.path / name).parent.mkdir(exist_ok=True)
        (clone.path / name).write_text("mine")
    own = {name: clone.files()[name] for name in ("params.yaml", *written)}
    clone.git("add", "params.yaml")
    clone.replace("reports/report.md", "lenet5", "changed")
    (clone.path / "reports/folds/lenet5/0-0.json").unlink()
    clone.change_params(candidates=["lenet5", "slim_vgg", "nin"])
    own["params.yaml"] = clone.files()["params.yaml"]
    for name in OF_AN_EXPERIMENT:
        (clone.path / name).parent.mkdir(parents=True, exist_ok=True)
        (clone.path / name).write_text("of an experiment")
    lines = reset(clone)
    assert "git checkout HEAD params.yaml\n" in lines
    assert "removed 3 generated files" in lines
    assert (
        "kept data/features/own.npy, data/models/notes.txt, data/runs/archive and 2 more" in lines
    )
    assert files(clone) == before | own


@pytest.mark.slow
def test_in_a_clone_without_data_nothing_runs_afterwards(clone, tmp_path):
    subprocess.run(["git", "clone", "--quiet", clone.path, tmp_path / "new"], check=True)
    new = type(clone)(tmp_path / "new", clone.shims)
    (new.path / ".dvc/config.local").write_text(f'[core]\n    site_cache_dir = "{tmp_path}/site"\n')
    (new.path / "reports/report.md").write_text("")
    reset(new)
    assert new.git("status", "--porcelain") == ""
    assert new.dvc("repro", "--allow-missing") in ([], ["check"])
