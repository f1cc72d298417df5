"""Which fold validates which image? And each fold's normalisation, from its training part."""
