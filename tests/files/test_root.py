import os
from pathlib import Path

import pytest
import yaml

from foldwise.core.errors import InputError
from foldwise.files.params import PrepareSection
from foldwise.files.project import output_folders, require_apart, require_root


@pytest.fixture
def refused(params):
    """Require a root; return the error."""

    def refused(root, **section):
        with pytest.raises(InputError) as caught:
            require_root(section_of(params, root, **section), "params.yaml")
        return str(caught.value)

    return refused


def section_of(params, root, dataset="digits", **changes):
    section = params()["prepare"] | {"root": str(root), "dataset": dataset} | changes
    return PrepareSection(**section)


def test_ones_own_images_must_be_there(refused, tmp_path):
    message = refused(tmp_path / "raw", dataset="folder")
    assert message.startswith(f"params.yaml: prepare.root is '{tmp_path / 'raw'}'")
    assert "one folder of images per class" in message
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("dataset", ["digits", "FashionMNIST"])
def test_other_sources_get_an_empty_folder_and_keep_a_full_one(params, tmp_path, dataset):
    root = tmp_path / "some" / "raw"
    require_root(section_of(params, root, dataset), "params.yaml")
    assert list(root.iterdir()) == []
    (root / "file").touch()
    require_root(section_of(params, root, dataset), "params.yaml")
    assert [path.name for path in root.iterdir()] == ["file"]


@pytest.mark.parametrize("dataset", ["digits", "folder"])
@pytest.mark.parametrize("name", ["raw", "x" * 300, "raw/x"])
def test_what_can_be_no_folder_is_one_line(refused, tmp_path, dataset, name):
    (tmp_path / "raw").touch()
    message = refused(tmp_path / name, dataset=dataset)
    assert message.startswith(f"params.yaml: prepare.root is '{tmp_path / name}', which ")
    assert message.endswith("set another")


@pytest.mark.parametrize("root", [".", "..", "/", "link"])
def test_folder_that_contains_the_project_is_refused(refused, tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("..")
    assert "contains this project; set a folder" in refused(root)


@pytest.mark.parametrize("root", ["data", "data/prepared", "data/splits/x", "reports/figures"])
def test_a_folder_of_the_pipeline_is_refused_because_dvc_would_fail(root):
    outputs = output_folders(yaml.safe_load(Path("dvc.yaml").read_text()))
    with pytest.raises(InputError, match=r"where the pipeline writes .*; set a folder of images"):
        require_apart(root, "params.yaml", outputs)
    require_apart("data/raw", "params.yaml", outputs)


@pytest.mark.parametrize("dataset", ["digits", "folder"])
def test_fifo_is_refused_before_dvc_opens_it(refused, tmp_path, dataset):
    os.mkfifo(tmp_path / "1.png")
    assert f"'{tmp_path / '1.png'}' is neither a file nor a folder" in refused(
        tmp_path, dataset=dataset
    )


def test_groups_that_take_hours_are_refused(refused, tmp_path, monkeypatch):
    monkeypatch.setattr("foldwise.files.image_folder.GROUP_SECONDS", 0.1)
    (tmp_path / f"{'a' * 40}.png").touch()
    message = refused(tmp_path, dataset="folder", groups=r"(\w+)+x")
    assert message.startswith(r"prepare.groups is '(\\w+)+x', which takes over 0.1 s for 1 file")


def test_tables_must_be_there(refused, params, tmp_path):
    assert f"prepare.table is '{tmp_path}/labels.csv', which is no" in refused(
        tmp_path, dataset="table"
    )
    groups = {"table": "patients.csv"}
    assert f"groups.table is '{tmp_path}/pat" in refused(tmp_path, dataset="folder", groups=groups)
    for name in ("labels.csv", "patients.csv"):
        (tmp_path / name).touch()
    require_root(section_of(params, tmp_path, "table", groups=groups), "params.yaml")
