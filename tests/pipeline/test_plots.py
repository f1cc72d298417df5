"""What the commands of DVC show for two revisions of two architectures each."""

import collections
import csv
import io
import json
import re
import shutil
import subprocess

import pytest
import vl_convert
from clone import ROOT

# Never rename: `dvc plots diff` would find nothing in older commits.
NAMES = ["fold_scores", "accuracy_curves", "loss_curves", "confusion"]
ROWS = [("workspace", "lenet5"), ("main", "lenet5"), ("workspace", "nin"), ("main", "slim_vgg")]
FOLDS, PARTS = 2, 2  # PARTS: train and validation
MARK = re.compile(
    r'<(?:path|line) aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="([^"]*)"'
    r' (?:transform="translate\(([\d.]+),([\d.]+)\)")?'
)


@pytest.fixture(scope="module")
def charts(proposal):
    """Return the plots of `dvc plots diff main` by name, without the fold records."""
    result = proposal.quick("dvc", "plots", "diff", "main", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    plots = json.loads(result.stdout)["data"]
    return {name: rows[0] for name, rows in plots.items() if not name.startswith("reports/folds/")}


@pytest.fixture(scope="module")
def marks(charts):
    """Return the marks of each chart as Vega-Lite draws it: (label, kind, x, y)."""
    return {
        name: MARK.findall(vl_convert.vegalite_to_svg(chart["content"]))
        for name, chart in charts.items()
    }


def kinds(marks):
    return collections.Counter(kind for _, kind, *_ in marks)


def test_the_names_of_the_plots_are_frozen(charts):
    assert list(charts) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_plot_has_both_revisions_and_no_anchor(charts, name):
    chart = charts[name]
    assert chart["revisions"] == ["workspace", "main"]
    assert {row["rev"] for row in chart["content"]["data"]["values"]} == {"workspace", "main"}
    assert "<DVC_METRIC" not in json.dumps(chart["content"])


def test_scores_are_a_dot_for_each_fold_and_a_mean_with_its_bar_in_each_row(marks):
    drawn = marks["fold_scores"]
    assert kinds(drawn) == {
        "circle": len(ROWS) * FOLDS,
        "errorbar": len(ROWS),
        "point": len(ROWS),
    }
    means = {label: float(y) for label, kind, _, y in drawn if kind == "point"}
    assert [f"; model: {model}; rev: {rev}; " for rev, model in ROWS] == [
        re.search("; model: .*; rev: [^;]*; ", label)[0] for label in sorted(means, key=means.get)
    ]
    assert len(set(means.values())) == len(ROWS)  # base beside branch, not on top of it


@pytest.mark.parametrize("name", ["accuracy_curves", "loss_curves"])
def test_curves_are_a_line_and_a_band_for_train_and_validation(marks, name):
    assert kinds(marks[name]) == {
        "area mark": len(ROWS) * PARTS,
        "line mark": len(ROWS) * PARTS,
        "circle": len(ROWS) * PARTS,  # one epoch
    }


def test_the_confusion_matrix_has_a_cell_for_each_row_of_its_table_and_a_complete_diagonal(
    charts, marks
):
    cells = charts["confusion"]["content"]["data"]["values"]
    classes = {(row["rev"], row["true"]) for row in cells}
    assert len(classes) == 2 * 10
    labels = [label for label, kind, *_ in marks["confusion"] if kind == "rect mark"]
    shares = [label for label in labels if "share" in label]
    assert len(shares) == len(cells)
    assert len(set(labels) - set(shares)) == len(classes) // 2  # the diagonal, once in each panel


def test_templates_are_json_and_each_is_used():
    used = set(re.findall(r"^ +template: (\w+)$", (ROOT / "dvc.yaml").read_text(), re.MULTILINE))
    files = {path.stem: json.loads(path.read_text()) for path in ROOT.glob(".dvc/plots/*.json")}
    assert set(files) == used
    assert all("<DVC_METRIC_DATA>" in json.dumps(template) for template in files.values())


@pytest.mark.slow
def test_the_page_shows_the_plots_and_hides_the_fold_records(proposal, tmp_path):
    proposal.dvc("plots", "show", "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text()
    shown = re.findall(r'<div id = "([^"]*)">', page)
    assert shown[: len(NAMES)] == NAMES
    hidden = re.search(r'div\[id\^="(\w+)"\] \{ display: none; \}', page)[1]
    assert len(shown) > len(NAMES)
    assert all(name.startswith(hidden) for name in shown[len(NAMES) :])


@pytest.fixture(scope="module")
def offline(proposal, tmp_path_factory):
    """Return the page of `dvc plots diff` as after `make environment`."""
    clone = proposal.copy(tmp_path_factory.mktemp("offline") / "foldwise")
    assert clone.run("python", ".dvc/plots/offline.py").returncode == 0
    assert clone.run("make", "local-config").returncode == 0
    clone.dvc("plots", "diff", "main")
    assert "plots" not in clone.git("status", "--porcelain")
    return clone.path / "dvc_plots" / "index.html"


@pytest.mark.slow
def test_after_the_installation_the_page_needs_no_network(offline):
    page = offline.read_text()
    assert not re.search("<(script|link)[^>]* (src|href)=", page)
    assert "window.vegaEmbed=" in page


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs the browser chromium")
def test_a_browser_without_a_network_draws_every_plot(offline):
    command = ["chromium", "--headless", "--no-sandbox", "--dump-dom", offline.as_uri()]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    drawn = re.findall(r'<div id="(\w+)" class="vega-embed', shown)
    assert drawn[: len(NAMES)] == NAMES
    assert len(re.findall('class="marks"', shown)) >= len(NAMES)


def test_each_metric_and_parameter_is_one_column(proposal):
    header = next(csv.reader(io.StringIO((proposal.path.parent / "experiments.csv").read_text())))
    assert [name for name in header if header.count(name) > 1] == []
    assert {"mean", "std", "verdict", "verdict_mean", "model"} < set(header)


@pytest.mark.slow  # by default, .ci/report shows the differences
def test_a_diff_shows_what_changed(proposal):
    metrics = json.loads(proposal.quick("dvc", "metrics", "show", "--json").stdout)
    assert list(metrics[""]["data"]) == ["reports/metrics.json"]
    changes = json.loads(proposal.quick("dvc", "metrics", "diff", "main", "--json").stdout)
    assert list(changes) == ["reports/metrics.json"]
    metric = changes["reports/metrics.json"]["metric"]
    assert (metric["old"], metric["new"]) == ("accuracy", "log_loss")  # the units of the others
    mean = changes["reports/metrics.json"]["mean"]
    assert mean["old"] <= 1 < mean["new"]  # from accuracy to log loss
    params = json.loads(proposal.quick("dvc", "params", "diff", "main", "--json").stdout)
    assert list(params) == ["params.yaml"]
    assert sorted(params["params.yaml"]) == ["candidates", "compare.metric", "model"]
