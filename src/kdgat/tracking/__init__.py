"""Runs on record: a journal on this disk first, the MLflow store as soon as it answers."""
