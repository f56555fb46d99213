"""The lab: a small closed world with its own tiny model, so that everything runs offline on a laptop."""
