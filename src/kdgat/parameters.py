"""Every parameter of kdgat: name, type, range and meaning. YAML in `conf/` holds the values."""

from difflib import get_close_matches
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kdgat.errors import ParameterError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0.0)]
NonNegativeInt = Annotated[int, Field(ge=0)]
NonNegativeFloat = Annotated[float, Field(ge=0.0)]
DatasetName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


BatchSizeMode = Literal["fixed", "binary_search", "adaptive"]


class Group(BaseModel):
    """A closed, frozen group of parameters: an unknown key or a wrong type is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LeakLimits(Group):
    """What the leak report lets pass: one limit for each of its checks."""

    shared_windows: Share = Field(description="share of a split's windows that another split holds")
    close_windows: Share = Field(
        description="share of validation windows less than a window away from a training window"
    )
    known_frames: Share = Field(
        description="share of a held-out capture's frames that occur in training, times included"
    )
    retimed_frames: Share = Field(
        description="share of a held-out capture's frames that occur in training at other times"
    )
    position: Share = Field(description="AUROC on validation from a window's place in its file")
    shuffled_labels: PositiveFloat = Field(
        description="standard errors by which a model fitted on meaningless labels may beat 0.5"
    )
    bag_of_ids: Share = Field(
        description="AUROC of telling captures with attacks by the IDs in their benign windows"
    )
    file_timestamps: Share = Field(
        description="AUROC of telling captures with attacks by timestamps of benign windows"
    )
    file_features: Share = Field(
        description="AUROC of telling captures with attacks by features of benign windows"
    )


AttackName = Literal[
    "dos", "fuzzing", "spoofing_dense", "spoofing_sparse", "replay", "suppress", "masquerade"
]
LeakCheck = Literal[tuple(LeakLimits.model_fields)]


def _split_at_plus(value: object) -> object:
    """`--params` cannot give a list: `a+b` stands for one."""
    return [name for name in value.split("+") if name] if isinstance(value, str) else value


class ProfileDraw(Group):
    """What the features of a window are measured against.

    Of the windows trained on, the share `drop` meets no profile, like a zero-shot one; of the rest
    `short_share` meet that of a short stretch of their vehicle, like a calibrated one, the others
    that of all other time of their vehicle.
    """

    seconds: PositiveFloat = Field(
        description="length of a calibrated capture's prefix, s; its windows are not scored"
    )
    drop: Share = Field(description="share of windows trained on without a profile")
    short_share: Share = Field(description="share of the others whose profile is a short one")


class Injections(Group):
    """Synthetic attacks on the attack-free training captures."""

    seed: Annotated[int, Field(ge=0)] = Field(description="seed of profiles and attacks")
    draws: PositiveInt = Field(
        description="independent draws for training; each epoch sees as much as one holds"
    )
    validation_draws: PositiveInt = Field(description="independent draws for validation")
    share: NonNegativeFloat = Field(
        description="attack windows injected in a draw, per window of the attack-free captures"
    )
    pseudo_share: NonNegativeFloat = Field(
        description="benign windows of pseudo-vehicles in a draw, likewise"
    )
    pseudo_vehicles: NonNegativeInt = Field(
        description="pseudo-vehicles that a draw makes of each attack-free capture"
    )
    simulated_vehicles: NonNegativeInt = Field(
        description="simulated cars in a draw, together as many windows as one such capture's"
    )
    held_out: Annotated[list[AttackName], BeforeValidator(_split_at_plus)] = Field(
        description="attacks that training never sees, validation does; a+b on the command line"
    )
    bitrate: PositiveInt = Field(description="speed of the bus, bit/s")


class Guard(Group):
    """What a prefix may look like that a car's profile is learned from."""

    top_share: Share = Field(description="largest share of one ID in its frames")
    rare_ids: Share = Field(description="largest share of IDs with one or two frames")
    rate_ratio: PositiveFloat = Field(
        description="largest ratio of the frames in its busiest and its quietest tenth"
    )
    early_share: Share = Field(
        description="largest share of frames that come in under half of their ID's median gap"
    )
    silence: PositiveFloat = Field(
        description="longest silence of a regular ID, in its usual longest gaps"
    )


