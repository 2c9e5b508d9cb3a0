"""Why a case failed, found by experiment: what was in the knowledge, what was found, and what the answer made of it."""

from evals.root_causes.experiment import RootCauses
from evals.root_causes.model import CAUSES, Cause, Diagnosis

__all__ = ["CAUSES", "Cause", "Diagnosis", "RootCauses"]
