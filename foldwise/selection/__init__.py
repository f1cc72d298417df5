"""Which architecture to take: metrics, statistics, decision, diagnosis and advice; no torch."""
