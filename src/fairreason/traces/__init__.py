"""Reasoning traces of teachers: asked for, kept when they are right, fair and new, written in the field's form."""
