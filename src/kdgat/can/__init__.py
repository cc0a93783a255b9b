"""From log file to graph: captures, frames, windows, graphs and their packed store."""
