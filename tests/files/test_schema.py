import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from foldwise.core.errors import InputError
from foldwise.files.catalogue import MODELS
from foldwise.files.params import check_params
from foldwise.files.validation import MAX_LINES

SLUG = "expected the name of an architecture: letters, digits and underscores"
RESTORE = "; 'dvc checkout' restores tracked data that 'dvc exp run' cleared there"
FOLDS = "expected 0, 1, .. k - 1 in this order for k folds, at least [0, 1]"
TOP = (
    "advise, augment, build, candidates, compare, extract, folds, forecast, hardware, model, "
    "prepare, repeats, resplit, seed, train"
)


def errors(content, n_slots=3):
    with pytest.raises(InputError) as caught:
        check_params(content, range(n_slots), "params.yaml")
    return str(caught.value).split("\n")


def test_sound_params_pass(params):
    checked = check_params(params(), range(3), "params.yaml")
    assert checked.size_text == "3 architectures × 1 repeat × 5 folds"
    assert checked.models == ["lenet5", "slim_vgg", "vgg_resnet"]


def test_model_joins_the_candidates_and_equal_names_count_once(params):
    content = params(model="resnet18", candidates=["lenet5", "lenet5"], repeats=[0, 1])
    assert check_params(content, range(2), "p").size_text == "2 architectures × 2 repeats × 5 folds"
    content = params(model="lenet5", candidates=["lenet5"], folds=[0, 1])
    assert check_params(content, range(1), "p").size_text == "1 architecture × 1 repeat × 2 folds"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model", "../raw", f"model is '../raw'; {SLUG}{RESTORE}"),
        ("model", ".", f"model is '.'; {SLUG}{RESTORE}"),
        ("model", "x; touch P", f"model is 'x; touch P'; {SLUG}"),
        ("model", "$(touch P)", f"model is '$(touch P)'; {SLUG}"),
        ("model", "`touch P`", f"model is '`touch P`'; {SLUG}"),
        ("model", "slim_vgg\n", rf"model is 'slim_vgg\n'; {SLUG}"),
        ("model", "-h", f"model is '-h'; {SLUG}"),
        ("model", "", f"model is ''; {SLUG}"),
        ("model", 5, f"model is 5; {SLUG}"),
        ("model", None, f"model is None; {SLUG}"),
        ("model", ["lenet5"], f"model is ['lenet5']; {SLUG}"),
        (
            "model",
            "resnet8",
            "model is 'resnet8'; expected the name of an architecture; did you mean 'resnet18'?",
        ),
        (
            "model",
            "resnet18_transfer",
            "model is 'resnet18_transfer'; expected build.architectures.resnet18_transfer.weights "
            "and build.architectures.resnet18_transfer.weights_sha256",
        ),
        ("candidates", ["lenet5", "a/b", "alexnet"], f"candidates[1] is 'a/b'; {SLUG}{RESTORE}"),
        (
            "candidates",
            ["lenet5", "lenet6", "alexnet"],
            "candidates[1] is 'lenet6'; expected the name of an architecture; "
            "did you mean 'lenet5'?",
        ),
        ("candidates", "lenet5", "candidates is 'lenet5'; expected a valid list"),
        ("candidates", [], "candidates is []; expected at least 1 item"),
        (
            "candidates",
            ["lenet5", "alexnet"],
            "candidates is ['lenet5', 'alexnet']; expected 3 names, for which dvc.yaml has "
            "slots; 'foldwise candidates lenet5 alexnet' writes others",
        ),
        (
            "candidates",
            ["lenet5"] * 5,
            "candidates is ['lenet5', 'lenet5', 'lenet5', 'lenet5', 'lenet5']; expected 3 names, "
            "for which dvc.yaml has slots; 'foldwise candidates lenet5' writes others",
        ),
        ("folds", [0, 2], f"folds is [0, 2]; {FOLDS}"),
        ("repeats", [10**30], f"repeats[0] is {10**30}; expected at most"),
        ("extract.views", 10**9, f"extract.views is {10**9}; expected at most 1000"),
        ("hardware.threads", 3000, "hardware.threads is 3000; expected at most 1024"),
        ("train.batch_size", 10**10, f"train.batch_size is {10**10}; expected at most 100000"),
        ("train.epochs", 10**9, f"train.epochs is {10**9}; expected at most 10000"),
        (
            "compare.confidence",
            0.9999999999999999,
            "compare.confidence is 0.9999999999999999; expected at most 0.9999",
        ),
        *(
            ("prepare.root", root, f"prepare.root is {root!r}; expected a folder of this machine")
            for root in ("~", "~/x", "https://a.b/c", "s3://a/b", "a\0b", "a\nb")
        ),
        *(
            ("prepare.root", root, f"prepare.root is '{root}'; expected a folder outside")
            for root in (".git", ".dvc/cache", "/a/.git/b")
        ),
        ("folds", [1, 0], f"folds is [1, 0]; {FOLDS}"),
        ("folds", [0, 1, 1], f"folds is [0, 1, 1]; {FOLDS}"),
        ("folds", [0], f"folds is [0]; {FOLDS}"),
        ("folds", [], f"folds is []; {FOLDS}"),
        ("folds", 5, "folds is 5; expected a valid list"),
        ("folds", [0, True], "folds[1] is True; expected a valid integer"),
        ("repeats", [1, 0], "repeats is [1, 0]; expected each repeat once, ascending: [0, 1]"),
        ("repeats", [0, 0], "repeats is [0, 0]; expected each repeat once, ascending: [0]"),
        ("repeats", [-1], "repeats[0] is -1; expected at least 0"),
        ("repeats", [], "repeats is []; expected at least 1 item"),
        ("seed", -1, "seed is -1; expected at least 0"),
        ("seed", 2**32, "seed is 4294967296; expected less than 4294967296"),
        (
            "prepare.dataset",
            "digts",
            "prepare.dataset is 'digts'; expected the name of a data set; did you mean 'digits'?",
        ),
        ("prepare.limit", "all", "prepare.limit is 'all'; expected a valid integer or null"),
        ("augment.flip", 1.5, "augment.flip is 1.5; expected at most 1"),
        (
            "augment.shift",
            "0.1",
            "augment.shift is '0.1'; expected a valid number",
        ),
        ("build", {}, "build.architectures is missing; add it"),
        ("build.architectures", None, "build.architectures is None; expected keys and values"),
        (
            "build.architectures.lenet5",
            {"lerning_rate": 1},
            "build.architectures.lenet5.lerning_rate is not a known key; "
            "did you mean 'learning_rate'?",
        ),
        (
            "build.architectures.lenet6",
            {},
            "build.architectures.lenet6 is 'lenet6'; expected the name of an architecture; "
            "did you mean 'lenet5'? (a new one needs base, file or layers)",
        ),
        ("train.epochs", True, "train.epochs is True; expected a valid integer"),
        (
            "train.learning_rate",
            math.nan,
            "train.learning_rate is nan; expected 'auto' or a finite number",
        ),
        ("train.batch_size", 1, "train.batch_size is 1; expected at least 3"),
        ("train", [3], "train is [3]; expected keys and values"),
        ("forecast.seconds", 0, "forecast.seconds is 0; expected greater than 0"),
        ("advise.clean", 2, "advise.clean is 2; expected at most 1"),
        ("advise.small_side", 0.5, "advise.small_side is 0.5; expected a valid integer"),
        ("compare.confidence", 95, "compare.confidence is 95; expected at most 0.9999"),
        ("epochs", 5, f"epochs is not a known key; known: {TOP}"),
        (
            "train.lr",
            5,
            "train.lr is not a known key; known: batch_size, class_weights, clip_norm, ",
        ),
    ],
)
def test_each_wrong_value_is_one_line(params, key, value, message):
    (line,) = errors(params(**{key: value}))
    assert line.startswith(f"params.yaml: {message}")


