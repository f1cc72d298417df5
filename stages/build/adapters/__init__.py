"""Networks that others define, made for the data at hand; each module has a build()."""
