"""Train what is stale, several folds at a time."""
