import pytest
from figure_cases import Case

from foldwise.report.figures import curves


def lines(axes, width=None, marker=None):
    """Return the lines with a width or a marker."""
    return [
        line
        for line in axes.lines
        if (width is None or line.get_linewidth() == width)
        and (marker is None or line.get_marker() == marker)
    ]


def steady(_model, fold, epoch):
    return 0.5 / epoch, 0.5 + epoch / 10, 0.6 / epoch + fold / 100, 0.45 + epoch / 10 - fold / 10


def spiked(model, fold, epoch):
    train, *others = steady(model, fold, epoch)
    return (1000.0 if (model, fold, epoch) == ("b", 1, 3) else train), *others


def draw(case):
    return curves.draw_curves(case.comparison, case.curves)


def test_curves_are_means_within_a_standard_deviation_to_each_side():
    accuracy = draw(Case({"a": [0.9, 0.8, 0.7]}, epochs=2, curves=steady)).axes[0]
    (validation,) = [one for one in lines(accuracy, width=2) if one.get_linestyle() == "-"]
    assert validation.get_ydata() == pytest.approx([0.45, 0.55])  # folds: 0, −.1, −.2
    train, band = (one.get_paths()[0].vertices for one in accuracy.collections)
    assert sorted(set(band[band[:, 0] == 2][:, 1].round(9))) == [0.45, 0.65]
    assert sorted(set(train[train[:, 0] == 2][:, 1].round(9))) == [0.7]


def test_title_says_diagnosis_and_gap():
    case = Case({"a": [0.9, 0.8], "b": [None, 0.7]})
    titles = [axes.get_title(loc="left") for axes in draw(case).axes]
    assert titles == ["a: healthy, gap +0.0213", "", "b: diverged", ""]


def test_a_spike_leaves_its_axis_marked_and_flattens_nothing():
    scores = {"a": [0.9, 0.8], "b": [0.8, 0.7]}
    without, figure = (draw(Case(scores, epochs=10, curves=one)) for one in (steady, spiked))
    assert [axes.get_ylim() for axes in figure.axes] == [axes.get_ylim() for axes in without.axes]
    (triangle,) = lines(figure.axes[3], marker="^")
    assert [*triangle.get_xdata()] == [3]
    assert all(0 < height < 1 for height in triangle.get_ydata())
    assert not lines(figure.axes[1], marker="^")
    assert "a triangle is a fold above" in figure.get_supxlabel().replace("\n", " ")


def test_every_loss_up_to_the_fence_is_inside_its_axis():
    case = Case({"a": [0.9, 0.8]}, epochs=10, curves=steady)
    low, high = draw(case).axes[1].get_ylim()
    losses = case.curves[["train_loss", "validation_loss"]]
    assert low < losses.min().min() < losses.max().max() < high


def test_accuracy_has_one_axis_for_all_and_loss_one_a_row():
    def curve(model, fold, epoch):
        return 9.0 * epoch, 0.9, 8.0, 0.8 if model == "a" else 0.1 * epoch

    axes = draw(Case({"a": [0.9, 0.8], "b": [0.8, 0.7]}, curves=curve)).axes
    assert axes[0].get_ylim() == axes[2].get_ylim()
    assert axes[0].get_ylim()[0] < 0.1 < 0.9 < axes[0].get_ylim()[1]
    assert not axes[1].get_shared_y_axes().joined(axes[1], axes[3])


def test_what_diverged_has_no_mean_but_crosses_where_it_did():
    case = Case({"good": [0.9] * 3, "bad": [0.9, None, None]}, epochs=4)
    axes = draw(case).axes
    assert len(lines(axes[0], width=2)) == 2
    assert not lines(axes[2], width=2)
    assert (len(axes[0].collections), len(axes[2].collections)) == (2, 0)
    assert not lines(axes[0], marker="x")
    for panel in axes[2:]:
        (cross,) = lines(panel, marker="x")
        assert cross.get_xdata().tolist() == [4, 4]
        assert all(0 < height < 1 for height in cross.get_ydata())
        assert cross.get_transform() == panel.get_xaxis_transform()


def test_a_fold_that_diverged_in_its_first_epoch_has_a_cross_too():
    case = Case({"bad": [0.9, None, 0.8]}, epochs=1)
    (cross,) = lines(draw(case).axes[0], marker="x")
    assert cross.get_xdata().tolist() == [1]


@pytest.mark.parametrize(("n_folds", "n_lines"), [(8, 4), (9, 2)])
def test_many_folds_are_shown_by_the_band_alone(n_folds, n_lines):
    case = Case({"a": [0.9] * n_folds})
    assert len(draw(case).axes[0].lines) == n_lines


def test_thin_lines_are_the_folds():
    case = Case({"a": [0.9, 0.8]}, epochs=3, curves=steady)
    thin = draw(case).axes[0].lines[1]
    own = case.curves["validation_accuracy"].tolist()
    shown = thin.get_ydata()
    assert [*shown[:3], *shown[4:7]] == own
    assert shown[3] != shown[3], "a gap between two folds"
