"""One stage in one process, or in several on one machine that train together."""

import copy
import logging
import multiprocessing
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.fabric.strategies import DDPStrategy

from kdgat.can.graph_store import GraphStore
from kdgat.errors import ParameterError
from kdgat.parameters import Compute
from kdgat.training.batch_size import GraphSizes, Sizer
from kdgat.training.checkpoints import Checkpoint
from kdgat.training.curriculum import EpochSampler
from kdgat.training.loop import Best, Loop
from kdgat.training.memory import memory_of
from kdgat.training.report import StageReport
from kdgat.training.task import GraphTask

SECONDS_TO_END = 30.0


@dataclass(frozen=True)
class Training:
    """All that a process needs to take part in a stage.

    Attributes:
        task: model and losses.
        train: training windows.
        validation: windows whose loss chooses the best epoch.
        sampler: which training windows each epoch sees.
        compute: device, processes, precision.
        stage: its name.
        start: budget to begin with, nodes; None where nothing is known.
        checkpoint: of the stage.
    """

    task: GraphTask
    train: GraphStore
    validation: GraphStore
    sampler: EpochSampler
    compute: Compute
    stage: str
    start: int | None
    checkpoint: Checkpoint

    def run(self, report: StageReport) -> tuple[Best, int]:
        """Train, and give the best epoch and the last budget, nodes (0: none)."""
        fabric = _fabric(self.compute)
        fabric.launch()
        task = fabric.to_device(self.task)
        settings = task.fit.batch_size
        sizes = GraphSizes.of(self.train)
        loop = Loop(
            task,
            fabric=fabric,
            train=self.train,
            validation=self.validation,
            sampler=self.sampler,
            sizer=Sizer(settings, sizes, stage=self.stage, start=self.start),
            memory=memory_of(
                fabric.device, task, mode=settings.mode, cpu_memory=settings.cpu_memory
            ),
        )
        loop.run(report, self.checkpoint)
        return loop.best, loop.sizer.nodes


def device_name(compute: Compute) -> str:
    """Name the device that trains, as budgets are remembered for it."""
    is_cuda = compute.accelerator != "cpu" and torch.cuda.is_available()
    return torch.cuda.get_device_name() if is_cuda else "cpu"


@contextmanager
def together(training: Training, compute: Compute) -> Iterator[None]:
    """Let `compute.devices - 1` more processes take part in what this one runs.

    This process is the first of them: it alone reports, and keeps checkpoints.

    Args:
        training: the stage.
        compute: how many.

    Raises:
        ParameterError: more than one machine is asked for.
    """
    if compute.num_nodes > 1:
        raise ParameterError(
            f"compute.num_nodes is {compute.num_nodes}: processes of one machine can train "
            "together (compute.devices), several machines cannot yet"
        )
    if compute.devices == 1:
        yield
        return
    variables = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "NODE_RANK": "0"}
    before = dict(os.environ)
    os.environ.update(variables, LOCAL_RANK="0")
    spawn = multiprocessing.get_context("spawn")  # never fork once CUDA is in use
    others = [
        spawn.Process(target=_take_part, args=(training, variables, rank), daemon=True)
        for rank in range(1, compute.devices)
    ]
    try:
        for process in others:
            process.start()
        yield
        for process in others:
            process.join(SECONDS_TO_END)
    finally:
        for process in others:
            process.kill()
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        os.environ.clear()
        os.environ.update(before)


def _take_part(training: Training, variables: dict[str, str], rank: int) -> None:
    """Be one of the other processes: the same epochs, without a word."""
    os.environ.update(variables, LOCAL_RANK=str(rank))
    torch.set_num_threads(training.compute.threads)
    torch.manual_seed(training.sampler.seed + rank)
    # Its weights came in shared memory; the first process waits for this one before it trains.
    own = copy.deepcopy(training.task)
    quiet = replace(training, task=own, checkpoint=training.checkpoint.read_only())
    quiet.run(StageReport(training.stage, training.task.fit.epochs))


def _fabric(compute: Compute) -> Fabric:
    for name in ("lightning.fabric", "lightning.pytorch"):  # they announce every process group
        logging.getLogger(name).setLevel(logging.WARNING)
    options: dict[str, Any] = {"devices": compute.devices, "precision": compute.precision}
    accelerator = {"gpu": "cuda"}.get(compute.accelerator, compute.accelerator)
    environment = LightningEnvironment()  # not SLURM's: a job is one task, and starts the others
    if compute.devices == 1:
        return Fabric(accelerator=accelerator, plugins=[environment], **options)
    strategy = DDPStrategy(cluster_environment=environment)
    return Fabric(accelerator=accelerator, strategy=strategy, **options)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
