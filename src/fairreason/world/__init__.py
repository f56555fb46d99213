"""The lab's small closed world: invented groups, stories, charts and pictures, made by code from fixed seeds."""
