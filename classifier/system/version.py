"""The version of this package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("framing-classifier")
except PackageNotFoundError:  # run from a folder that was never installed
    VERSION = "0+unknown"
