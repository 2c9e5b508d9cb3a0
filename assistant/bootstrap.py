"""The composition root: settings in, a working workspace out. Adapters are constructed here and nowhere else."""