class DataProcessing(Group):
    """How captures become graphs."""

    window: Annotated[int, Field(ge=2)] = Field(description="frames in a window")
    stride: PositiveInt = Field(description="frames from one window's start to the next")
    validation_share: OpenShare = Field(
        description="share of each training capture's windows held out for validation"
    )
    bad_row_share: Share = Field(
        description="share of malformed rows above which a capture is refused"
    )
    profile: ProfileDraw
    injections: Injections
    guard: Guard
    left_out_vehicles: Annotated[list[str], BeforeValidator(_split_at_plus)] = Field(
        description="vehicles that are validated on and never trained on; a+b likewise"
    )
    further_vehicles: Annotated[list[DatasetName], BeforeValidator(_split_at_plus)] = Field(
        description="datasets whose attack-free training captures are further cars to train on"
    )
    allowed_leaks: Annotated[list[LeakCheck], BeforeValidator(_split_at_plus)] = Field(
        description="checks of the leak report that may fail; a+b on the command line"
    )
    allowed_repeats: Annotated[list[str], BeforeValidator(_split_at_plus)] = Field(
        description="test captures, <scenario>/<capture>, that may repeat training; a+b likewise"
    )
    also_trained_on: Annotated[list[DatasetName], BeforeValidator(_split_at_plus)] = Field(
        description="other datasets whose training captures count as seen; a+b likewise"
    )
    leak_limits: LeakLimits


class Simulator(Group):
    """The built-in dataset `synthetic`."""

    seed: Annotated[int, Field(ge=0)] = Field(description="seed of buses and attacks")
    duration: PositiveFloat = Field(description="length of each simulated capture, s")
    bitrate: PositiveInt = Field(description="speed of the bus, bit/s")


class BatchSizeChange(Group):
    """What is otherwise for one mode or one dataset; what is not named stays."""

    graphs: PositiveInt | None = None
    mode: BatchSizeMode | None = None
    target: OpenShare | None = None
    smallest: PositiveInt | None = None
    largest: PositiveInt | None = None


class BatchSize(Group):
    """How large batches are, and who decides: `kdgat.training.batch_size` owns the rule.

    `fixed` takes `graphs` graphs a batch. The others fill a batch up to a budget of nodes and of
    edges, which begins at what `graphs` mean graphs hold and then follows the memory: once before
    training (`binary_search`), or after every epoch (`adaptive`). In every mode running out of
    memory halves the budget and repeats the batch.
    """

    graphs: PositiveInt = Field(description="graphs in a batch, always or to begin with")
    mode: BatchSizeMode = Field(description="fixed, binary_search or adaptive")
    target: OpenShare = Field(description="share of the memory to fill, the rest is safety")
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(
        description="share of the old budget (its logarithm) that an epoch keeps, mode adaptive"
    )
    trials: PositiveInt = Field(description="most budgets tried, mode binary_search")
    smallest: PositiveInt = Field(description="nodes below which a budget never falls")
    largest: PositiveInt = Field(description="nodes above which a budget never rises")
    cpu_memory: PositiveInt = Field(description="memory that counts as there on a CPU, MB")
    scale_learning_rate: bool = Field(
        description="multiply the learning rate by batch size / `graphs` graphs"
    )
    by_mode: dict[Literal["normal", "curriculum", "distillation"], BatchSizeChange] = Field(
        description="what is otherwise in a mode; distillation lies over curriculum"
    )
    by_dataset: dict[DatasetName, BatchSizeChange] = Field(
        description="what is otherwise on a dataset; lies over by_mode"
    )
    replay: list[list[list[int]]] = Field(
        default=[],
        description="budgets of an earlier run: per epoch [first batch, nodes]; set by --from-run",
    )


class Fit(Group):
    """How a graph network is trained."""

    epochs: PositiveInt = Field(description="largest number of epochs")
    epoch_share: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        description="share of the training graphs in an epoch; the next epoch sees others"
    )
    patience: PositiveInt = Field(
        description="epochs without a better validation loss before training stops"
    )
    batch_size: BatchSize
    learning_rate: PositiveFloat = Field(description="peak learning rate of AdamW")
    weight_decay: NonNegativeFloat = Field(description="decoupled weight decay of AdamW")
    gradient_clip: PositiveFloat = Field(description="largest gradient norm")


class AutoencoderModel(Group):
    """Size of a variational graph autoencoder."""

    id_rows: PositiveInt = Field(
        description="hash rows of arbitration IDs, without the unknown row"
    )
    id_dim: PositiveInt = Field(description="width of the ID embedding")
    hidden: PositiveInt = Field(description="channels of one attention head")
    heads: PositiveInt = Field(description="attention heads of each encoder layer")
    layers: PositiveInt = Field(description="encoder layers")
    latent: PositiveInt = Field(description="width of a node's latent")
    decoder: PositiveInt = Field(description="width of the decoder's hidden layers")
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(description="dropout in the encoder")


