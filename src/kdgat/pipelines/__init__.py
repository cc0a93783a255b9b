"""The five pipelines of the chain, and its evaluation."""
