"""Which images? Read, decoded, resized once, checked for duplicates, test set held out."""
