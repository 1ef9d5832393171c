"""Untrusted code, run where there is nothing to steal and nothing to break. Only the trusted side imports
this name; the zygote and its children import the modules that they need.
"""

from grader.sandbox.job import Job, Run, RunStatus, SandboxFault, Slot
from grader.sandbox.limits import Limits
from grader.sandbox.sandbox import Sandbox, Timing

__all__ = ["Job", "Limits", "Run", "RunStatus", "Sandbox", "SandboxFault", "Slot", "Timing"]
