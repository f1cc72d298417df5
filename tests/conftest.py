"""Hypothesis draws the same few examples for everyone; HYPOTHESIS_PROFILE=full draws new ones."""

import os

from hypothesis import settings

settings.register_profile("quick", derandomize=True, max_examples=25, deadline=None, database=None)
settings.register_profile("full", max_examples=200, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
