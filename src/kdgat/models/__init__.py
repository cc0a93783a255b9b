"""The networks: plain torch modules whose constructors take numbers."""
