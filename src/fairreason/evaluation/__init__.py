"""Asks, grades, scores; estimates with clustered errors."""
