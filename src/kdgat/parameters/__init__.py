"""Every parameter of kdgat: name, type, range and meaning. YAML in `conf/` holds the values.

One file per group, in the order of the chain; `tree` joins and checks them.
"""

from kdgat.parameters.autoencoder import Autoencoder, AutoencoderLoss
from kdgat.parameters.batch_size import BatchSize, BatchSizeChange
from kdgat.parameters.data_processing import (
    DataProcessing,
    Guard,
    Injections,
    LeakLimits,
    ProfileDraw,
    Simulator,
)
from kdgat.parameters.distillation import Distillation, Soft
from kdgat.parameters.evaluation import Evaluation, OperatingPoint
from kdgat.parameters.fit import Curriculum, Fit
from kdgat.parameters.fusion import Agent, Fusion
from kdgat.parameters.networks import AutoencoderModel, ClassifierModel, QNetwork
from kdgat.parameters.reporting import Reporting
from kdgat.parameters.run import Compute, Logging
from kdgat.parameters.teacher import Teacher
from kdgat.parameters.tree import Parameters, check_parameters, flatten
from kdgat.parameters.types import Group

__all__ = [
    "Agent",
    "Autoencoder",
    "AutoencoderLoss",
    "AutoencoderModel",
    "BatchSize",
    "BatchSizeChange",
    "ClassifierModel",
    "Compute",
    "Curriculum",
    "DataProcessing",
    "Distillation",
    "Evaluation",
    "Fit",
    "Fusion",
    "Group",
    "Guard",
    "Injections",
    "LeakLimits",
    "Logging",
    "OperatingPoint",
    "Parameters",
    "ProfileDraw",
    "QNetwork",
    "Reporting",
    "Simulator",
    "Soft",
    "Teacher",
    "check_parameters",
    "flatten",
]
