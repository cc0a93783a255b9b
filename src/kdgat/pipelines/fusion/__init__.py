"""An agent learns how much to trust each detector."""

from kdgat.pipelines.fusion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
