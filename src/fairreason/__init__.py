"""FairReason."""
