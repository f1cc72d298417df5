import re
import sys
from collections import namedtuple
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from sourcing import rejection
from torch import nn

from foldwise.core.errors import InputError
from foldwise.files.architecture import BuildSection
from foldwise.nets import proof
from foldwise.nets.proof import prove_trainable, require_fit
from foldwise.nets.resolve import resolve


@pytest.fixture
def made_up(network_of, monkeypatch):
    """Resolve an architecture that a test makes up."""

    def made_up(make, *shape):
        module = SimpleNamespace(build=lambda c, h, w, n: make(c, h, w, n))
        monkeypatch.setitem(sys.modules, "foldwise.nets.zoo.made_up", module)
        update = {"name": "made_up", "builder": "zoo.made_up"}
        return network_of("lenet5", *(shape or (1, 8))).model_copy(update=update)

    return made_up


class Idle(nn.Module):
    def __init__(self, c, h, w, n):
        super().__init__()
        self.used, self.spare = nn.Linear(c * h * w, n), nn.Linear(2, 2)

    def forward(self, images):
        return self.used(images.flatten(1))


class Picky(nn.Module):
    """Takes the sizes given, and no other."""

    def __init__(self, n, sizes):
        super().__init__()
        self.head, self.sizes = nn.Linear(1, n), sizes

    def forward(self, images):
        if images.shape[2] != images.shape[3] or images.shape[2] not in self.sizes:
            raise RuntimeError("size\nmismatch")
        return self.head(images.mean((1, 2, 3)).unsqueeze(1))


refusal = partial(rejection, require_fit, error=InputError)


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (
            "alexnet",
            (1, 28),
            "alexnet needs at least 63×63 px; the images are 28×28: "
            "set prepare.image_size to 64, or choose slim_vgg",
        ),
        (
            "vit_b_16",
            (3, 250),
            "vit_b_16 takes certain sizes only, such as 256×256 px; the images are 250×250: "
            "set prepare.image_size to 256, or choose slim_vgg",
        ),
        (
            "slim_vgg",
            (1, 3, 9),
            "slim_vgg needs at least 4×4 px; the images are 3×9: "
            "set prepare.image_size to 32, or choose lenet5",
        ),
        (
            "vgg11_bn",
            (3, 2),
            "vgg11_bn needs at least 32×32 px; the images are 2×2: "
            "set prepare.image_size to 32, or choose lenet5",
        ),
        pytest.param(
            "inception_v3",
            (3, 64),
            "inception_v3 needs at least 75×75 px; the images are 64×64: "
            "set prepare.image_size to 96, or choose slim_vgg",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_refusal_says_what_fits_and_what_to_do(network_of, model, shape, message):
    assert refusal(network_of(model, *shape)) == message


def test_refusal_without_a_size_that_helps(made_up):
    assert refusal(made_up(lambda c, h, w, n: Picky(n, ()))) == (
        "made_up takes no images of this size; the images are 8×8, and squares of up to 512 px "
        "do not help (size mismatch); choose slim_vgg"
    )


def test_refusal_of_a_size_above_one_that_fits_names_no_wrong_remedy(made_up):
    message = refusal(made_up(lambda c, h, w, n: Picky(n, (4, *range(9, 513)))))
    assert message.startswith("made_up needs at least 9×9 px; the images are 8×8: ")
    message = refusal(made_up(lambda c, h, w, n: Picky(n, (*range(1, 8), *range(30, 513)))))
    assert "needs at least 8" not in message


@pytest.mark.parametrize(
    ("sizes", "size", "message"),
    [
        (range(16, 513, 16), (28, 28), "takes certain sizes only, such as 32×32 px"),
        (range(16, 513, 16), (100, 100), "takes certain sizes only, such as 128×128 px"),
        (range(14, 513, 14), (28, 30), "takes certain sizes only, such as 224×224 px"),
        ((28, 96), (30, 30), "takes certain sizes only, such as 96×96 px"),
        ((28, 96), (300, 300), "takes certain sizes only, such as 96×96 px"),
        (range(9, 513), (28, 60), "takes certain sizes only, such as 64×64 px"),
    ],
)
def test_refusal_where_larger_is_not_enough(made_up, sizes, size, message):
    given = refusal(made_up(lambda c, h, w, n: Picky(n, sizes), 1, *size))
    side = message.removesuffix(" px").rpartition("×")[2]
    assert given == (
        f"made_up {message}; the images are {size[0]}×{size[1]}: "
        f"set prepare.image_size to {side}, or choose slim_vgg"
    )


@pytest.mark.parametrize(
    ("name", "side"),
    [
        *(("alexnet", 12), ("squeezenet1_0", 3), ("vgg11", 20)),
        pytest.param("vit_b_32", 40, marks=pytest.mark.slow),
    ],
)
def test_remedy_of_a_refusal_works(network_of, name, side):
    set_to = re.search(r"set prepare.image_size to (\d+)", refusal(network_of(name, 3, side)))[1]
    require_fit(network_of(name, 3, int(set_to)))


def test_refusal_names_a_variant_as_the_user_does(info_of):
    build = BuildSection(architectures={"mine": {"base": "alexnet", "learning_rate": 0.1}})
    message = refusal(resolve("mine", build, info_of(1, 28)))
    assert message.startswith("mine needs at least 63×63 px")


class Backwards(torch.autograd.Function):
    """Computes, and has no gradient."""

    @staticmethod
    def forward(context, images):
        return images.flatten(1)

    @staticmethod
    def backward(context, gradient):
        raise RuntimeError("no gradient")


class OneWay(nn.Module):
    def __init__(self, c, h, w, n):
        super().__init__()
        self.first, self.head = nn.Conv2d(c, c, 1), nn.Linear(c * h * w, n)

    def forward(self, images):
        return self.head(Backwards.apply(self.first(images)))


def test_network_that_fails_in_the_backward_pass_is_refused(made_up):
    assert "(no gradient); choose slim_vgg" in refusal(made_up(OneWay))


def test_huge_network_is_refused_before_it_takes_memory(network_of):
    assert refusal(network_of("slim_vgg", 1, 2048)) == (
        "slim_vgg has 4,295,089,962 parameters for images of 2048×2048 px, over 1,073,741,824; "
        "set prepare.image_size to less, or choose resnet18"
    )


def test_bug_in_a_network_is_not_called_a_misfit(made_up):
    def broken(c, h, w, n):
        raise AttributeError("typo")

    with pytest.raises(AttributeError, match="typo"):
        require_fit(made_up(broken))


def test_parameter_that_never_trains_is_named(made_up):
    with pytest.raises(InputError, match=r"made_up: spare.weight, spare.bias get no gradient"):
        prove_trainable(made_up(Idle), {}, seed=0)


def test_wrong_number_of_logits_is_named(made_up):
    network = made_up(lambda c, h, w, n: nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, n + 1)))
    assert refusal(network) == (
        "made_up returns a tensor of shape (2, 11) in train mode; expected logits of shape "
        "(2, 10), in train mode also a tuple of them; mend foldwise/nets/zoo/made_up.py"
    )