def test_misspelt_key_is_one_line(params):
    content = params("train.epochs", **{"train.epoch": 3})
    assert errors(content) == [
        "params.yaml: train.epoch is not a known key; did you mean 'epochs'?"
    ]


def test_every_error_is_listed(params):
    content = params("seed", "hardware.threads", model="..", folds=[0], **{"compare.confidence": 1})
    keys = {line.split()[1] for line in errors(content)}
    assert keys == {"model", "folds", "seed", "hardware.threads", "compare.confidence"}


@pytest.mark.parametrize("key", ["model", "seed", "train", "train.epochs", "prepare.limit"])
def test_no_key_has_a_default(params, key):
    assert errors(params(key)) == [f"params.yaml: {key} is missing; add it"]


near = st.sampled_from(MODELS).flatmap(
    lambda name: st.builds("{}{}{}".format, st.text(max_size=2), st.just(name), st.text(max_size=2))
)


@given(st.text() | near)
@example("torchvision_classifier")
@example("__init__")
def test_no_text_passes_for_a_model_unless_it_is_in_the_catalogue(params, name):
    content = params(model=name)
    if name in MODELS and name != "resnet18_transfer":
        assert check_params(content, range(3), "params.yaml").model == name
    else:
        assert len(errors(content)) == 1


@pytest.mark.parametrize("name", MODELS)
def test_every_name_in_the_catalogue_is_a_slug(params, name):
    if name != "resnet18_transfer":  # it needs weights
        assert name in check_params(params(model=name), range(3), "params.yaml").models


