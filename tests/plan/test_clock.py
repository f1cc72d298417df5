import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from foldwise.plan import measure
from foldwise.plan.measure import (
    FIRST_BATCH,
    MAX_BATCH_SHARE,
    MAX_BATCHES,
    MIN_BATCHES,
    images_per_second,
)


class Machine:
    """Takes a time of its own for each batch, and a clock that shows it."""

    def __init__(self, seconds_of):
        self.now = 0.0
        self.sizes = []
        self._seconds_of = seconds_of

    def perf_counter(self):
        return self.now

    def run(self, n):
        self.sizes.append(n)
        self.now += self._seconds_of(n, len(self.sizes))


def speed(machine, largest, seconds):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "time", machine)
        return images_per_second(machine.run, largest, seconds)


@given(st.floats(0, 0.5), st.floats(1e-5, 10), st.integers(1, 512), st.floats(0.1, 10))
def test_batches_that_take_time_by_their_size_are_timed_right(fixed, each, largest, seconds):
    """Whether the whole batch was timed or, since it is slow, a part of it."""
    machine = Machine(lambda n, _: fixed + each * n)
    few = min(FIRST_BATCH, largest)
    affordable = few * MAX_BATCH_SHARE * seconds / (fixed + each * few)
    assume(largest == few or affordable >= few + 1 or fixed == 0)  # else one size is all there is
    expected = largest / (fixed + each * largest)
    assert speed(machine, largest, seconds) == pytest.approx(expected, rel=1e-6)


@given(st.floats(1e-5, 10), st.integers(1, 512), st.floats(0.1, 10))
def test_it_takes_a_few_times_the_seconds_asked_for(each, largest, seconds):
    machine = Machine(lambda n, _: each * n)
    speed(machine, largest, seconds)
    smallest = min(FIRST_BATCH, largest) * each
    assert machine.now <= 3 * smallest + (MAX_BATCH_SHARE + MIN_BATCHES + 1) * seconds
    assert len(machine.sizes) <= 3 + MAX_BATCHES


def test_what_interrupts_some_batches_changes_nothing():
    machine = Machine(lambda n, number: n * (5.0 if number % 4 == 0 else 0.001))
    assert speed(machine, 64, 1.0) == pytest.approx(1000)


def test_the_first_batch_of_a_size_does_not_count():
    seen = set()

    def seconds_of(n, _):
        first = n not in seen
        seen.add(n)
        return 0.5 if first else 0.001 * n

    assert speed(Machine(seconds_of), 64, 1.0) == pytest.approx(1000)


@given(st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_a_clock_that_errs_never_gives_a_speed_that_is_none(small, large):
    machine = Machine(lambda n, _: small if n == FIRST_BATCH else large)
    assert speed(machine, 64, 0.01) > 0
