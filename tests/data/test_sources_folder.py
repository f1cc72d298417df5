import os

import pytest

from foldwise.core.errors import InputError
from foldwise.data.class_folders import open_folder
from foldwise.data.prepare import open_source


def test_classes_and_files_are_sorted_by_code_point(save):
    root = save("b/2.png", "b/10.png", "B/x.png", "a/deep/er/1.png", "a/Z.png")
    source = open_folder(str(root))
    assert source.classes == ["B", "a", "b"]
    assert source.files == ["B/x.png", "a/Z.png", "a/deep/er/1.png", "b/10.png", "b/2.png"]
    assert source.labels.tolist() == [0, 1, 1, 2, 2]
    assert not source.has_official_test


def test_hidden_files_are_ignored_and_all_others_that_are_not_read_are_counted(save):
    root = save("a/1.png", "b/1.png", "a/.hidden.png", "a/.cache/1.png", ".git/1.png", "top.png")
    (root / "README.txt").write_text("about")
    (root / "a" / "notes.txt").write_text("about")
    (root / "a" / "folder.png").mkdir()
    source = open_folder(str(root))
    assert source.files == ["a/1.png", "b/1.png"]
    assert source.notes == (
        "1 image not used, in no class folder (such as top.png)",
        "2 other files (2 .txt)",
    )


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


def layout(save, *folders):
    root = save(*(f"{folder}/{n}.png" for folder in folders for n in (1, 2)))
    return open_folder(str(root))


@pytest.mark.parametrize(
    ("training", "test"),
    [
        (["Training"], ["Testing"]),
        (["TRAIN"], ["TEST"]),
        (["train", "dev"], []),
        (["seg_train"], ["seg_test"]),
        (["train", "valid"], ["test"]),
        (["training_set", "Validation-Set"], ["test set"]),
        (["TrainImages", "val"], ["eval"]),
        (["train", "eval"], ["test"]),
        (["train2017", "val2017"], []),
        (["pets-train"], ["pets-test"]),
        (["train_val"], ["test"]),
        (["train"], []),
    ],
)
def test_common_names_of_parts_are_parts_and_not_classes(save, training, test):
    source = layout(save, *(f"{part}/{c}" for part in training + test for c in ("cat", "dog")))
    assert source.classes == ["cat", "dog"]
    parts = [file.split("/")[0] for file in source.files]
    assert list(dict.fromkeys(parts)) == training + test
    assert source.is_test.tolist() == [part in test for part in parts]
    note = f"{', '.join(training)} as training images"
    assert source.notes == (f"{note}, {test[0]} as test images" if test else note,)


def test_parts_unpacked_into_folders_of_their_own_name_are_read(save):
    source = layout(save, *(f"seg_{p}/seg_{p}/{c}" for p in ("train", "test") for c in "ab"))
    assert (source.classes, source.is_test.sum()) == (["a", "b"], 4)


@pytest.mark.parametrize(
    ("tops", "inner"),
    [
        (["color", "grayscale", "segmented"], ["apple", "grape", "peach"]),
        ([f"patient{n}" for n in range(5)], ["0", "1"]),
        (["fold0", "fold1"], ["cat", "dog"]),
        (["cat", "dog"], ["Test", "Train"]),
        (["train/left", "train/right"], ["cat", "dog"]),
    ],
)
def test_folders_that_all_hold_the_same_folders_are_no_classes(save, tops, inner):
    folders = [f"{top}/{name}" for top in tops for name in inner]
    if tops[0] == "patient0":
        folders.remove("patient3/1")  # not every patient has every class
    with pytest.raises(InputError) as caught:
        layout(save, *folders)
    message = str(caught.value)
    assert "\n" not in message
    assert ", ".join(tops[:3]) in message
    assert ", ".join(name.casefold() for name in inner) in message
    assert "prepare.groups: '/([^/]+)/'" in message or "above the classes" in message


@pytest.mark.parametrize("n_with_both", [0, 4])
def test_patients_above_classes_are_no_classes_even_if_most_have_one_class(save, n_with_both):
    folders = [f"patient{n:02}/{'benign' if n % 2 else 'malignant'}" for n in range(12)]
    folders += [f"patient{2 * n:02}/benign" for n in range(n_with_both)]
    with pytest.raises(InputError, match=r"patient00.* benign, malignant, rare; .*prepare.groups"):
        layout(save, *folders, "patient12/rare")


