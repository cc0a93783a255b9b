"""`kedro models`: list, show, diff, pin, unpin, prune, export."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from kdgat import lives, versions
from kdgat.errors import KdgatError

WHERE = (
    click.option("--dataset", help="Only of this dataset."),
    click.option("--seed", type=int, help="Only of this seed."),
)
SORTS = ("version", "size", "figure")


def of_dataset_and_seed(command: Callable) -> Callable:
    """Add the options that narrow the search."""
    for option in reversed(WHERE):
        command = option(command)
    return command


@click.group()
def models() -> None:
    """The stored models: find, explain, compare, pin and prune them."""


@models.command("list")
@of_dataset_and_seed
@click.option("--name", help="Only this model, such as student_agent.")
@click.option("--mode", help="Only models of this training mode.")
@click.option("--by", type=click.Choice(SORTS), default="version", help="What sorts the list.")
def list_models(
    dataset: str | None, seed: int | None, name: str | None, mode: str | None, by: str
) -> None:
    """List the stored models."""
    from kdgat import stored_models

    found = stored_models.find(name=name, dataset=dataset, seed=seed)
    good, broken = stored_models.readable(found)
    if mode is not None:
        good = [model for model in good if model.mode == mode]
    keys = {
        "version": lambda model: (model.version, model.name),
        "size": lambda model: model.bytes,
        "figure": lambda model: tuple(model.figures.values()) or (float("inf"),),
    }
    rows = [
        (
            model.name,
            model.dataset,
            str(model.seed),
            model.mode,
            f"{model.bytes / 1e3:,.0f} kB",
            _figures(model.figures),
            model.status + (", pinned" if model.is_pinned else ""),
            model.version,
        )
        for model in sorted(good, key=keys[by])
    ]
    _print_table(("model", "dataset", "seed", "mode", "size", "validation", "run", "version"), rows)
    for sentence in broken:
        click.echo(sentence, err=True)


@models.command()
@click.argument("reference")
@of_dataset_and_seed
def show(reference: str, dataset: str | None, seed: int | None) -> None:
    """Show a model and everything it was made from: REFERENCE is name, name@version or a path."""
    from kdgat import stored_models

    model = stored_models.resolve(reference, dataset=dataset, seed=seed)
    stored_models.require_stored(model)
    provenance = model.provenance
    made_of = provenance.get("dataset", {})
    lines = {
        "file": str(model.path),
        "size": f"{model.bytes / 1e3:,.0f} kB",
        "mode": model.mode,
        "validation": _figures(model.figures),
        "run": f"{provenance.get('pipeline')}, {model.status}",
        "mlflow": _link(model.run_id),
        "git commit": provenance.get("git_commit"),
        "captures": f"{made_of.get('name')}, sha256 {made_of.get('sha256')}",
    }
    click.echo(f"{model.name}@{model.version}" + (" (pinned)" if model.is_pinned else ""))
    for key, value in lines.items():
        click.echo(f"  {key:<11} {value}")
    click.echo("made from")
    _print_tree(model, "  ", set())


def _print_tree(model, indent: str, seen: set) -> None:
    from kdgat import stored_models
    from kdgat.tracking import records

    for name, version in model.parents.items():
        parent = stored_models.parent_model(name, version)
        run_id = records.read(version).get("run_id") if records.exists(version) else None
        repeated = " (above)" if parent and (name, version) in seen else ""
        click.echo(f"{indent}{name}@{version}  {_link(run_id)}{repeated}")
        if parent and not repeated:
            seen.add((name, version))
            _print_tree(parent, indent + "  ", seen)


@models.command()
@click.argument("before")
@click.argument("after")
@of_dataset_and_seed
def diff(before: str, after: str, dataset: str | None, seed: int | None) -> None:
    """Compare two models in parameters, figures and parents."""
    from kdgat import stored_models

    first, second = (
        stored_models.resolve(reference, dataset=dataset, seed=seed)
        for reference in (before, after)
    )
    for model in (first, second):
        stored_models.require_stored(model)
    sides = [
        {
            "parameters": model.provenance.get("parameters", {}),
            "validation": model.figures,
            "parents": model.parents,
            "captures": model.provenance.get("dataset", {}).get("sha256"),
            "git_commit": model.provenance.get("git_commit"),
            "bytes": model.bytes,
        }
        for model in (first, second)
    ]
    rows = [
        (name, _value(old), _value(new)) for name, old, new in stored_models.differences(*sides)
    ]
    if not rows:
        click.echo("no difference in parameters, figures, parents, captures or code")
        return
    _print_table(("", f"{first.name}@{first.version}", f"{second.name}@{second.version}"), rows)


@models.command()
@click.argument("reference")
@of_dataset_and_seed
def pin(reference: str, dataset: str | None, seed: int | None) -> None:
    """Let later pipelines take this version instead of the newest."""
    from kdgat import stored_models

    model = stored_models.resolve(reference, dataset=dataset, seed=seed)
    stored_models.require_stored(model)
    versions.pin(model.folder, model.version)
    click.echo(f"pinned {model.name}@{model.version} for {model.dataset}, seed {model.seed}")


@models.command()
@click.argument("reference")
@of_dataset_and_seed
def unpin(reference: str, dataset: str | None, seed: int | None) -> None:
    """Let later pipelines take the newest version again."""
    from kdgat import stored_models

    model = stored_models.resolve(reference, dataset=dataset, seed=seed)
    stored_models.require_stored(model)
    pinned = versions.pinned(model.folder)
    versions.unpin(model.folder)
    done = f"unpinned {pinned}" if pinned else "nothing was pinned"
    click.echo(f"{done}: {model.name} for {model.dataset}, seed {model.seed}")


@models.command()
@of_dataset_and_seed
@click.option("--name", help="Only this model, such as student_agent.")
@click.option("--older-than", help="Only models made longer ago, such as 30d, 12h or 2w.")
@click.option(
    "--keep", type=click.IntRange(min=0), help="Spare the newest N of each name and seed."
)
@click.option("--failed", is_flag=True, help="Only models of runs that FAILED or were KILLED.")
@click.option("--yes", is_flag=True, help="Remove them; without it nothing is removed.")
def prune(
    dataset: str | None,
    seed: int | None,
    name: str | None,
    older_than: str | None,
    keep: int | None,
    failed: bool,
    yes: bool,
) -> None:
    """Remove models that fit all the criteria given; dry without --yes.

    What is pinned, what a run reads and what a living model descends from always stays. An
    interrupted run that has lost a model goes on no more: the same command begins anew.
    """
    from kdgat import pruning, stored_models

    with versions.lock():
        going, staying = pruning.to_prune(
            stored_models.find(name=name, dataset=dataset, seed=seed),
            older_than=pruning.parse_age(older_than) if older_than else None,
            keep=keep,
            failed=failed,
            now=datetime.now(UTC),
        )
        freed = sum(model.bytes for model in going)
        for model in going:
            click.echo(f"{'removed' if yes else 'would remove'} {model.name}@{model.version}")
            if yes:
                versions.prune(model.folder, model.version)
        if yes:
            lives.forget(model.version for model in going)
    for model, reason in staying:
        click.echo(f"kept {model.name}@{model.version}: {reason}")
    click.echo(
        f"{len(going)} models, {freed / 1e6:.1f} MB"
        + ("" if yes else ": nothing is removed without --yes")
    )


@models.command()
@click.argument("reference")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@of_dataset_and_seed
def export(reference: str, file: Path, dataset: str | None, seed: int | None) -> None:
    """Write a detector to one FILE of its own, for `kdgat.load_detector`."""
    from kdgat import stored_models
    from kdgat.detector_files import export_detector

    if file.exists():
        raise KdgatError(f"{file} is there already: nothing is overwritten")
    model = stored_models.resolve(reference, dataset=dataset, seed=seed)
    export_detector(model.path, file)
    click.echo(f"wrote {file}, {file.stat().st_size / 1e3:,.0f} kB")


def _figures(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items()) or "-"


def _value(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _link(run_id: str | None) -> str:
    return f"http://127.0.0.1:5000/#/runs/{run_id}" if run_id else "no MLflow run yet"


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
