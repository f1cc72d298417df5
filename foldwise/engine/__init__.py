"""Training: batches on the device, the trainer, scores and features of frozen layers."""
