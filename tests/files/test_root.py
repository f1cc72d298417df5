import pytest

from foldwise.core.errors import InputError
from foldwise.files.project import provide_root


def test_ones_own_images_must_be_there(tmp_path):
    root = str(tmp_path / "raw")
    message = r"^params.yaml: prepare.root is '.*raw'.*one folder of images per class"
    with pytest.raises(InputError, match=message):
        provide_root("folder", root, "params.yaml")
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("dataset", ["digits", "FashionMNIST"])
def test_other_sources_get_an_empty_folder_and_keep_a_full_one(tmp_path, dataset):
    root = tmp_path / "some" / "raw"
    provide_root(dataset, str(root), "params.yaml")
    assert list(root.iterdir()) == []
    (root / "file").touch()
    provide_root(dataset, str(root), "params.yaml")
    assert [path.name for path in root.iterdir()] == ["file"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "raw").touch()
    with pytest.raises(InputError, match=r"prepare.root is '.*raw', which cannot be created"):
        provide_root("digits", str(tmp_path / "raw"), "params.yaml")
