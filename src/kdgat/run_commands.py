"""`kedro run --from-run` and `kedro tracking`: repeat a run; bring in what waits."""

import os
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import click

from kdgat import locations
from kdgat.errors import ParameterError
from kdgat.tracking import records, view

FROM_RUN = click.Option(
    ["--from-run"],
    metavar="RUN",
    help="Repeat a run: its MLflow id, its version, or the end of it. Only --params may change "
    "something.",
)
FITS = {
    "autoencoder": ("autoencoder", "fit"),
    "teacher": ("teacher", "fit"),
    "student_autoencoder": ("distillation", "autoencoder_fit"),
    "student_classifier": ("distillation", "classifier_fit"),
}
"""Stage -> where its training stands among the parameters."""

FROZEN = (
    "pipeline",
    "pipelines",
    "tags",
    "node_names",
    "from_nodes",
    "to_nodes",
    "from_inputs",
    "to_outputs",
    "namespaces",
    "load_versions",
    "env",
    "only_missing_outputs",
)


def repeat(run: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Give the arguments of `kedro run` that repeat a run, and say what has changed since.

    Args:
        run: MLflow id, version, or end of a version.
        arguments: as typed; `params` are laid over those of the run.

    Raises:
        MissingInputError: there is no such run.
        ParameterError: an argument would change what is to be repeated.
    """
    typed = [name for name in FROZEN if arguments.get(name)]
    if typed:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in typed)
        raise ParameterError(f"--from-run repeats a run as it was: leave out {options}")
    record = records.find(run)
    click.echo(f"repeating {record['version']} ({record['experiment']})", err=True)
    for sentence in changes_since(record):
        click.echo(f"changed since: {sentence}", err=True)
    frozen = _laid_over(record["parameters"], _batch_sizes(record.get("used", {})))
    return arguments | {
        **record["selection"],
        "pipelines": record["pipelines"],
        "env": record["environment_name"],
        "load_versions": {name: origin["version"] for name, origin in record["inputs"].items()},
        "params": _laid_over(frozen, arguments["params"] or {}),
    }


def changes_since(record: dict[str, Any]) -> list[str]:
    """Say what would keep a repetition from agreeing to the bit, one sentence each.

    Args:
        record: of the run.
    """
    now = records.environment(locations.PROJECT)
    sentences = records.differences(record["environment"], now)
    dataset = record["dataset"]
    if not record["inputs"]:
        for was in (dataset, *dataset.get("further", [])):
            sentences += _changes_of_captures(was)
    return sentences


def _changes_of_captures(was: dict[str, Any]) -> list[str]:
    from kdgat.tracking.fingerprint import fingerprint

    name, sentences = was["name"], []
    if was["sha256"] is None:
        return []
    is_now = fingerprint(name)
    if is_now["sha256"] is None:
        sentences.append(f"the captures of {name} are gone from {locations.raw_folder(name)}")
    elif is_now["sha256"] != was["sha256"]:
        sentences.append(
            f"the captures of {name} were {was['files']} files of {was['bytes']:,} "
            f"bytes, are {is_now['files']} of {is_now['bytes']:,}, and differ in content"
        )
    # records that are older than declarations in them do not tell
    if was.get("declaration", is_now["declaration"]) != is_now["declaration"]:
        sentences.append(f"the declaration of {name} is another one")
    return sentences


def _batch_sizes(used: dict[str, dict[str, list]]) -> dict[str, Any]:
    """Give the parameters that make every batch as large as it was, where that was not fixed."""
    parameters: dict[str, Any] = {}
    for stage, (group, fit) in FITS.items():
        schedule = used.get(stage, {}).get(records.SCHEDULE, [])
        if any(nodes for epoch in schedule for _, nodes in epoch):
            replay = {fit: {"batch_size": {"replay": schedule}}}
            parameters = _laid_over(parameters, {group: replay})
    return parameters


def _laid_over(frozen: dict[str, Any], typed: dict[str, Any]) -> dict[str, Any]:
    merged = dict(frozen)
    for key, value in typed.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _laid_over(merged[key], value)
        else:
            merged[key] = value
    return merged


@click.group()
def tracking() -> None:
    """The tracking store, and what waits for it on this disk."""


@tracking.command()
@click.option(
    "--dead-host",
    "dead_hosts",
    multiple=True,
    help="A machine that is gone for good: its runs are marked KILLED. May be repeated.",
)
def deliver(dead_hosts: tuple[str, ...]) -> None:
    """Mark runs whose process is gone, and bring all that waits into the store."""
    import kdgat.settings  # noqa: F401 - MLflow's time limits
    from kdgat.tracking.courier import STORE_TROUBLE
    from kdgat.tracking.delivery import deliver_others

    try:
        brought = deliver_others(dead_hosts=dead_hosts)
    except STORE_TROUBLE as error:
        reason = " ".join(str(error).split())
        raise click.ClickException(
            f"{locations.tracking_uri()} does not answer ({reason}): everything still waits in "
            f"{locations.journals()}"
        ) from error
    for version in brought:
        click.echo(f"brought in {version}")
    waiting = list(Path(locations.journals()).glob("*.jsonl"))
    click.echo(f"{len(brought)} runs brought in; {len(waiting)} still at work, or elsewhere")


@tracking.command()
@click.option("--port", default=5000, show_default=True, help="Port on 127.0.0.1.")
def serve(port: int) -> None:
    """Serve the SQLite store, and MLflow's UI, on loopback."""
    from mlflow import MlflowClient  # seconds, which every command would wait

    uri = locations.tracking_uri()
    if not uri.startswith("sqlite:"):
        raise ParameterError(f"MLFLOW_TRACKING_URI is {uri}: that is where the UI is, too")
    click.echo(f"MLflow UI: http://127.0.0.1:{port}/#/experiments; runs with their key figures:")
    for experiment in MlflowClient(uri).search_experiments(order_by=["last_update_time DESC"]):
        place = f"experiments/{experiment.experiment_id}/runs?viewStateShareKey={view.VIEW}"
        if view.TAG in experiment.tags:
            click.echo(f"  {experiment.name:<16} http://127.0.0.1:{port}/#/{place}")
    options = {
        "--backend-store-uri": uri,
        "--artifacts-destination": str(locations.artifact_location()),
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
    }
    words = [sys.executable, "-m", "mlflow", "server", *chain.from_iterable(options.items())]
    os.execv(sys.executable, words)