@given(st.lists(st.integers(-1, 6), max_size=6))
def test_folds_count_up_from_0(params, folds):
    content = params(folds=folds)
    if len(folds) >= 2 and folds == list(range(len(folds))):
        assert check_params(content, range(3), "params.yaml").folds == folds
    else:
        assert len(errors(content)) == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=5,
)
TOPS = TOP.split(", ")
INNER = ["prepare.image_size", "train.epochs", "build.architectures", "augment.flip"]


@given(st.sampled_from([*TOPS, *INNER]), values)
def test_any_wrong_value_is_explained_at_its_key(params, key, value):
    try:
        check_params(params(**{key: value}), range(3), "params.yaml")
    except InputError as error:
        for line in str(error).split("\n"):
            assert line.startswith(f"params.yaml: {key.split('.')[0]}")
            assert line.isprintable()


def test_a_layer_that_would_thaw_after_the_last_epoch_is_named(params):
    thaw = [{"at_epoch": epoch, "layers": "0"} for epoch in (3, 4)]
    section = {"weights": "w.pt", "weights_sha256": "0" * 64, "thaw": thaw}
    content = params(**{"build.architectures": {"lenet5": section}})
    assert errors(content) == [
        "params.yaml: build.architectures.lenet5.thaw[1].at_epoch is 4; "
        "expected at most 3, which is train.epochs: later, that layer would never train"
    ]
    content = params(**{"build.architectures": {"lenet5": section | {"thaw": thaw[:1]}}})
    assert check_params(content, range(3), "params.yaml")


def test_names_that_the_section_build_defines_are_known(params):
    defined = {
        "mine": {"file": "nets/mine.py:Mine"},
        "small": {"base": "resnet18", "stem": "small"},
    }
    content = params(model="mine", **{"build.architectures": defined})
    assert check_params(content, range(3), "params.yaml").models[-1] == "mine"
    content["candidates"][0] = "smal"
    assert errors(content) == [
        "params.yaml: candidates[0] is 'smal'; expected the name of an architecture; "
        "did you mean 'small'?"
    ]


def test_of_many_errors_the_first_are_listed(params):
    unknown = [f"key{index}" for index in range(3000)]
    lines = errors(params(**dict.fromkeys(unknown, 1), **{"train.epochs": 0}))
    keys = [line.split()[1] for line in lines]
    assert keys == ["train.epochs", *unknown[: MAX_LINES - 1]]


def test_long_key_is_shortened(params):
    (line,) = errors(params(**{"x" * 10_000: 1}))
    assert line.startswith(f"params.yaml: '{'x' * 56}... is not a known key")


@pytest.mark.parametrize("pattern", ["(a{4294967296})", "(" * 90 + ")" * 90, "a" * 201, "(a", "a"])
def test_pattern_that_cannot_be_used_is_one_line(params, pattern):
    (line,) = errors(params(**{"prepare.groups": pattern, "prepare.dataset": "folder"}))
    assert line.startswith("params.yaml: prepare.groups is ")
