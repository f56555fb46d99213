"""The lab's two tiny models, taught in the lab's world, so that everything runs offline on a laptop."""
