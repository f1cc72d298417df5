"""Which images does the chosen architecture take for something else? A strip of them a pair."""
