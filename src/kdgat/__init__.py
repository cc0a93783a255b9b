"""Intrusion detection on the CAN bus with graph networks."""

__version__ = "0.1.0"
