import difflib

import pytest
from synthetic import PARAMS

from foldwise.cli.advise import rewrite
from foldwise.files.architecture import ArchitectureSection
from foldwise.files.base import read_yaml
from foldwise.plan.budget import Setting
from foldwise.plan.candidates import CANDIDATES, rename

PROPOSALS = [CANDIDATES[name] for name in ("narrow_vgg", "lenet5", "slim_vgg")]


def changes(before, after):
    """Return the lines that went, and those that came."""
    rows = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [[row[2:] for row in rows if row.startswith(sign)] for sign in "-+"]


def test_nothing_but_names_changes_and_comments_stay():
    gone, new = changes(
        PARAMS,
        rewrite(PARAMS, PROPOSALS),
    )
    assert len(gone) == len(new)
    assert [line.partition("  #")[2] for line in gone] == [line.partition("  #")[2] for line in new]
    assert new[0].startswith("model: narrow_vgg  # the architecture under test")


def test_settings_are_written_and_their_comments_stay(tmp_path):
    settings = [
        Setting("repeats", [0, 1], ""),
        Setting("folds", [0, 1, 2, 3, 4, 5], ""),
        Setting("prepare.image_size", 128, ""),
        Setting("prepare.limit", 5000, ""),
        Setting("train.epochs", 67, ""),
        Setting("augment.flip", 0.5, ""),
    ]
    path = tmp_path / "params.yaml"
    path.write_text(rewrite(PARAMS, PROPOSALS, settings))
    content = read_yaml(path)
    for key, value, _ in settings:
        section, _, name = key.rpartition(".")
        assert (content[section] if section else content)[name] == value
    gone, new = changes(PARAMS, path.read_text())
    assert [line.partition("  #")[2] for line in gone] == [line.partition("  #")[2] for line in new]
    assert (
        "repeats: [0, 1]  # [0, 1] adds a second repeat; what the first has trained is kept" in new
    )


def test_writing_the_same_twice_changes_nothing():
    once = rewrite(PARAMS, [CANDIDATES["resnet18_small"], CANDIDATES["resnet18_frozen"]])
    assert rewrite(once, [CANDIDATES["resnet18_small"], CANDIDATES["resnet18_frozen"]]) == once


def test_what_ideas_define_is_added_above_what_is_there(tmp_path):
    text = rewrite(PARAMS, [CANDIDATES["resnet18_small"], CANDIDATES["resnet18_frozen"]])
    path = tmp_path / "params.yaml"
    path.write_text(text)
    defined = read_yaml(path)["build"]["architectures"]
    assert list(defined)[:2] == ["resnet18_small", "resnet18_frozen"]
    assert defined["resnet18_small"] == CANDIDATES["resnet18_small"].section
    assert defined["resnet18_frozen"] == CANDIDATES["resnet18_frozen"].section
    assert "    resnet18_small:\n      base: resnet18\n      stem: small\n" in text


@pytest.mark.parametrize("section", ["{}", "\n    mine: {base: lenet5}"])
def test_a_file_of_another_layout_is_written_too(section, tmp_path):
    path = tmp_path / "params.yaml"
    before = f"build:\n  architectures: {section}\nmodel: 'a'\ncandidates: [a, 'b', c]\nx: null\n"
    path.write_text(rewrite(before, [CANDIDATES["resnet18_small"], CANDIDATES["lenet5"]]))
    content = read_yaml(path)
    assert (content["model"], content["x"]) == ("resnet18_small", None)
    assert content["candidates"] == ["resnet18_small", "lenet5"]
    assert (
        content["build"]["architectures"]["resnet18_small"] == CANDIDATES["resnet18_small"].section
    )
    assert "x: null\n" in path.read_text()


def test_a_name_that_means_something_else_already_is_left_to_it():
    mine = ArchitectureSection(base="resnet34")
    same = ArchitectureSection.model_validate(CANDIDATES["resnet18_small"].section)
    assert rename(CANDIDATES["resnet18_small"], {}).name == "resnet18_small"
    assert rename(CANDIDATES["resnet18_small"], {"resnet18_small": same}).name == "resnet18_small"
    taken = {"resnet18_small": mine, "resnet18_small_2": mine}
    assert rename(CANDIDATES["resnet18_small"], taken).name == "resnet18_small_3"
    assert (
        rename(CANDIDATES["lenet5"], {"lenet5": ArchitectureSection(learning_rate=0.1)}).name
        == "lenet5"
    )
