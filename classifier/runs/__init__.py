"""A run over many articles: in order, interruptible, resumable, with its faults named."""

from classifier.runs.journal import Journal, Lines
from classifier.runs.run import Run, RunSettings, Summary

__all__ = ["Journal", "Lines", "Run", "RunSettings", "Summary"]
