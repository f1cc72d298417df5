"""Records of the final pipeline, of the real schemas, after a comparison."""

import numpy as np
from dataset_info import info_of
from measured import MACHINE

from foldwise.files.base import write_json
from foldwise.files.dataset import Samples, create_images, write_dataset
from foldwise.files.final import (
    Calibrated,
    CalibrationRecord,
    Choice,
    ClassScore,
    Expected,
    Exported,
    ExportRecord,
    FinalModel,
    MemberTraining,
    Opening,
    OutOfFold,
    Preparation,
    Refit,
    RiskPoint,
    TestRecord,
    WrongImage,
)
from foldwise.files.fold_record import Calibration
from foldwise.files.network import HyperParameters, Network
from foldwise.report.model_card import CardInputs

SHA = "ab" * 32
N_TRAIN, N_TEST = 100, 40
EXPECTED = Expected(
    value=0.94, interval=(0.9, 0.98), corrected=True, metric="accuracy", top_k=3, confidence=0.95
)
PREPARATION = Preparation(
    height=8,
    width=8,
    channels=1,
    any_size=True,
    resize="crop",
    background=(255, 255, 255),
    scale=None,
)
METRICS = {"accuracy": 0.95, "balanced_accuracy": 0.95, "macro_f1": 0.94}
METRICS |= {"log_loss": 0.2, "top_k": 1.0, "calibration_error": 0.03}


def card_inputs(inputs):
    """Return what the model card of the chosen architecture shows.

    Args:
        inputs: What the report reads.
    """
    name, classes = inputs.verdict.chosen, inputs.class_names
    return CardInputs(
        choice=Choice(
            architecture=name,
            epochs=2,
            members=1,
            coverage=0.9,
            repeat=0,
            expected=EXPECTED,
            preparation=PREPARATION,
        ),
        refit=Refit(architecture=name, members=[training()], machine=MACHINE),
        calibration=calibration_record(),
        test=test_record(name, classes),
        exported=ExportRecord(
            n_images=N_TEST,
            opset=20,
            threads=4,
            files=[exported("model.safetensors", 0.0), exported("model.onnx", 7e-7)],
            machine=MACHINE,
        ),
        model=final_model(name, classes),
        card=inputs.cards[name],
        comparison=inputs.comparison,
        verdict=inputs.verdict,
        dataset=info_of(classes, (8, 8, 1), N_TRAIN, N_TEST),
        near_duplicates=inputs.inspection.near_duplicates,
    )


def training():
    return MemberTraining(
        n_train=N_TRAIN, epochs=2, train_loss=0.1, train_accuracy=0.99, train_seconds=3.0
    )


def exported(file, difference):
    return Exported(
        file=file,
        bytes=123_456,
        same_class=1.0,
        largest_difference=difference,
        image_seconds=0.002,
        image_seconds_threads=0.001,
    )


def quality(error):
    """Return the quality of probabilities whose bins hold ever more images, the first few none."""
    images = [0] * 8 + [1, 2, 3, 5, 9, 20, 60]
    correct = [0] * 8 + [1, 1, 1, 4, 7, 18, 60]
    confidence = [n * (place + 0.5) / 15 for place, n in enumerate(images)]
    bins = Calibration(images=images, correct=correct, confidence=confidence)
    return OutOfFold(log_loss=0.3, calibration_error=error, bins=bins)


def calibration_record():
    risk = [
        RiskPoint(share=part / 20, accuracy=1 - part / 400, confidence=1 - part / 50)
        for part in range(1, 21)
    ]
    return CalibrationRecord(
        calibrated=Calibrated(temperature=1.5, coverage=0.9, threshold=0.2),
        n_images=N_TRAIN,
        n_networks=1,
        before=quality(0.08),
        after=quality(0.02),
        accuracy=0.85,
        accuracy_of_one=0.85,
        covered=0.91,
        mean_set_size=1.3,
        risk=risk,
    )


def test_record(name, classes, **changes):
    """Return the record of 40 test images, all of the first two classes, two of them wrong."""
    scores = [
        ClassScore(name=classes[0], n_images=20, recall=0.9, precision=1.0),
        ClassScore(name=classes[1], n_images=20, recall=1.0, precision=20 / 22),
        *(ClassScore(name=each, n_images=0, recall=None, precision=None) for each in classes[2:]),
    ]
    wrong = [
        WrongImage(
            image=N_TRAIN + at,
            file=f"{classes[0]}/{at}.png",
            true=classes[0],
            predicted=classes[1],
            confidence=0.9,
        )
        for at in range(2)
    ]
    facts = {
        "architecture": name,
        "model": SHA,
        "test_digest": "cd" * 32,
        "n_images": N_TEST,
        "n_correct": 38,
        "accuracy": 0.95,
        "interval": (0.8308, 0.9939),
        "metrics": METRICS,
        "expected": EXPECTED,
        "as_expected": True,
        "calibration_error_before": 0.07,
        "covered": 0.925,
        "mean_set_size": 1.25,
        "classes": scores,
        "confusion": [(0, 0, 18), (0, 1, 2), (1, 1, 20)],
        "mistakes": wrong,
        "openings": [Opening(model=SHA, architecture=name, commit="ef" * 20, accuracy=0.95)],
        "history_complete": True,
    }
    return TestRecord(**facts | changes)


test_record.__test__ = False  # pytest shall not collect it


def final_model(name, classes):
    network = Network(
        name=name,
        builder="zoo.lenet5",
        settings={},
        channels=1,
        height=8,
        width=8,
        n_classes=len(classes),
        heads=[],
        frozen=[],
        thaw=[],
        cut=None,
        normalisation=None,
        training=HyperParameters(),
        keep_weights=False,
        code={},
        weights_sha256=None,
    )
    return FinalModel(
        format=1,
        version="1.2.3",
        network=network,
        normalisation=[],
        preparation=PREPARATION,
        classes=classes,
        dataset="made",
        data_digest="12" * 32,
        weights_sha256=SHA,
        calibrated=Calibrated(temperature=1.5, coverage=0.9, threshold=0.2),
        commit="ef" * 20,
    )


def write_final(root, inputs):
    """Write the records and the images, and return the flags of the stage card."""
    final = root / "reports" / "final"
    names = {"refit": "refit", "calibration": "calibration", "test": "test", "exported": "export"}
    for attribute, name in names.items():
        write_json(final / f"{name}.json", getattr(inputs, attribute))
    write_json(root / "choice" / "choice.json", inputs.choice)
    write_json(root / "export" / "model.json", inputs.model)
    n, data = N_TRAIN + N_TEST, root / "prepared"
    data.mkdir()
    create_images(data, (n, 8, 8, 1))[:] = 200
    is_test = np.arange(n) >= N_TRAIN
    samples = Samples([f"{at}.png" for at in range(n)], is_test * 0, np.arange(n), is_test)
    write_dataset(data, inputs.dataset, samples)
    flags = {"reports": "reports", "choice": "choice", "model": "export", "dataset": "prepared"}
    flags |= {"output": "reports/final"}
    return [part for name, path in flags.items() for part in (f"--{name}", str(root / path))]
