"""The teacher VGAE learns normal traffic."""

from kdgat.pipelines.autoencoder.pipeline import create_pipeline

__all__ = ["create_pipeline"]
