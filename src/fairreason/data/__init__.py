"""What is trained on: pools of whole bundles, the sampler that mixes them, who sets the share, the trained texts."""
