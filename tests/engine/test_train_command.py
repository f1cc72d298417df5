import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from foldwise.core.errors import InputError
from foldwise.data.folds import validation_indices
from foldwise.engine.hardware import set_up
from foldwise.engine.scores import accuracy, count_fold, log_loss
from foldwise.engine.training import open_fold, train_fold
from foldwise.files.dataset import read_dataset
from foldwise.files.features import Features
from foldwise.files.fold_record import read_predictions, read_record
from foldwise.files.network import read_network
from foldwise.files.params import read_params
from foldwise.files.split import read_recipe, read_split
from stages.train import main

ROOT = Path(__file__).parents[2]


def test_a_record_says_what_the_predictions_say(case, flags, capsys):
    main(flags(fold=1))
    record = read_record(case / "one" / "record.json")
    predictions = read_predictions(case / "one" / "run")
    labels = read_dataset(case / "prepared").labels[predictions.index]
    assert np.array_equal(predictions.index, validation_indices(read_split(case / "split"), 1))
    assert record.accuracy == accuracy(predictions.last, labels)
    assert record.fold_counts == count_fold(predictions.last, labels, predictions.index)
    assert record.fold_counts.log_loss == pytest.approx(32 * log_loss(predictions.last, labels))
    best = record.curves[record.best_epoch - 1]
    assert best.validation_accuracy == accuracy(predictions.best, labels)
    assert record.accuracy == record.curves[-1].validation_accuracy
    assert (record.n_train, record.n_validation, record.n_folds) == (64, 32, 3)
    assert record.batch_size == 16
    assert record.timing.peak_memory_bytes > 100_000_000  # torch alone takes more
    assert record.timing.peak_gpu_bytes is None
    assert [point.epoch for point in record.curves] == [1, 2]
    out, error = capsys.readouterr()
    assert out.startswith("train: lenet5 repeat 0 fold 1, ")
    assert "lenet5 repeat 0 fold 1 (of 0 to 2): epoch 2 of 2, loss " in error


def test_a_notebook_trains_a_fold_without_the_command_line(case, flags, capfd):
    main(flags(fold=1))
    capfd.readouterr()
    params = read_params(case / "params.yaml", "train", "hardware")
    data = (
        read_dataset(case / "prepared"),
        read_split(case / "split"),
        read_recipe(case / "augmented"),
    )
    network, hardware = read_network(case / "network"), set_up(params.hardware)
    fold = open_fold(data, (0, 1), network, Features(), hardware.device)
    record = train_fold(network, {}, fold, params.train, hardware).record
    written = read_record(case / "one" / "record.json")
    assert record.model_copy(update={"timing": written.timing}) == written
    assert capfd.readouterr() == ("", "")


def test_it_learns(case, flags):
    main(flags(epochs=5))
    record = read_record(case / "one" / "record.json")
    assert record.accuracy > 0.9
    assert record.curves[-1].train_loss < record.curves[0].train_loss


@pytest.mark.parametrize(
    ("model", "threads"),
    [("slim_vgg", 2), pytest.param("vgg_resnet", 1, marks=pytest.mark.slow)],
)
def test_two_processes_write_the_same_bytes(case, flags, model, threads, torch_process):
    """Dropout, batches, augmentation and initial weights: timings apart, nothing differs."""
    records = []
    for name in ("new", "fork"):
        words = ["-m", "stages.train", *flags(model, name=name, threads=threads)]
        if name == "fork":
            torch_process.run(*words)
        else:
            subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
        content = json.loads((case / name / "record.json").read_text())
        del content["timing"]
        records.append((content, (case / name / "run" / "predictions.npz").read_bytes()))
    assert records[0] == records[1]


@pytest.mark.parametrize(
    ("model", "vision"),
    [("lenet5", []), pytest.param("resnet18", ["torchvision"], marks=pytest.mark.slow)],
)
def test_a_fold_imports_neither_the_compiler_nor_what_other_stages_need(
    torch_process, flags, model, vision
):
    """Each would cost every fold one or two seconds."""
    heavy = ("matplotlib", "pandas", "scipy", "sklearn", "torch._dynamo", "torchinfo")
    code = (
        "import sys; from stages.train import main; main(sys.argv[1:]); "
        f"print([n for n in {(*heavy, 'torchvision')} if n in sys.modules])"
    )
    done = torch_process.run("-c", code, *flags(model, epochs=1))
    assert done.stdout.splitlines()[-1] == str(vision)


def test_the_record_names_the_content_of_its_fold(case, flags):
    def digests(**changes):
        main(flags(epochs=1, **changes))
        record = read_record(case / "one" / "record.json")
        return record.train_digest, record.validation_digest

    first, other_fold = digests(), digests(fold=1)
    assert digests(model="lenet5") == first
    assert not set(first) & set(other_fold)
    expected = read_split(case / "split").digests
    assert first == (expected.train[0], expected.validation[0])


def test_the_version_is_that_of_the_architecture_whatever_its_tuned_rate(case, flags):
    def version(**changes):
        main(flags(epochs=1, **changes))
        return read_record(case / "one" / "record.json").version

    first = version(model="lenet5")
    assert version(model="lenet5", learning_rate=0.001) == first  # for all, as a tuned one
    assert version(model="lenet5", overrides={"learning_rate": 0.001}) != first


def test_a_validation_image_never_trains(case, flags):
    """Whatever the images of another part hold, the trained weights and the probe stay."""
    main(flags(name="one"))
    images = np.load(case / "prepared" / "images.npy", mmap_mode="r+")
    images[validation_indices(read_split(case / "split"), 0)] = 255
    images[-6:] = 0  # test images
    images.flush()
    main(flags(name="two"))
    one, two = (read_record(case / name / "record.json") for name in ("one", "two"))
    assert [p.train_loss for p in one.curves] == [p.train_loss for p in two.curves]
    assert one.fold_counts.log_loss != two.fold_counts.log_loss


def test_what_diverges_is_recorded_and_never_scored(case, flags, capsys):
    main(flags(learning_rate=1e30, epochs=3))
    record = read_record(case / "one" / "record.json")
    assert record.status == "diverged"
    assert (record.accuracy, record.fold_counts) == (None, None)
    assert "in epoch 1 is " in record.reason
    assert len(record.curves) < 3
    assert read_predictions(case / "one" / "run").index.shape == (0,)
    assert "diverged: the loss of a batch" in capsys.readouterr().out


def test_overrides_of_the_network_count(case, flags):
    main(flags(name="one"))
    main(flags(name="two", overrides={"learning_rate": 0.0001}))
    one, two = (read_record(case / name / "record.json") for name in ("one", "two"))
    assert one.curves != two.curves


def test_auxiliary_heads_train(case, flags):
    main(flags("googlenet", epochs=1))
    assert read_record(case / "one" / "record.json").status == "finished"


def test_cuda_that_is_not_there(flags):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(InputError, match=r"hardware.device is 'cuda', but torch finds no CUDA"):
        main(flags(device="cuda"))


def test_fold_that_is_not_there(flags):
    with pytest.raises(InputError, match=r"fold is 3; the split has folds 0 to 2"):
        main(flags(fold=3))


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_precision_is_recorded_as_forced(case, flags, precision):
    main(flags(precision=precision, epochs=1))
    assert read_record(case / "one" / "record.json").machine.precision == precision


def test_on_cuda(case, flags):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    main(flags(device="cuda"))
    record = read_record(case / "one" / "record.json")
    assert record.machine.device.startswith("cuda ")
