from pathlib import Path

import pytest
import yaml

from foldwise.core.errors import InputError
from foldwise.files.catalogue import MODELS, TORCHVISION_MODELS, ZOO, expected_name, is_known
from foldwise.files.network import HyperParameters
from foldwise.files.params import read_params

ROOT = Path(__file__).parents[2]
DIGEST = "0123456789abcdef" * 4
FINE = {"weights": "w.pt", "weights_sha256": DIGEST}
TRANSFER = {"weights": "w.pt", "weights_sha256": DIGEST}


@pytest.fixture
def read(tmp_path):
    def read(architectures):
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump({"build": {"architectures": architectures}}))
        return read_params(path, "build").build

    return read


def test_names_are_slugs():
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in MODELS)


def test_own_architectures_are_the_files_of_the_folder():
    assert {"lenet5", "resnet18_transfer", "slim_vgg", "vgg_resnet"} <= set(ZOO)
    assert set(ZOO).isdisjoint(TORCHVISION_MODELS)
    assert len(MODELS) == len(set(MODELS))


@pytest.mark.parametrize("name", MODELS)
def test_known_names_pass(name):
    assert is_known(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../raw", "/etc", "x; touch P", "$(touch P)", "lenet5/", "networks"),
        *("lenet5\n", " lenet5", "__init__", "torchvision_classifier", "lenet5.build", "LeNet5"),
        *("timm_", "timm_../x", "timm_A B", "timm:resnet18", "Timm_resnet18"),
    ],
)
def test_any_other_name_is_refused(read, name):
    assert not is_known(name)
    assert expected_name(name).startswith("the name of an architecture")
    with pytest.raises(InputError, match=r"model is .*; expected the name of an architecture"):
        read({}).of(name)


def test_near_name_is_offered(read):
    with pytest.raises(InputError) as caught:
        read({}).of("ResNet18")
    assert str(caught.value) == (
        "model is 'ResNet18'; expected the name of an architecture; did you mean 'resnet18'?"
    )


def test_what_is_left_out_is_as_for_all(read):
    section = read({}).of("lenet5")
    assert section.training == HyperParameters(learning_rate=None, weight_decay=None)
    assert section.weights is None


def test_section_of_an_architecture(read):
    build = read({"lenet5": {"learning_rate": 0.01}, "resnet18_transfer": TRANSFER})
    assert build.of("lenet5").training == HyperParameters(learning_rate=0.01)
    assert build.of("resnet18_transfer").weights == "w.pt"
    assert build.of("slim_vgg").training.learning_rate is None


def test_network_that_needs_weights_says_which_keys_to_set(read):
    with pytest.raises(InputError) as caught:
        read({}).of("resnet18_transfer")
    key = "build.architectures.resnet18_transfer.weights"
    assert f"'resnet18_transfer'; expected {key} and {key}_sha256" in str(caught.value)


