import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from foldwise.core import machine
from foldwise.core.errors import InputError
from foldwise.data import threads
from foldwise.data.content import content_digest, short_digests
from foldwise.files.dataset import DecodingFacts, read_dataset, read_digests, read_samples
from stages.prepare import main

FILES = ["dataset.json", "digests.npy", "images.npy", "labels.npy", "samples.csv"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def prepare(tmp_path):
    def prepare(output="out", **changes):
        section = {
            "dataset": "digits",
            "root": str(tmp_path / "raw"),
            "image_size": "native",
            "test_fraction": 0.2,
            "limit": None,
            "groups": None,
        }
        params = tmp_path / "params.yaml"
        params.write_text(yaml.safe_dump({"seed": 3, "prepare": {**section, **changes}}))
        main(["--params", str(params), "--output", str(tmp_path / output)])
        return tmp_path / output

    return prepare


def test_digits(prepare, capsys):
    output = prepare()
    dataset, samples = read_dataset(output), read_samples(output)
    assert (dataset.info.n_train, dataset.info.n_test, dataset.info.seed) == (1438, 359, 3)
    assert dataset.images.shape == (1797, 8, 8, 1)
    assert samples.is_test.tolist() == [False] * 1438 + [True] * 359
    assert np.array_equal(dataset.labels, samples.labels)
    share = np.bincount(dataset.labels[samples.is_test]) / np.bincount(dataset.labels)
    assert np.abs(share - 0.2).max() < 0.005
    line = "prepare: digits, 1,438 + 359 test images of 8×8×1 in 10 classes -> "
    assert capsys.readouterr().out == f"{line}{output}\n"


@pytest.mark.parametrize("names", [["a.png"], ["cat/a.JPG"], ["train/cat/a.png"]])
def test_own_images_that_the_digits_do_not_use_are_counted(prepare, tmp_path, capsys, names):
    for name in [*names, "notes.txt", ".hidden/b.png"]:
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    prepare(limit=50)
    assert (
        f"{tmp_path / 'raw'} holds 1 image file, which prepare.dataset=digits does not use: set "
        "prepare.dataset=folder"
    ) in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",  # as torchvision lays out its data sets
    [
        "flowers-102/jpg/image_00001.jpg",
        "eurosat/2750/Forest/Forest_1.jpg",
        "oxford-iiit-pet/images/a.jpg",
        "stanford_cars/cars_train/00001.jpg",
        "rendered-sst2/train/positive/1.png",
        "gtsrb/GTSRB/Training/00000/00000_00000.ppm",
        "imagenette2/train/n01440764/a.JPEG",
        "MNIST/raw/train-images-idx3-ubyte.gz",
    ],
)
def test_downloads_of_torchvision_are_no_own_images(prepare, tmp_path, capsys, name):
    path = tmp_path / "raw" / name
    path.parent.mkdir(parents=True)
    path.touch()
    prepare(limit=50)
    assert "does not use" not in capsys.readouterr().out


def test_names_of_files_do_not_reach_the_terminal_as_they_are(prepare, save, capsys):
    root = save(*(f"{c}/{n}.png" for c in "ab" for n in range(4)), "x\x1b[31m.png")
    prepare(dataset="folder", root=str(root))
    assert r"(such as x\x1b[31m.png)" in capsys.readouterr().out


def test_same_inputs_same_bytes(prepare):
    first, second = prepare("first"), prepare("second")
    assert sorted(path.name for path in first.iterdir()) == FILES
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_limit_leaves_that_many_training_images(prepare):
    info = read_dataset(prepare(limit=100)).info
    assert (info.n_train, info.n_test) == (100, 25)


def test_folder_of_colour_images_with_official_parts(prepare, save, capsys):
    root = save(*(f"train/{c}/{i}.png" for c in "ab" for i in range(5)), "test/a/1.png")
    save("test/b/1.png", size=(9, 12))
    Image.open(root / "test/a/1.png").save(root / "train/a/copy.bmp")
    Image.open(root / "train/b/0.png").save(root / "train/b/again.bmp")
    output = prepare(dataset="folder", root=str(root), image_size=4)
    dataset, samples = read_dataset(output), read_samples(output)
    assert dataset.images.shape == (13, 4, 4, 3)
    assert dataset.info.official_test
    assert (dataset.info.n_left_out, dataset.info.n_duplicates) == (1, 1)
    assert samples.files[0] == "train/a/0.png"
    assert samples.files[-2:] == ["test/a/1.png", "test/b/1.png"]
    line = capsys.readouterr().out
    assert ", 1 left out (also test images, or under two labels); " in line
    assert "; train as training images, test as test images -> " in line


def test_a_table_with_weights_and_groups(prepare, save, capsys):
    root = save(*(f"{index:02d}.png" for index in range(12)), mode="L")
    rows = [f"{i:02d}.png,{'ab'[i % 2]},{i // 2},{1 + i / 4}" for i in range(12)]
    (root / "labels.csv").write_text("\n".join(["file,label,group,weight", *rows]))
    samples = read_samples(prepare(dataset="table", root=str(root)))
    assert [1 + int(file[:2]) / 4 for file in samples.files] == samples.weights.tolist()
    assert len(set(samples.groups.tolist())) == 6
    assert ["ab"[label] for label in samples.labels] == [
        "ab"[int(f[:2]) % 2] for f in samples.files
    ]


