"""How numbers are written."""

NONE = "–"  # there is no such number


def short(count: float) -> str:
    """Return a large count in three digits or so, such as "188 k" or "2.33 M"."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if count >= 0.9995 * size:
            return f"{_three_digits(count / size)}{unit}"
    return _three_digits(count)


def size(n_bytes: float) -> str:
    """Return bytes in three digits, such as "584 MB" or "2.33 GB"."""
    return f"{short(n_bytes)}B"


def percent(share: float) -> str:
    """Return a share such as "5.2 %"."""
    return f"{100 * share:.1f} %"


def score(value: float | None) -> str:
    """Return a metric, or a difference of two, in four decimals."""
    return NONE if value is None else f"{value:.4f}"


def change(value: float | None) -> str:
    """Return a difference with its sign."""
    return NONE if value is None else f"{value:+.4f}"


def probability(value: float) -> str:
    """Return a probability; what is not quite 0 or 1 never looks as if it were."""
    if 0 < value < 0.001:
        return "< 0.001"
    return "> 0.999" if 0.999 < value < 1 else f"{value:.3f}"


def seconds(value: float) -> str:
    """Return seconds: decimals only where there are few."""
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def some(count: int, what: str) -> str:
    """Return a count of things, such as "1 image" or "12,000 images"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _three_digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"
