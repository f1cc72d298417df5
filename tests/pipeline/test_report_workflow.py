""".ci/report, which the workflows of GitHub and GitLab run, against a real base branch."""

import hashlib
import os
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml
from clone import ROOT, Clone

FILES = "https://example.org/a/b/blob/c0ffee"
SCRIPTS = sorted((ROOT / ".ci").iterdir())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MODULES = {"pillow": "PIL", "scikit-learn": "sklearn"}  # differ from the package's name
MARKER = "<!-- foldwise: report -->"


def packages(requirements):
    return {re.match(r"[\w-]+", requirement)[0] for requirement in requirements}


NEEDED = packages(PROJECT["dependency-groups"]["report"])
LEFT_OUT = packages(PROJECT["project"]["dependencies"]) - NEEDED


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory):
    """Return a folder of modules that fail, for all packages that the workflow does not install.

    matplotlib installs pillow, and DVC tqdm.
    """
    folder = tmp_path_factory.mktemp("left_out")
    for package in LEFT_OUT - {"pillow", "tqdm"}:
        module = folder / f"{MODULES.get(package, package)}.py"
        module.write_text("raise ImportError('the workflow does not install it')")
    return folder


@pytest.fixture(scope="module")
def review(proposal, tmp_path_factory):
    """Return a function that clones proposal without data.

    It returns the clone and a function that runs .ci/report there.
    """

    def review():
        path = tmp_path_factory.mktemp("review") / "foldwise"
        proposal.git("clone", "--quiet", str(proposal.path), str(path))
        clone = Clone(path, proposal.shims)

        def report(base="origin/main", **environment):
            result = clone.run(".ci/report", base, "summary.md", FILES, **environment)
            return result, (path / "summary.md").read_text()

        return clone, report

    return review


@pytest.fixture(scope="module")
def fresh(review, without_torch):
    """Return a clone of proposal, the result of .ci/report there, and its summary.

    It runs without the packages that the workflow does not install.
    """
    clone, report = review()
    return clone, *report(PYTHONPATH=str(without_torch))


def section(summary, title):
    """Return the rows of a table, or the lines, under a heading."""
    return re.search(rf"^## {title}.*?\n\n(.*?)\n*(?=^## |\Z)", summary, re.M | re.S)[1]


def test_fresh_reports_pass_and_stay_as_they_are(fresh):
    clone, result, summary = fresh
    assert (result.returncode, result.stderr) == (0, "")
    assert clone.git("status", "--porcelain") == "?? summary.md\n"
    assert "Do not rely" not in summary


def test_the_summary_begins_with_the_verdict(fresh):
    clone, _, summary = fresh
    title, text, *_ = (clone.path / "reports/report.md").read_text().split("\n\n")
    assert title.startswith("# Take ")
    assert summary.startswith(f"{MARKER}\n{title}\n\n{text}\n")


def test_the_summary_holds_what_moved(fresh):
    _, _, summary = fresh
    metrics = section(summary, "Metrics since origin/main")
    assert re.search(
        r"^\| reports/metrics.json +\| mean +\| [01][.\d]* +\| [2-9][.\d]* ", metrics, re.M
    )
    params = section(summary, "Params since origin/main")
    assert re.search(
        r"^\| params.yaml +\| candidates +\| .*slim_vgg.* \| .*lenet5.* \|$", params, re.M
    )
    assert re.search(r"^\| params.yaml +\| compare.metric +\| accuracy +\| log_loss", params, re.M)


def test_figures_are_addresses_of_files_of_this_commit(fresh):
    clone, _, summary = fresh
    figures = re.findall(r"^!\[[^\]]+\]\((.*)\)$", section(summary, "Figures"), re.M)
    start = FILES.replace("/blob/", "/raw/") + "/"
    assert len(figures) >= 3
    for figure in figures:
        assert figure.startswith(start)
        clone.git("cat-file", "-e", f"HEAD:{figure.removeprefix(start)}")
    assert "data:" not in summary


def edit_record(clone):
    path = clone.path / "reports/folds/lenet5/0-0.json"
    path.write_text(re.sub('"n_train": [0-9]+', '"n_train": 99', path.read_text()))


