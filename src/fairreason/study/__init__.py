"""A grid of runs, each in its own process and folder; what they come to together; the report."""
