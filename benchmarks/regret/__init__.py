"""What it costs to choose after few epochs: on public learning curves, and on a grid of our own."""
