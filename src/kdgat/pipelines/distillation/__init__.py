"""Two students learn from the two teachers."""

from kdgat.pipelines.distillation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
