import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot
from torchvision.transforms import v2

from foldwise.data.mixing import draw_mix, mix_batch, soft_labels
from foldwise.files.params import AugmentSection

OFF = {"shift": 0, "flip": 0.0, "rotation": 0.0, "erase": 0.0, "brightness": 0.0, "contrast": 0.0}
SIDES = (12, 10)
MIXUP, CUTMIX = ({part: 0.7} for part in ("mixup", "cutmix"))


def recipe(**parts):
    return AugmentSection(**OFF | parts)


def mixes(parts, n=400):
    return [draw_mix(recipe(**parts), SIDES, 0, (0, 0, 1, batch)) for batch in range(n)]


def test_mixing_is_that_of_torchvision():
    images, labels = torch.rand(6, 3, *SIDES), torch.arange(6) % 3
    for parts, transform in ((MIXUP, v2.MixUp(num_classes=3)), (CUTMIX, v2.CutMix(num_classes=3))):
        mix = draw_mix(recipe(**parts), SIDES, 0, (0, 1, 2, 3))
        params = {"labels": labels, "batch_size": 6, "lam": mix.share, "lam_adjusted": mix.share}
        if mix.box is not None:
            rows, columns = mix.box
            params["box"] = (columns.start, rows.start, columns.stop, rows.stop)
        batch = images, one_hot(labels, 3).float()
        mixed, shares = mix_batch(batch, recipe(**parts), 0, (0, 1, 2, 3))
        torch.testing.assert_close(mixed, transform.transform(images, params))
        torch.testing.assert_close(shares, transform.transform(labels, params))
        assert not torch.equal(mixed, images)


def test_the_share_of_a_cut_image_is_its_area():
    for mix in mixes(CUTMIX):
        is_own = np.ones(SIDES)
        is_own[mix.box] = 0
        assert mix.share == pytest.approx(is_own.mean())


def test_shares_follow_a_beta_distribution():
    shares = np.array([mix.share for mix in mixes(MIXUP, 2000)])
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(1 / 4 / (2 * 0.7 + 1), rel=0.1)


def test_with_both_each_takes_half_of_the_batches_and_every_batch_draws_anew():
    drawn = mixes(MIXUP | CUTMIX)
    assert sum(mix.box is None for mix in drawn) == pytest.approx(200, abs=40)
    assert len({mix.share for mix in drawn if mix.box is None}) > 150
    assert drawn == mixes(MIXUP | CUTMIX)


def test_off_returns_the_batch_itself():
    batch = torch.rand(2, 3, *SIDES), torch.arange(2)
    assert mix_batch(batch, recipe(), 0, (0, 0, 1, 0)) is batch


def test_smoothing_is_that_of_torch_and_composes_with_weights():
    logits, labels, weights = torch.randn(5, 4), torch.arange(5) % 4, torch.rand(5)
    single = cross_entropy(logits, labels, reduction="none", label_smoothing=0.2)
    smooth = soft_labels(labels, 4, 0.2, None)
    torch.testing.assert_close(cross_entropy(logits, smooth), single.mean())
    weighted = soft_labels(labels, 4, 0.2, weights)
    torch.testing.assert_close(cross_entropy(logits, weighted), (weights * single).mean())
