"""Trainings on the workers of a Ray cluster."""