def test_row_i_of_every_file_is_the_same_image(prepare, save):
    root = save(*(f"{c}/{i}.png" for c in "ab" for i in range(9)), mode="L")
    output = prepare(dataset="folder", root=str(root), groups=r"/(\d)", test_fraction=0.3)
    dataset, samples = read_dataset(output), read_samples(output)
    digests = np.concatenate(read_digests(output))
    for position, file in enumerate(samples.files):
        pixels = np.asarray(Image.open(root / file))
        assert digests[position] == short_digests([content_digest(pixels[..., None])])[0]
        assert np.array_equal(dataset.images[position, :, :, 0], pixels)
        assert dataset.info.classes[dataset.labels[position]] == file[0]
    assert dataset.info.n_groups == 9


def test_failure_leaves_no_half_made_data_set(prepare, save, tmp_path):
    root = save("a/1.png", "b/1.png", "b/2.png")
    (root / "b/2.png").write_bytes(b"")
    with pytest.raises(InputError, match="known format"):
        prepare(dataset="folder", root=str(root))
    assert list((tmp_path / "out").iterdir()) == []


def test_what_decoding_changed_is_stored_and_said(prepare, save, capsys):
    root = save(*(f"{c}/{i}.png" for c in "ab" for i in range(9)), size=(24, 8))
    wide = np.asarray(Image.open(root / "a/0.png")).copy()
    wide[:, :2] ^= 255  # outside the central square
    Image.fromarray(wide).save(root / "b/again.png")
    (root / "a/8.png").write_bytes(b"")
    output = prepare(dataset="folder", root=str(root), image_size=8, unreadable="skip")
    dataset, samples = read_dataset(output), read_samples(output)
    assert dataset.info.decoding == DecodingFacts(
        n_unreadable=1, file_size=[8, 24], cropped_share=0.6667, same_pixels={"crop": 1}
    )
    assert (dataset.info.n_left_out, dataset.info.n_duplicates, dataset.info.n_groups) == (0, 0, 17)
    places = [samples.files.index(name) for name in ("a/0.png", "b/again.png")]
    assert len({(samples.groups[i], samples.is_test[i]) for i in places}) == 1
    line = capsys.readouterr().out
    assert "1 unreadable skipped (listed in unreadable.csv)" in line
    assert "crop drops 67 % of an average image; prepare.resize: pad keeps it" in line
    assert "1 different images" in line
    rows = (output / "unreadable.csv").read_text().splitlines()
    assert rows[0] == '"file","reason"'
    assert rows[1].startswith('"a/8.png","is empty')


def test_images_of_equal_pixels_may_be_in_both_official_parts(prepare, save):
    root = save(*(f"{p}/{c}/{i}.png" for p in ("train", "test") for c in "ab" for i in range(4)))
    for part, alpha in (("train", 0), ("test", 1)):
        hidden = np.full((5, 6, 4), (alpha, 0, 0, 0), dtype=np.uint8)
        Image.fromarray(hidden).save(root / part / "a" / "hidden.png")
    info = read_dataset(prepare(dataset="folder", root=str(root), groups=r"(\w+/\w+/\w+)")).info
    assert (info.n_train, info.n_test, info.n_left_out) == (9, 9, 0)
    assert info.decoding.same_pixels == {"transparency": 1}


def test_wrong_input_is_one_line_and_no_traceback(tmp_path):
    section = {"dataset": "folder", "root": "nowhere", "image_size": "native"}
    section |= {"test_fraction": 0.2, "limit": None, "groups": None}
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump({"seed": 0, "prepare": section}))
    command = [sys.executable, "-m", "stages.prepare", "--params", params, "--output", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: prepare.root is 'nowhere', which does not exist; ")
    assert len(done.stderr.splitlines()) == 1


def test_memory_does_not_grow_with_the_images(prepare, save, monkeypatch):
    """Of 192 images more, the memory holds far fewer: they stream to the disk."""
    monkeypatch.setattr(machine, "CHUNK_BYTES", 2**16)
    monkeypatch.setattr(threads, "count_cores", lambda: 1)  # images in flight are some a core
    image, peaks = 64 * 64 * 3, []
    for n in (32, 128):
        names = [f"{label}/{index}.png" for label in ("cat", "dog") for index in range(n)]
        root = save(*names, size=(64, 64))
        prepare(dataset="folder", root=str(root))  # once before, so that imports do not count
        tracemalloc.start()
        info = read_dataset(prepare(dataset="folder", root=str(root))).info
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (info.n_train + info.n_test, info.height) == (256, 64)
    assert peaks[1] - peaks[0] < 192 * image / 2


def test_near_duplicates_share_a_group_if_asked(prepare, save, capsys):
    names = [f"{label}/{index}.png" for label in "ab" for index in range(12)]
    root = save(*names, size=(24, 24))
    for index in range(12):  # a brighter copy of each image of class a
        image = Image.open(root / f"a/{index}.png")
        image.point(lambda value: value // 2 + 90).save(root / f"a/copy{index}.png")
    settings = {"dataset": "folder", "root": str(root), "test_fraction": 0.3}
    samples = read_samples(prepare(near_duplicates="group", **settings))
    assert "12 pairs of near-duplicates kept together" in capsys.readouterr().out
    group = dict(zip(samples.files, samples.groups.tolist(), strict=True))
    assert all(group[f"a/{index}.png"] == group[f"a/copy{index}.png"] for index in range(12))
    assert len(set(group.values())) == 24
    assert not set(samples.groups[samples.is_test]) & set(samples.groups[~samples.is_test])
    assert len(set(read_samples(prepare("free", **settings)).groups)) == 36