class Several(nn.Module):
    """Returns what a function makes of logits, in train mode or in both."""

    def __init__(self, n, make, always=False):
        super().__init__()
        self.head, self.make, self.always = nn.Linear(1, n), make, always

    def forward(self, images):
        logits = self.head(images.mean((1, 2, 3)).unsqueeze(1))
        return self.make(logits) if self.training or self.always else logits


@pytest.mark.parametrize(
    "make",
    [
        lambda logits: (logits, logits * 2),
        lambda logits: [logits, None, logits * 2],
        lambda logits: namedtuple("Heads", "logits near far")(logits, None, logits * 2),
    ],
)
def test_auxiliary_heads_in_a_tuple_are_taken(made_up, make):
    network = made_up(lambda c, h, w, n: Several(n, make))
    require_fit(network)
    assert prove_trainable(network, {}, seed=0) == (network, [])


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda logits: {"logits": logits}, "a dict"),
        (lambda logits: (None, logits), "a NoneType"),
        (lambda logits: (), "a tuple"),
        (lambda logits: (logits, "far"), "a str"),
        (lambda logits: (logits, logits[:, :1]), "a tensor of shape (2, 1)"),
        (lambda logits: logits[:, :, None], "a tensor of shape (2, 10, 1)"),
        (lambda logits: logits.sum(), "a tensor of shape ()"),
    ],
)
def test_what_is_no_logits_is_named(made_up, make, what):
    message = refusal(made_up(lambda c, h, w, n: Several(n, make)))
    assert message.startswith(f"made_up returns {what} in train mode; expected ")


def test_tuple_in_eval_mode_is_refused(made_up):
    network = made_up(lambda c, h, w, n: Several(n, lambda logits: (logits, logits), always=True))
    assert "made_up returns a tuple in eval mode" in refusal(network)


def test_logits_that_are_not_finite_are_refused(network_of, trained_state):
    network = network_of("resnet18_transfer", 3, 32)
    weights = {"bn1.running_var": -torch.ones_like(trained_state["bn1.running_var"])}
    with pytest.raises(InputError, match="gives 0 finite logits of 20 in train mode"):
        prove_trainable(network, weights, seed=0)


def test_proof_trains_on_two_images_and_evaluates(made_up):
    seen = []

    class Watched(nn.Sequential):
        def forward(self, images):
            seen.append((tuple(images.shape), self.training))
            return super().forward(images)

    prove_trainable(
        made_up(lambda c, h, w, n: Watched(nn.Flatten(), nn.Linear(c * h * w, n))), {}, seed=0
    )
    assert seen == [((2, 1, 8, 8), True), ((2, 1, 8, 8), False), ((1, 1, 8, 8), False)]


def test_same_seed_same_proof(made_up):
    seen = []

    class Watched(nn.Linear):
        def forward(self, images):
            seen.append(images)
            return super().forward(images)

    network = made_up(lambda c, h, w, n: nn.Sequential(nn.Flatten(), Watched(c * h * w, n)))
    for seed in (0, 0, 1):
        prove_trainable(network, {}, seed=seed)
    assert torch.equal(seen[0], seen[3])
    assert not torch.equal(seen[0], seen[6])


def test_real_pass_comes_after_the_shapes(network_of, monkeypatch):
    monkeypatch.setattr(proof, "construct", lambda *given: pytest.fail("took memory"))
    refusal(network_of("alexnet", 1, 28))
