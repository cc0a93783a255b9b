"""Kedro's settings."""

import io
import os
from contextlib import redirect_stderr

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
# A server that is away is tried again by the courier; MLflow itself would go on for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
# Importing kedro-mlflow prints MLflow's advice to its author, past every warning filter.
with redirect_stderr(io.StringIO()):
    import kedro_mlflow.framework.hooks  # noqa: F401

from kdgat import locations
from kdgat.hooks import KdgatHooks
from kdgat.session import KdgatSession

HOOKS = (KdgatHooks(),)
# KdgatHooks stand in for kedro-mlflow's hooks; kedro-viz's write shared files on every run.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow", "kedro-viz", "kedro-telemetry")
SESSION_CLASS = KdgatSession
CONF_SOURCE = str(locations.CONF)
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft", "mlflow": "soft", "globals": "soft"},
    "config_patterns": {"mlflow": ["mlflow*"]},
    "custom_resolvers": {
        "data_root": locations.data_root,
        "raw_folder": locations.raw_folder,
        "tracking_uri": locations.tracking_uri,
        "artifact_location": locations.artifact_location,
    },
}