class ClassifierModel(Group):
    """Size of a graph attention classifier."""

    id_rows: PositiveInt = Field(
        description="hash rows of arbitration IDs, without the unknown row"
    )
    id_dim: PositiveInt = Field(description="width of the ID embedding")
    hidden: PositiveInt = Field(description="channels of one attention head")
    heads: PositiveInt = Field(description="attention heads of each layer")
    layers: PositiveInt = Field(description="attention layers, all read by jumping knowledge")
    readout: PositiveInt = Field(description="width of the read-out's hidden layer")
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(description="dropout between layers")


class AutoencoderLoss(Group):
    """Weights of the parts of the autoencoder's loss."""

    edge_weight: NonNegativeFloat = Field(description="weight of the edge loss")
    id_weight: NonNegativeFloat = Field(description="weight of the ID loss")
    kl_weight: NonNegativeFloat = Field(description="weight of the KL divergence")
    id_dropout: Share = Field(
        description="share of training windows whose IDs are hidden (the unknown row)"
    )


class Curriculum(Group):
    """Which training graphs the epochs of mode `curriculum` see.

    Epoch e of E has pace p = min(1, e / (pace_share * (E - 1))). Of each class it draws from the
    graphs whose hardness rank is at most start_share + (1 - start_share) * p; the ratio of benign
    to attack graphs moves from start_ratio to end_ratio. Every epoch draws as many graphs as
    there are. Patience counts from full pace on.
    """

    start_ratio: PositiveFloat = Field(description="benign graphs per attack graph, first epoch")
    end_ratio: PositiveFloat = Field(description="benign graphs per attack graph at full pace")
    start_share: OpenShare = Field(
        description="easiest share of the graphs seen in the first epoch"
    )
    pace_share: OpenShare = Field(description="share of the epochs after which all graphs are seen")


class Autoencoder(Group):
    """Stage `autoencoder`: the teacher VGAE."""

    model: AutoencoderModel
    loss: AutoencoderLoss
    fit: Fit


class Teacher(Group):
    """Stage `teacher`: the teacher GAT."""

    mode: Literal["normal", "curriculum"] = Field(description="what each epoch sees")
    id_dropout: Share = Field(
        description="share of training windows whose IDs are hidden (the unknown row)"
    )
    model: ClassifierModel
    fit: Fit
    curriculum: Curriculum


class Soft(Group):
    """What the students learn from their teachers."""

    enabled: bool = Field(description="false trains the same students without any teacher")
    temperature: PositiveFloat = Field(description="temperature of the soft targets")
    soft_weight: Share = Field(description="share of the soft loss in the classifier's loss")
    latent_weight: NonNegativeFloat = Field(description="weight of matching the teacher's latent")
    reconstruction_weight: NonNegativeFloat = Field(
        description="weight of matching the teacher's reconstruction"
    )


class Distillation(Group):
    """Stage `distillation`: both students.

    The student autoencoder sees benign graphs alone, all of them in every epoch; the curriculum
    is the student classifier's, ranked by the student autoencoder.
    """

    mode: Literal["normal", "curriculum"] = Field(
        description="what each epoch of the student classifier sees"
    )
    id_dropout: Share = Field(
        description="share of training windows whose IDs are hidden (the unknown row)"
    )
    soft: Soft
    autoencoder: AutoencoderModel
    autoencoder_loss: AutoencoderLoss
    autoencoder_fit: Fit
    classifier: ClassifierModel
    classifier_fit: Fit
    curriculum: Curriculum


class QNetwork(Group):
    """Size of a Q-network."""

    hidden: PositiveInt = Field(description="width of the hidden layers")
    layers: PositiveInt = Field(description="hidden layers")


class Agent(Group):
    """How the fusion agent learns."""

    steps: PositiveInt = Field(description="gradient steps")
    episodes_per_step: PositiveInt = Field(
        description="one-window episodes played before each step"
    )
    batch_size: PositiveInt = Field(description="transitions drawn from the replay memory per step")
    replay_size: PositiveInt = Field(description="transitions that the replay memory holds")
    learning_rate: PositiveFloat = Field(description="learning rate of Adam")
    epsilon_start: Share = Field(description="share of random actions at the first step")
    epsilon_end: Share = Field(description="share of random actions after the decay")
    epsilon_decay: OpenShare = Field(description="share of the steps over which epsilon falls")
    evaluate_every: PositiveInt = Field(description="steps between two looks at validation")


