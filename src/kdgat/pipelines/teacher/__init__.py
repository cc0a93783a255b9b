"""The teacher GAT learns known attacks."""

from kdgat.pipelines.teacher.pipeline import create_pipeline

__all__ = ["create_pipeline"]
