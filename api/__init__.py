"""The edges: command line, HTTP service and pages. They parse, call and map errors, nothing else."""
