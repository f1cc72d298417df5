"""`foldwise reset` goes back to the last commit, whatever an experiment or a stop has left."""

import subprocess

import pytest
import yaml
from trainings import wait_until

BACKUP = ".dvc/tmp/before-reset/1"
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
    assert "model: nin" in (clone.path / BACKUP / "params.yaml").read_text()


def test_after_an_experiment_that_failed(clone):
    """DVC keeps no reference to its parameters."""
    before = files(clone)
    result = clone.quick("dvc", "exp", "run", "--set-param", "model=vit_b_16")
    assert "vit_b_16 takes certain sizes only" in result.stderr
    assert clone.git("diff", "HEAD", "--name-only").split() == ["dvc.lock", "params.yaml"]
    assert "committed again: params.yaml; " in reset(clone)
    assert files(clone) == before
    assert clone.git("status", "--porcelain") == ""
    assert "model: vit_b_16" in (clone.path / BACKUP / "params.yaml").read_text()


@pytest.mark.slow
def test_after_an_experiment_that_has_ended(clone):
    before = files(clone)
    clone.dvc(*EXPERIMENT[1:])
    assert f"other than in the commit, so moved to {BACKUP}: data/features/nin, " in reset(clone)
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


OWN = (
    *("data/models/notes.txt", "data/runs/archive/x", "data/features/own.npy"),
    *("reports/models/x", "reports/figures/mine.svg"),
)
CHANGED = ("reports/report.md", "reports/models/tracked.txt")
OF_AN_EXPERIMENT = (
    *(
        "data/models/nin/network.json",
        "data/runs/nin/0-0/predictions.npz",
        "data/runs/nin/1-0.lock",
    ),
    *("data/tuned/nin.json", "data/splits/1/folds.csv", "reports/models/nin/card.json"),
    *("reports/tuning/nin.json", "reports/contact_sheets/1/0.png"),
)


def test_edits_of_the_user_stay_and_no_file_is_lost(clone):
    grow_lock(clone)
    (clone.path / "reports/models/tracked.txt").write_text("mine")
    clone.commit("a file of the user among generated ones")
    before = files(clone)
    clone.change_params(seed=5)
    stay = ("nets/mine.py", "reports/mine.md")
    for name in (*stay, *OWN, *OF_AN_EXPERIMENT):
        (clone.path / name).parent.mkdir(parents=True, exist_ok=True)
        (clone.path / name).write_text(name)
    clone.git("add", "params.yaml", OF_AN_EXPERIMENT[-1])
    for name in CHANGED:
        (clone.path / name).write_text(name)
    (clone.path / "reports/folds/lenet5/0-0.json").unlink()
    clone.change_params(candidates=["lenet5", "slim_vgg", "nin"])
    own = {name: clone.files()[name] for name in ("params.yaml", *stay)}
    lines = reset(clone)
    assert "git checkout HEAD params.yaml\n" in lines
    assert "1: data/features/own.npy, data/models/nin, data/models/notes.txt and 11 more" in lines
    assert files(clone) == before | own
    for name in (*CHANGED, *OWN, *OF_AN_EXPERIMENT):
        assert (clone.path / BACKUP / name).read_text() == name
    assert reset(clone).count("reset: ") == 1


@pytest.mark.slow
def test_in_a_clone_without_data_nothing_runs_afterwards(clone, tmp_path):
    subprocess.run(["git", "clone", "--quiet", clone.path, tmp_path / "new"], check=True)
    new = type(clone)(tmp_path / "new", clone.shims)
    (new.path / ".dvc/config.local").write_text(f'[core]\n    site_cache_dir = "{tmp_path}/site"\n')
    (new.path / "reports/report.md").write_text("")
    reset(new)
    assert new.git("status", "--porcelain") == ""
    assert new.dvc("repro", "--allow-missing") in ([], ["check"])
