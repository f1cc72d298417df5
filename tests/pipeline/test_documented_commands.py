"""Every command that the pages show runs here or in another test, or is marked."""

import re
import time
from itertools import pairwise

import networkx
import numpy as np
import pytest
import yaml
from pages import ROOT, blocks, commands
from PIL import Image

QUICK = (
    *("make check", "foldwise run --help"),
    "dvc dag --collapse-foreach-matrix --mermaid report",
    *("dvc config core.hardlink_lock true", "git add --all", "git add nets"),
)
IN_OTHER_TESTS = (  # with --json or --csv
    *("dvc status", "dvc exp show", "dvc metrics diff main", "dvc params diff main"),
    *("dvc plots diff", "dvc plots diff main", "dvc checkout"),
)
UP_TO_DATE = (
    *("make repro", "make repro JOBS=2", "foldwise run", "dvc repro", "dvc repro --allow-missing"),
    "make forecast",
)
SLOW = (
    *("make advise", "make advise WRITE=1", "make experiments"),
    *("dvc exp run -S model=resnet18", "dvc exp run -S 'repeats=[0,1]'"),
    *("dvc exp run", "dvc exp run -S model=joined"),
    "dvc exp run -S 'candidates=[lenet5,slim_vgg]'",
)
NAME = (
    'git config --global user.name "Your Name"',
    "git config --global user.email you@example.org",
)
QUEUE = ("dvc exp run --queue -S model=resnet18,mobilenet_v3_small", "dvc queue start")
IMAGES = ("dvc add data/raw", "dvc exp run -S prepare.dataset=folder -S prepare.image_size=32")
ELSEWHERE = {
    "foldwise reset": "tests/pipeline/test_reset.py::test_after_an_experiment_that_has_ended",
    "dvc exp run -S prepare.dataset=folder -S \"prepare.groups='(patient\\d+)'\"": (
        "tests/data/test_prepare_params.py::test_groups_are_read_from_dvcs_command_line"
    ),
    "dvc exp apply NAME": "tests/pipeline/test_reset.py::test_after_an_experiment_that_has_ended",
    "dvc exp branch NAME BRANCH": "tests/pipeline/test_experiments.py::test_an_experiment_becomes",
    "dvc repro -f -s train@slim_vgg-0-1": "tests/pipeline/test_forged_record.py::train@slim_vgg-0",
    "dvc repro -f -s build@NAME": "tests/pipeline/test_forged_record.py::train@slim_vgg-0",
    "git merge BRANCH": "tests/pipeline/test_merge.py::test_after_a_merge_everything_comes_",
    "git commit": "tests/pipeline/test_merge.py::test_after_a_merge_everything_comes_",
    "rm dvc.lock": "tests/pipeline/test_merge.py::test_after_a_merge_everything_comes_",
    "make repro JOBS=N": "tests/run/test_local_backend.py::test_too_many_jobs_are_rejected_",
    ".ci/report main summary.md": "tests/pipeline/test_report_workflow.py::test_fresh_reports_pass",
    "python -m doctest docs/api.md": "tests/docs/test_api.py::test_the_page_of_the_api_runs",
    "python .dvc/plots/offline.py": "tests/pipeline/test_plots.py::plots/",
    "dvc config --local plots.html_template plots/offline.html": "Makefile::html_template",
    "foldwise candidates": "tests/cli/test_candidates.py::test_without_names_the_present_ones",
    "foldwise candidates lenet5 nin small_alexnet narrow_vgg resnet20 slim_vgg vgg_resnet": (
        "tests/cli/test_candidates.py::test_any_number_of_candidates_fits_and_check_agrees"
    ),
    "foldwise predict data/final/export photos": (
        "tests/ship/test_predict.py::test_every_image_is_a_row_in_the_order_of_the_input"
    ),
    "foldwise predict data/final/export 'photos/**/*.jpg' --output predictions.csv": (
        "tests/ship/test_predict.py::test_files_patterns_and_standard_input_give_the_same"
    ),
    "find photos -name '*.png' | foldwise predict data/final/export - --format jsonl": (
        "tests/ship/test_predict.py::test_files_patterns_and_standard_input_give_the_same"
    ),
    "foldwise evaluate data/final/export new_photos": (
        "tests/ship/test_evaluation.py::test_scores_are_those_of_the_test"
    ),
    "foldwise evaluate data/final/export new_photos.csv --output scores.json": (
        "tests/ship/test_evaluation.py::test_a_table_gives_the_same_as_folders"
    ),
    "python -m benchmarks.regret.own --grid benchmarks/regret/grid.csv": (
        "tests/benchmarks/test_regret_own.py::test_the_report_quotes_the_grid"
    ),
    "bash .ci/run": ".github/workflows/ci.yml::bash .ci/run",
    "make final": 'tests/pipeline/test_final.py::"make", "final"',
    "foldwise final": "Makefile::foldwise final",
    "dvc repro final/dvc.yaml": "tests/pipeline/test_final.py::final/dvc.yaml",
    "make lint": ".ci/run::make lint",
    "make environment": ".ci/run::make environment",
    "make test": ".ci/run::make",
    "make test-all": ".ci/run::test-all",
}