def change_model(clone):
    clone.change_params(model="slim_vgg", prepare={"groups": "<img src=x> @somebody & (x)"})


def change_code(clone):
    """Change code: `dvc repro --dry` says that it would run `check`, and exits with 0."""
    clone.replace(
        "foldwise/selection/pairs.py", "from collections", "import json\nfrom collections"
    )


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        (edit_record, "train@lenet5-0-0"),
        pytest.param(change_model, "check", marks=pytest.mark.slow),
        pytest.param(change_code, "check", marks=pytest.mark.slow),
    ],
)
def test_stale_reports_fail_with_one_line(review, change, stage):
    clone, report = review()
    change(clone)
    clone.git("commit", "--quiet", "--all", "--message", "by hand")
    result, summary = report(**clone.shims)
    assert result.returncode == 1
    assert re.fullmatch(
        rf"error: the reports are stale, 'dvc repro' would run [^;]*{stage}[^;]*; run it, then "
        "commit reports/ and dvc.lock\n",
        result.stderr,
    )
    assert f"> **Do not rely on it:** {result.stderr.removeprefix('error: ')}" in summary
    if change == change_model:  # a parameter is text, never Markdown or HTML
        assert "&lt;img src=x> &#64;somebody &amp; (x)" in section(summary, "Params")


@pytest.mark.slow
def test_a_report_that_differs_from_its_records_fails_with_one_line(review):
    """The edit includes dvc.lock, so that DVC does not see it."""
    clone, report = review()
    path, lock = clone.path / "reports/metrics.json", clone.path / "dvc.lock"
    before = path.read_bytes()
    path.write_bytes(re.sub(rb'"mean": [\d.]+', b'"mean": 0.5', before))
    old, new = (hashlib.md5(text).hexdigest() for text in (before, path.read_bytes()))
    assert old != new
    lock.write_text(lock.read_text().replace(old, new))
    clone.git("commit", "--quiet", "--all", "--message", "by hand")
    result, summary = report()
    assert result.returncode == 1
    assert result.stderr.startswith(
        "error: the records give other files than git has: reports/metrics.json; run 'dvc repro"
    )
    assert result.stderr.count("\n") == 1
    assert "Do not rely" in summary


def test_a_base_that_was_not_fetched_is_said(review):
    _, report = review()
    result, _ = report("origin/elsewhere")
    assert result.returncode == 1
    assert (
        result.stderr == "error: BASE is origin/elsewhere, which is not a commit here; fetch it\n"
    )


def test_the_workflow_installs_a_part_of_the_dependencies_and_no_torch():
    group, dependencies = PROJECT["dependency-groups"]["report"], PROJECT["project"]["dependencies"]
    assert set(group) < set(dependencies)
    assert {"torch", "torchvision", "torchinfo", "scikit-learn"} <= LEFT_OUT


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_clean_and_can_be_run(script):
    assert os.access(script, os.X_OK)
    result = subprocess.run(
        [shutil.which("shellcheck"), script], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("file", [".github/workflows/report.yml", ".gitlab-ci.yml"])
def test_workflows_call_scripts_that_are_there_and_hand_the_base_branch_on(file):
    text = (ROOT / file).read_text()
    job = yaml.safe_load(text)
    job = job["jobs"]["report"] if "jobs" in job else job["report"]
    called = set(re.findall(r"(\.ci/[\w-]+) [\"\w]", text))
    assert {".ci/report"} < called <= {f".ci/{path.name}" for path in SCRIPTS}
    assert job.get("env", job.get("variables"))["BASE"].startswith("origin/$")
    assert "--group report" in text


def test_only_the_comment_may_write():
    workflow = yaml.safe_load((ROOT / ".github/workflows/report.yml").read_text())
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    steps = workflow["jobs"]["report"]["steps"]
    assert [step["run"].split()[0] for step in steps if "GH_TOKEN" in step.get("env", {})] == [
        ".ci/comment-github"
    ]
    assert steps[0]["with"]["persist-credentials"] is False
