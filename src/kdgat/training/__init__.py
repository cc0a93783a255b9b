"""Training: losses, tasks, curriculum, distillation, the fusion agent."""