def test_every_command_runs_in_a_test_or_is_marked():
    marked = {command.line for command in commands() if command.needs}
    known = {*QUICK, *IN_OTHER_TESTS, *UP_TO_DATE, *SLOW, *NAME, *QUEUE, *IMAGES, *ELSEWHERE}
    shown = {command.line for command in commands()}
    assert shown - known - marked == set()
    assert known - shown == set()


@pytest.mark.parametrize(("command", "place"), ELSEWHERE.items())
def test_the_other_test_exists(command, place):
    file, _, text = place.partition("::")
    assert text in (ROOT / file).read_text()


@pytest.fixture
def run(clone):
    """Return a function that runs a command line of a page, which must succeed."""
    for key in ("user.name", "user.email"):  # `dvc exp run` commits
        clone.git("config", key, "x")
    (clone.path / ".venv").mkdir()
    (clone.path / ".venv" / "installed").touch()

    def run(line):
        result = clone.quick("bash", "-c", line)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
        return result.stdout + result.stderr

    return run


def test_quick_commands_succeed(run):
    for line in QUICK:
        run(line)


def test_the_figure_has_the_stages_of_the_pipeline_and_no_arrow_that_follows_from_others(finished):
    ((_, figure, _),) = blocks("mermaid")
    chains = [line.split(" --> ") for line in figure.strip().splitlines()[1:]]
    shown = {(a.strip(), b.strip()) for chain in chains for a, b in pairwise(chain)}
    result = finished.quick("dvc", "dag", "--collapse-foreach-matrix", "--dot", "report")
    graph = networkx.DiGraph(re.findall(r'"(\w+)" -> "(\w+)"', result.stdout))
    assert shown == set(networkx.transitive_reduction(graph).edges)


@pytest.mark.slow
@pytest.mark.parametrize("line", IN_OTHER_TESTS)
def test_a_command_of_other_tests_succeeds(run, line):
    run(line)


@pytest.mark.slow
@pytest.mark.parametrize("line", UP_TO_DATE)
def test_a_second_run_trains_nothing(run, line):
    assert "train: " not in run(line)


@pytest.mark.slow
def test_the_forecast_is_printed_each_time_and_nothing_is_stale_afterwards(run):
    assert all("in all if nothing is cached" in run("make forecast") for _ in range(2))
    assert "Running stage" not in run("dvc repro")


@pytest.mark.slow
@pytest.mark.parametrize("line", SLOW)
def test_a_longer_command_succeeds(run, clone, line):
    (shown,) = [text for page, text, _ in blocks("yaml") if "joined:" in text]
    architectures = yaml.safe_load(shown)["build"]["architectures"]
    clone.change_params(build={"architectures": architectures})
    for command in (*NAME, line):
        run(command)


@pytest.mark.slow
def test_images_in_class_folders_are_compared(run, clone):
    random = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (clone.path / "data/raw" / label).mkdir(parents=True)
        for index in range(30):
            pixels = random.integers(0, 255, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(clone.path / "data/raw" / label / f"{index}.png")
    clone.change_params(compare={"top_k": 2})
    for line in (*NAME, *IMAGES):
        run(line)
    assert clone.comparison()["design"]["models"] == ["lenet5", "slim_vgg"]


@pytest.mark.slow
def test_queued_experiments_run_and_are_in_the_table(run, clone):
    for line in QUEUE:
        run(line)
    deadline = time.monotonic() + 600
    while (done := run("dvc queue status")).count("Success") != 2 and "Failed" not in done:
        assert time.monotonic() < deadline, done
        time.sleep(2)
    run("dvc queue stop")
    table = run("make experiments")
    assert "resnet18" in table
    assert "mobilenet_v3_small" in table
