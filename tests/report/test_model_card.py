import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from final_records import N_TEST, card_inputs, final_model, test_record, training, write_final
from PIL import Image
from records import loaded

from foldwise.core.errors import InputError
from foldwise.files.base import write_json
from foldwise.files.final import Opening
from foldwise.report.formats import visible
from foldwise.report.model_card import calibrations, card_markdown, draw_card_figures
from stages.card import main

FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Compare two architectures, write the final records, and return inputs and flags of card."""
    from compared import compared, read_all
    from records import write_case

    root = tmp_path_factory.mktemp("card")
    write_case(root, {"a": [[0.9, 0.8]], "b": [[0.6, 0.5]]})
    inputs = card_inputs(read_all(compared(root)))
    return inputs, write_final(root, inputs)


@pytest.fixture
def inputs(written):
    return written[0]


def changed(inputs, record, /, **values):
    """Return inputs with other values in one of the records."""
    return replace(inputs, **{record: getattr(inputs, record).model_copy(update=values)})


def lead(inputs):
    """Return the text of a card before its first section."""
    return FRONT.sub("", card_markdown(inputs)).partition("\n## ")[0].replace("\n", " ")


def test_the_stage_writes_front_matter_text_figures_and_mistakes(written, capsys):
    inputs, flags = written
    main(flags)
    output = Path(flags[-1])
    assert capsys.readouterr().out == f"card: a -> {output / 'README.md'}\n"
    text = (output / "README.md").read_text()
    front = yaml.safe_load(FRONT.match(text)[1])
    assert front["pipeline_tag"] == "image-classification"
    assert {"library_name", "tags", "metrics"} <= front.keys()
    assert "license" not in front  # no record knows it
    assert front["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.95
    assert "0.8308 to 0.9939" in lead(inputs)
    assert "**inside**" in text
    pictures = re.findall(r"!\[[^\]]*\]\((.*?)\)", text)
    assert len(pictures) == 4
    assert all((output / path).is_file() for path in pictures)
    with Image.open(output / "mistakes.png") as picture:
        assert picture.size == (2 * 96 + 4, 96)


@pytest.mark.parametrize("name", ["---", "a: {b", "#c", "<b>\n---\n", "null", "'", "é😀"])
def test_no_name_breaks_the_front_matter(inputs, name):
    text = card_markdown(changed(inputs, "dataset", name=name))
    (result,) = yaml.safe_load(FRONT.match(text)[1])["model-index"][0]["results"]
    assert result["dataset"]["name"] == visible(name)


def test_several_tests_and_an_unread_history_are_said_first(inputs):
    assert "tested" not in lead(inputs)
    first = Opening(model="00" * 32, architecture="early", commit=None, accuracy=0.9)
    several = changed(inputs, "test", openings=[first, first, *inputs.test.openings])
    text = lead(changed(several, "test", history_complete=False))
    assert re.search(r"^ *# .*?  \*\*[^*]* number 3 ", text)
    assert "git" in text
    assert re.search("^1. early: accuracy 0.9000$", card_markdown(several), re.MULTILINE)


@pytest.mark.parametrize(("accuracy", "worse"), [(0.99, False), (0.8, True)])
def test_a_score_outside_of_what_was_expected_says_what_to_do(inputs, accuracy, worse):
    metrics = inputs.test.metrics | {"accuracy": accuracy}
    text = card_markdown(changed(inputs, "test", as_expected=False, metrics=metrics))
    assert "**outside, so " in text
    assert ("better than expected" in text, "look for" in text) == (not worse, worse)


def test_the_licence_of_pretrained_weights_must_be_looked_up(inputs):
    assert "trained from scratch" in card_markdown(inputs)
    text = card_markdown(changed(inputs, "card", loaded=[loaded("resnet18 of ImageNet")]))
    licence = text.partition("## Licence")[2]
    assert "look it up" in licence
    assert "resnet18 of ImageNet" in licence


def test_every_kind_of_model_has_a_card(inputs):
    classes = [f"class {number}" for number in range(25)]
    record = test_record("a", classes, n_correct=N_TEST, mistakes=[])
    many = replace(inputs, test=record, model=final_model("a", classes))
    many = changed(many, "dataset", classes=classes, official_test=True)
    preparation = {"any_size": False, "scale": (0, 65535)}
    model = many.model.preparation.model_copy(update=preparation)
    many = changed(many, "model", preparation=model, commit=None)
    many = changed(many, "refit", members=[training()] * 3)
    verdict = inputs.verdict.model_copy(update={"chosen": "b"})
    text = card_markdown(replace(many, verdict=verdict))
    for words in ("All 25 classes", "predicted correctly", "65,535 becomes 255", "3 networks"):
        assert words in text
    assert "take b" in text


@pytest.mark.parametrize(
    ("n_members", "n_networks", "words"),
    [
        (1, 1, ["The temperature 1.5000 divides", "trained on fewer images than this model"]),
        (3, 1, ["There is no temperature", "by a single network", "fitted to single networks, "]),
        (3, 2, ["There is no temperature", "mean of 2 networks", "fitted to means of 2 networks"]),
        (3, 3, ["mean of 3 networks", "means of 3 networks of other trainings"]),
    ],
)
def test_a_card_says_to_what_its_calibration_was_fitted(inputs, n_members, n_networks, words):
    several = changed(inputs, "refit", members=[training()] * n_members)
    text = card_markdown(changed(several, "calibration", n_networks=n_networks)).replace("\n", " ")
    assert [each for each in words if each not in text] == []
    assert ("divides the logits" in text) == (n_members == 1)


def test_a_mean_of_networks_does_not_read_as_a_single_one(inputs):
    error = {"calibration_error_before": 0.02, "as_expected": False}  # 0.03 with the temperature
    metrics = inputs.test.metrics | {"accuracy": 0.99}
    single = changed(inputs, "test", metrics=metrics, **error)
    several = changed(single, "refit", members=[training()] * 3)
    of_single, of_mean = (card_markdown(each).replace("\n", " ") for each in (single, several))
    only_single = (
        *("temperature and softmax", "before and after calibration"),
        *("calibration did not lower", "The network was trained from scratch"),
    )
    only_mean = (
        *("the mean of 3 networks; each: ", "softmax and the mean over the networks"),
        *("0.9400 of a single network", "the mean is better than a single network"),
        *("of the 3 networks", "(at least 100 of 100 images each)"),
        "out of fold, each scored by a single",
    )
    for words in only_single:
        assert (words in of_single, words in of_mean) == (True, False), words
    for words in only_mean:
        assert (words in of_single, words in of_mean) == (False, True), words
    assert [len(calibrations(each).header) for each in (single, several)] == [5, 4]
    of_two_panels, of_one = (len(draw_card_figures(e)["reliability"]) for e in (single, several))
    assert of_two_panels > 1.2 * of_one


def test_records_of_two_models_are_refused(written, tmp_path):
    _, flags = written
    root = tmp_path / "copy"
    shutil.copytree(Path(flags[1]).parent, root)
    moved = [flag.replace(str(Path(flags[1]).parent), str(root)) for flag in flags]
    other = written[0].test.model_copy(update={"model": "00" * 32})
    write_json(root / "reports" / "final" / "test.json", other)
    with pytest.raises(InputError, match=r"test.json: model is '00.*dvc repro final/dvc.yaml"):
        main(moved)