@pytest.mark.parametrize(
    ("architectures", "message"),
    [
        ({"slim_vg": {}}, r"\.slim_vg is 'slim_vg'; expected the name.*did you mean 'slim_vgg'"),
        ({"../x": {}}, r"is '../x'; expected the name of an architecture: lenet5, "),
        ({"../x": {"base": "lenet5"}}, "letters, digits and underscores only"),
        ({"lenet5": {"learning_rat": 1.0}}, "lenet5.learning_rat is not a known key; did you"),
        (
            {"lenet5": {"learning_rate": 0.0}},
            "lenet5.learning_rate is 0.0; expected greater than 0",
        ),
        ({"lenet5": {"layer_decay": 1.5}}, "lenet5.layer_decay is 1.5; expected at most 1"),
        ({"resnet18_transfer": {}}, "resnet18_transfer.weights is None; expected the weights that"),
        ({"resnet18_transfer": {"weights": "a/w.pt"}}, "_sha256 is None; .*'sha256sum a/w.pt'"),
        (
            {"resnet18_transfer": TRANSFER | {"weights": "w-1"}},
            "is 'w-1'; expected a name .*./FILE",
        ),
        ({"lenet5": TRANSFER | {"weights": "hf-hub:a"}}, "hf-hub:a'; expected .*hf-hub:OWNER/NAME"),
        ({"lenet5": TRANSFER | {"weights": "package:a"}}, "expected .*package:MODULE/FILE"),
        ({"lenet5": {"weights": "package:a/w.pt"}}, "_sha256 is None; .*'sha256sum FILE'"),
        ({"lenet5": {"weights_key": "ema"}}, "weights_key is 'ema'; expected null"),
        ({"lenet5": {"weights_match": "order"}}, "weights_match is 'order'; expected name"),
        ({"lenet5": {"weights_sha256": DIGEST}}, "expected null: there are no weights"),
        ({"lenet5": {"weights_sha256": DIGEST.upper()}}, "expected 64 lower-case hexadecimal"),
        ({"lenet5": {"weights_sha256": DIGEST + "\n"}}, "expected 64 lower-case hexadecimal"),
        ({"lenet5": {"weights": "http://a.b/w.pt"}}, "expected a name such as IMAGENET1K_V1, "),
        ({"lenet5": {"weights": "https://a.b/w.pt"}}, "_sha256 is None; .*'sha256sum FILE'"),
        (
            {"lenet5": {"weights": "w.pt", "trust_pickle": True}},
            "trust_pickle is True; expected false, or a weights_sha256",
        ),
        (
            {"lenet5": {"base": "slim_vgg"}},
            "lenet5.base is .*expected null, or a name for the section that no known",
        ),
        ({"timm_own": {"file": "nets/a.py:A"}}, "expected null, or a name .* begin with timm_, as"),
        ({"lenet5": {"allow_seen": True}}, "allow_seen is True; expected false: there are no w"),
        ({"net": {}}, r"net is 'net'; expected .* \(a new one needs base, file or layers\)"),
        (
            {
                "part": {"layers": [{"take": "resnet18.layer1", "weights": "DEFAULT"}]},
                "net": {"base": "part"},
            },
            "net.base is 'part'; expected .* without weights in its layers; copy its layers here",
        ),
        ({"net": {"base": "lenet6"}}, "net.base is 'lenet6'; expected .*did you mean 'lenet5'"),
        (
            {"net": {"base": "lenet5", "file": "nets/a.py:A"}},
            "net.file is .*expected null: base defines",
        ),
        ({"net": {"file": "a.py:A"}}, "expected nets/FILE.py:CLASS;"),
        ({"net": {"file": "nets/../a.py:A"}}, "expected nets/FILE.py:CLASS"),
        ({"net": {"layers": []}}, "net.layers is .*; expected at least 1 item"),
        (
            {"net": {"layers": [{"take": "lenet6.0"}]}},
            r"layers\[0\].take is 'lenet6.0'; expected a m",
        ),
        ({"net": {"layers": ["linea"]}}, r"layers\[0\] .*did you mean 'linear'"),
        (
            {"lenet5": {"policy": "frozen"}},
            "weights is None; expected .*frozen layers need pretrained",
        ),
        ({"lenet5": {"policy": "finetune"}}, "policy is 'finetune'; expected scratch"),
        ({"lenet5": {"policy": "thaw"}}, "policy is 'thaw'; expected 'scratch', 'finetune' or"),
        ({"lenet5": FINE | {"policy": "frozen", "frozen": []}}, "frozen is .*expected"),
        ({"lenet5": FINE | {"policy": "scratch"}}, "is 'scratch'; expected finetune or frozen"),
        (
            {"lenet5": FINE | {"policy": "finetune", "frozen": ["1"]}},
            "policy is 'finetune'; expected frozen",
        ),
        (
            {"lenet5": FINE | {"thaw": [{"at_epoch": 1, "layers": "1"}]}},
            "is 1; expected at least 2",
        ),
        (
            {"lenet5": FINE | {"thaw": [{"at_epoch": e, "layers": "1"} for e in (5, 3)]}},
            "expected epochs in ascending order",
        ),
        (
            {"net": {"layers": [{"take": "resnet18.layer1", "frozen": True}]}},
            r"layers\[0\].weights is None; expected .*frozen layers need pretrained weights",
        ),
        (
            {"net": FINE | {"layers": [{"take": "resnet18.layer1", "weights": "DEFAULT"}]}},
            "net.weights is 'w.pt'; expected null: its layers",
        ),
    ],
)
def test_unsound_architecture_is_named(read, architectures, message):
    with pytest.raises(InputError, match=message) as caught:
        read(architectures)
    assert len(str(caught.value).splitlines()) == 1


def test_every_unsound_architecture_is_named(read):
    with pytest.raises(InputError) as caught:
        read({"lenet": {}, "slim_vgg": {"weights": "w.pt"}})
    assert len(str(caught.value).splitlines()) == 2
