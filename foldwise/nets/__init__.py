"""Networks: architectures, adapting, composing, weights and freezing."""
