"""One run of a plan, and the command line that starts it."""

from dataclasses import dataclass

WHOLE_CHAIN = "chain"  # in place of a pipeline's name: `kedro run`, everything in one process
Value = bool | int | float | str


@dataclass(frozen=True)
class Cell:
    """One run of a plan.

    Args:
        pipeline: a pipeline's name, or WHOLE_CHAIN.
        dataset: folder below the raw root.
        seed: of every model.
        variant: name of the overrides.
        overrides: dotted parameter -> value.
        environment: Kedro's `--env`; None for the default.
        run_seed: the seed it runs with, where one run serves all seeds; None for its own.
    """

    pipeline: str
    dataset: str
    seed: int
    variant: str
    overrides: tuple[tuple[str, Value], ...] = ()
    environment: str | None = None
    run_seed: int | None = None

    @property
    def trained_with(self) -> int:
        """The seed that the run is given."""
        return self.seed if self.run_seed is None else self.run_seed

    @property
    def name(self) -> str:
        """Name the cell within its plan: `fusion/synthetic/seed_1/undistilled`."""
        return f"{self.pipeline}/{self.dataset}/seed_{self.seed}/{self.variant}"

    @property
    def params(self) -> str:
        """Write dataset, seed and overrides as `kedro run --params` takes them."""
        values = {"dataset": self.dataset, "seed": self.trained_with, **dict(self.overrides)}
        return ",".join(f"{key}={_as_text(value)}" for key, value in values.items())

    def arguments(self, load_versions: dict[str, str] | None = None) -> list[str]:
        """Give what follows `kedro` on the command line of this cell.

        Args:
            load_versions: input -> version, made by the cells before this one.

        Returns:
            `run --pipeline fusion --env smoke --params ... --load-versions ...`.
        """
        arguments = ["run"]
        if self.pipeline != WHOLE_CHAIN:
            arguments += ["--pipeline", self.pipeline]
        if self.environment:
            arguments += ["--env", self.environment]
        arguments += ["--params", self.params]
        if load_versions:
            pinned = ",".join(f"{name}:{version}" for name, version in load_versions.items())
            arguments += ["--load-versions", pinned]
        return arguments


def _as_text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