@pytest.mark.parametrize(
    "folders",
    [
        ["cat/cat_train", "cat/cat_test", "dog/dog_train", "dog/dog_test"],
        ["cat/train", "dog/test", "emu/train", "emu/test"],
        ["train/cat/images/train", "train/cat/images/test", "train/dog"],
    ],
)
def test_test_sets_below_classes_are_an_error(save, folders):
    tests = [folder for folder in folders if folder.endswith("test")]
    with pytest.raises(InputError, match="put the parts above the classes, or rename") as caught:
        layout(save, *folders)
    assert [f"{test}' " in str(caught.value) for test in tests] == [True] * len(tests)


@pytest.mark.parametrize(
    "folders",
    [
        ["cat/persian", "cat/siamese", "dog/poodle", "dog/beagle"],
        ["cat/images", "dog/images"],
        ["cat/scan1", "cat/scan2", "dog/scan1", "dog/scan2", "bird"],
        [f"{c}/scan{n}" for c, last in (("cat", 3), ("dog", 6), ("emu", 7)) for n in range(last)],
    ],
)
def test_classes_may_have_folders(save, folders):
    source = layout(save, *folders)
    assert source.classes == sorted({folder.split("/")[0] for folder in folders})
    first = min(folder for folder in folders if "/" in folder)
    assert source.notes == (f"sub-folders of classes are read, too (such as {first})",)


@pytest.mark.parametrize("other", ["extra", "extra/cat"])
def test_parts_beside_another_folder_are_not_clear(save, other):
    with pytest.raises(InputError, match=r"test, train look like parts .* extra not; move the lat"):
        layout(save, *(f"{part}/{c}" for part in ("train", "test") for c in ("cat", "dog")), other)


def test_parts_without_class_folders_are_not_clear(save):
    with pytest.raises(InputError, match=r"images/train' holds 0 class folders.*dataset: table"):
        layout(save, "train", "test")


def test_parts_of_which_none_is_for_training_are_an_error(save):
    with pytest.raises(InputError, match="folders Test, of which none is for training; add train"):
        layout(save, "Test/a", "Test/b")


def test_loose_images_are_counted(save):
    source = layout(save, "train/a", "train/b", "test")
    assert not source.has_official_test
    assert source.notes == (
        "train as training images",
        "2 images not used, in no class folder (such as test/1.png)",
    )


def test_a_class_is_the_same_in_all_parts_whatever_its_case_and_accents(save):
    parts = ["train/Café", "train/x", "train/X", "val/cafe\u0301", "val/X", "test/cafÉ", "test/x"]
    source = layout(save, *parts)
    assert source.classes == ["Café", "X", "x"]
    labels = dict(zip(source.files, source.labels.tolist(), strict=True))
    assert [labels[f"{part}/1.png"] for part in parts] == [0, 2, 1, 0, 1, 0, 2]


def test_a_class_of_the_validation_part_only_is_a_class(save):
    assert layout(save, "train/a", "val/a", "val/b").classes == ["a", "b"]


def test_folders_of_systems_are_no_classes(save):
    folders = ("@eaDir", "__MACOSX", ".ipynb_checkpoints", "lost+found", "a/@eaDir")
    root = save("a/1.png", "b/1.png", *(f"{folder}/1.png" for folder in folders))
    (root / "a/Thumbs.db").write_bytes(b"x")
    source = open_folder(str(root))
    assert (source.classes, source.files, source.notes) == (["a", "b"], ["a/1.png", "b/1.png"], ())


def test_links_to_files_are_read(save, tmp_path):
    root = save("a/1.png", "b/1.png")
    (root / "a/2.png").symlink_to(save("../elsewhere.png").parent / "elsewhere.png")
    source = open_folder(str(root))
    assert source.files == ["a/1.png", "a/2.png", "b/1.png"]
    assert source.load(1).is_file()


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
    (root / "c" / "1.png").unlink()
    for name in ("1.txt", "2.CSV"):
        (root / "c" / name).write_text("file")
    with pytest.raises(InputError, match="holds no image; add images or remove") as caught:
        open_folder(str(root))
    assert [f"images/{name}'" in str(caught.value) for name in "abc"] == [False, True, True]
    assert "images/c' holds no image, only 2 other files (1 .csv, 1 .txt); add" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


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
    with pytest.raises(InputError, match=r"'a/\\udcff.png' has .* not UTF-8; rename it"):
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
