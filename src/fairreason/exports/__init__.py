"""Files that others' tools open: tasks for lm-evaluation-harness, logs for Inspect."""
