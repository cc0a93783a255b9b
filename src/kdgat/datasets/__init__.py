"""Kedro datasets of kdgat's own things: atomic, versioned where they are results, no pickle."""
