"""The scorecard: thresholds from validation, figures from test."""

from kdgat.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
