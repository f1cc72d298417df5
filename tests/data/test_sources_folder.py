import os

import pytest

from foldwise.core.errors import InputError
from foldwise.data.prepare import open_source
from foldwise.data.sources import open_folder


def test_classes_and_files_are_sorted_by_code_point(save):
    root = save("b/2.png", "b/10.png", "B/x.png", "a/deep/er/1.png", "a/Z.png")
    source = open_folder(str(root))
    assert source.classes == ["B", "a", "b"]
    assert source.files == ["B/x.png", "a/Z.png", "a/deep/er/1.png", "b/10.png", "b/2.png"]
    assert source.labels.tolist() == [0, 1, 1, 2, 2]
    assert not source.has_official_test


def test_hidden_files_files_that_are_not_images_and_files_outside_classes_are_ignored(save):
    root = save("a/1.png", "b/1.png", "a/.hidden.png", "a/.cache/1.png", ".git/1.png", "top.png")
    (root / "README.txt").write_text("about")
    (root / "a" / "notes.txt").write_text("about")
    (root / "a" / "folder.png").mkdir()
    assert open_folder(str(root)).files == ["a/1.png", "b/1.png"]


@pytest.mark.parametrize(
    "ending", ["jpg", "JPEG", "Png", "bmp", "gif", "webp", "tif", "TIFF", "ppm"]
)
def test_endings_count_whatever_their_case(save, ending):
    assert len(open_folder(str(save(f"a/1.{ending}", f"b/1.{ending}"))).files) == 2


def test_train_and_test_are_the_official_parts(save):
    root = save("train/a/1.png", "train/b/1.png", "test/b/1.png", "test/b/2.png")
    source = open_folder(str(root))
    assert source.classes == ["a", "b"]
    assert source.files == ["train/a/1.png", "train/b/1.png", "test/b/1.png", "test/b/2.png"]
    assert source.labels.tolist() == [0, 1, 1, 1]
    assert source.is_test.tolist() == [False, False, True, True]


def test_train_and_test_beside_a_third_folder_are_classes(save):
    source = open_folder(str(save("train/1.png", "test/1.png", "plane/1.png")))
    assert source.classes == ["plane", "test", "train"]


def test_other_names_of_parts_are_an_error_and_not_classes(save):
    with pytest.raises(InputError, match="folders train, val; expected one folder per class"):
        open_folder(str(save("train/a/1.png", "val/a/1.png")))


def test_missing_root():
    with pytest.raises(
        InputError, match=r"prepare.root is 'no/where', which does not exist; create"
    ):
        open_folder("no/where")


def test_root_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="which is a file; name the folder above it"):
        open_folder(str(tmp_path / "file"))


def test_root_without_class_folders(save):
    with pytest.raises(InputError, match=r"holds 0 class folders; .* add one folder of images"):
        open_folder(str(save("1.png")))


def test_single_class(save):
    with pytest.raises(InputError, match="holds 1 class folders, 'a'; expected at least 2: add"):
        open_folder(str(save("a/1.png")))


def test_every_class_folder_without_images_is_listed(save):
    root = save("a/1.png", "b/.hidden.png", "c/1.png")
    (root / "c" / "1.png").rename(root / "c" / "1.txt")
    with pytest.raises(InputError, match="holds no image; add images or remove") as caught:
        open_folder(str(root))
    assert [f"images/{name}'" in str(caught.value) for name in "abc"] == [False, True, True]
    assert len(str(caught.value).splitlines()) == 2


def test_every_image_of_an_unsupported_format_is_listed(save):
    root = save("a/1.png", "b/1.png")
    for name in ("a/2.heic", "b/3.AVIF", "b/.4.jxl", "top.jp2"):
        (root / name).write_bytes(b"")
    with pytest.raises(InputError) as caught:
        open_folder(str(root))
    for name, line in zip(("a/2.heic", "b/3.AVIF"), str(caught.value).splitlines(), strict=True):
        assert line.startswith(f"'{root / name}' ")
        assert line.endswith("; convert it to PNG or JPEG")


def test_a_class_in_test_only_is_an_error(save):
    root = save("train/a/1.png", "train/b/1.png", "test/c/1.png")
    with pytest.raises(InputError, match="test/c' is a class that train does not have"):
        open_folder(str(root))


def test_name_that_is_not_utf8(save):
    root = save("a/1.png", "b/1.png")
    try:
        (root / "a" / "1.png").rename(root / "a" / os.fsdecode(b"\xff.png"))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(InputError, match=r"'a/\\udcff.png' is not a UTF-8 name; rename it"):
        open_folder(str(root))


@pytest.mark.parametrize("name", ["a/x\n1.png", "a/\x1b[31m.png", "b\x85/1.png"])
def test_name_with_a_control_character(save, name):
    root = save("a/1.png", "b/1.png", name)
    with pytest.raises(
        InputError, match=r"\\(n|x1b|x85).* control character .*rename it"
    ) as caught:
        open_folder(str(root))
    assert str(caught.value).isprintable() or str(caught.value).count("\n") == 1


@pytest.mark.parametrize("name", ["folder", "FashionMNIST"])
def test_fifo_is_an_error_and_not_opened(save, name):
    root = save("a/1.png", "b/1.png")
    os.mkfifo(root / "a" / "2.png")
    with pytest.raises(InputError, match=r"a/2.png' is neither a file nor a folder.*; remove it"):
        open_source(name, str(root))