class Fusion(Group):
    """Stage `fusion`: the agents of teachers and students."""

    teacher: QNetwork
    student: QNetwork
    agent: Agent


class OperatingPoint(Group):
    """Where a score becomes an alarm: the same rule for every model, protocol and capture."""

    budget: OpenShare = Field(description="false-positive rate asked of benign windows")


class Evaluation(Group):
    """The scorecard."""

    persistence: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] = Field(
        description="k and n: an alarm needs k of the last n windows above the operating point"
    )
    bootstrap: PositiveInt = Field(description="bootstrap samples behind an interval")
    bootstrap_seed: Annotated[int, Field(ge=0)] = Field(
        description="seed of the bootstrap: equal for all runs, so that runs compare"
    )
    confidence: OpenShare = Field(description="confidence level of the intervals")
    trees: PositiveInt = Field(
        description="trees of the forest among the baselines, and of boosting"
    )
    drawn_model: Literal[
        "teacher_autoencoder",
        "teacher_classifier",
        "teacher_fusion",
        "student_autoencoder",
        "student_classifier",
        "student_fusion",
    ] = Field(description="model whose scores are drawn over time")


class Reporting(Group):
    """The comparison of many runs."""

    name: str = Field(description="folder of the report")
    metric: Literal["f1", "auroc", "false_positive_rate"] = Field(
        description="column of the scorecard by which variants are compared and ranked"
    )
    bootstrap: PositiveInt = Field(description="bootstrap samples behind an interval")
    bootstrap_seed: Annotated[int, Field(ge=0)] = Field(
        description="seed of bootstrap and sampled sign flips"
    )
    confidence: OpenShare = Field(description="confidence level of intervals and tests")


class Compute(Group):
    """Where and how fast."""

    accelerator: Literal["auto", "cpu", "gpu"] = Field(description="device that trains and scores")
    devices: PositiveInt = Field(description="devices, or processes on CPUs, that train together")
    num_nodes: PositiveInt = Field(description="machines that train together, `devices` on each")
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = Field(
        description="numbers in training: single, or half where it is safe"
    )
    threads: PositiveInt = Field(
        description="CPU threads of torch; results repeat at equal threads"
    )
    score_batch_size: PositiveInt = Field(description="graphs in a batch while scoring")


class Logging(Group):
    """What a run says."""

    level: Literal["warning", "info", "debug"] = Field(
        description="of the log; debug writes a file, and says the same as info elsewhere"
    )


class Parameters(Group):
    """All parameters of a run."""

    dataset: DatasetName = Field(description="folder below the raw root")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(description="seed of every model")
    data_processing: DataProcessing
    simulator: Simulator
    compute: Compute
    logging: Logging
    autoencoder: Autoencoder
    teacher: Teacher
    distillation: Distillation
    fusion: Fusion
    operating_point: OperatingPoint
    evaluation: Evaluation
    reporting: Reporting


def check_parameters(raw: dict) -> Parameters:
    """Check the whole tree of parameters.

    Args:
        raw: parameters as read from `conf/` and `--params`.

    Returns:
        The typed parameters.

    Raises:
        ParameterError: A key is unknown, a value has the wrong type or lies out of range.
    """
    try:
        return Parameters.model_validate(raw)
    except ValidationError as error:
        first, *others = error.errors()
        more = f" (and {len(others)} more)" if others else ""
        raise ParameterError(_sentence(first) + more) from None


def _sentence(error: dict) -> str:
    *path, key = error["loc"]
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        allowed = _fields_at(path)
        close = get_close_matches(key, allowed, n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"allowed: {', '.join(allowed)}"
        return f"unknown parameter '{name}': {hint}"
    if error["type"] == "missing":
        return f"parameter '{name}' is missing"
    rule = error["msg"].removeprefix("Input ")
    return f"parameter '{name}' is {error['input']!r}: {rule}"


def _fields_at(path: list[str]) -> list[str]:
    group: type = Parameters
    for key in path:
        if get_origin(group) is dict:  # of groups, by mode or dataset
            group = get_args(group)[1]
        else:
            group = group.model_fields[key].annotation
    return list(group.model_fields)


def flatten(parameters: BaseModel) -> dict[str, str | int | float | bool]:
    """Name every single value by its dotted path, as `--params` takes it.

    Args:
        parameters: a group of parameters.

    Returns:
        Dotted path -> value.
    """
    flat = {}
    for key, value in parameters:
        if isinstance(value, BaseModel):
            flat |= {f"{key}.{inner}": leaf for inner, leaf in flatten(value).items()}
        else:
            flat[key] = value
    return flat
