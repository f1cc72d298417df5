import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foldwise.engine.optimiser import END, START, one_cycle


@pytest.mark.parametrize(("n_steps", "warmup"), [(100, 0.25), (37, 0.3), (1000, 0.1)])
def test_equals_torch_one_cycle(n_steps, warmup):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 0.1, total_steps=n_steps, pct_start=warmup, cycle_momentum=False
    )
    rates = []
    for _ in range(n_steps):
        rates.append(reference.get_last_lr()[0])
        optimiser.step()
        if len(rates) < n_steps:
            reference.step()
    ours = [0.1 * one_cycle(step, n_steps, warmup) for step in range(n_steps)]
    assert ours == pytest.approx(rates, rel=1e-9)


@given(st.integers(1, 500), st.floats(0, 0.99))
def test_the_rate_rises_to_the_peak_and_falls_for_any_length(n_steps, warmup):
    rates = [one_cycle(step, n_steps, warmup) for step in range(n_steps)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert min(rates) >= END * 0.999
    assert max(rates) <= 1
    assert rates[0] in (pytest.approx(START), 1.0)
