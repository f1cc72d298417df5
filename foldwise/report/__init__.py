"""Figures and pages of a comparison; no torch."""
