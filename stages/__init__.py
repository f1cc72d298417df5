"""Foldwise's pipeline: a package for each stage of dvc.yaml, and the formats between them."""

import gc
import os

# Threads of OpenMP that wait for another spin, by default so long that programs side by side stop
# one another: slim_vgg fell from 6,500 images/s to 90 beside a test suite, and to 2,200 with short
# spins. These cost it 2 to 5 % alone. OpenMP reads this as torch is loaded, so it stands here,
# which Python runs before any stage.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")

# Python would look for garbage 60 times while torch is imported: .15 of 2.2 seconds of a fold.
gc.set_threshold(100_000)
