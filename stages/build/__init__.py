"""Does this architecture fit the data, and what does it weigh? Resolved, proven, summarised."""
