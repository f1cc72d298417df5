"""From the verdict to a model in use: refit, calibration, test, export, prediction."""
