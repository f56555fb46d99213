"""The three strategies as thin subclasses of TRL's trainers, and what they share."""
