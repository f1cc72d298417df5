"""The contestants of a race: each module has one function that trains the folds of a case."""
