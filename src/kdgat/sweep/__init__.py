"""Many runs as one plan: pipelines × datasets × seeds × variants."""

from kdgat.sweep.cells import WHOLE_CHAIN, Cell
from kdgat.sweep.plan import Plan, read_plan

__all__ = ["WHOLE_CHAIN", "Cell", "Plan", "read_plan"]
