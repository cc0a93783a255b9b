"""Many seeds, one answer: a report on a set of runs."""

from kdgat.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
