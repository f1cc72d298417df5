"""The formats between the stages, and the schema of params.yaml; never imports torch."""
