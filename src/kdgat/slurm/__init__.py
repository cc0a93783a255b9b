"""Submissions to Slurm: what `slurm/submit`, `slurm/status` and `slurm/resubmit` do."""
