"""Pictures of what the detectors do on test."""

from kdgat.pipelines.pictures.pipeline import create_pipeline

__all__ = ["create_pipeline"]
