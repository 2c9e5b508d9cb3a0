"""The product beside what a user would otherwise assemble, on the same texts, vectors and machine, in one run."""
