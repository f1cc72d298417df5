"""Trainings side by side on this machine."""
