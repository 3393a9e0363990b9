"""Execute the notebooks: in place, or with ``--check`` copies on a sample of the articles.

A check also says where a notebook as it stands was executed on other `INPUTS`, on a sample, or not at all: its
figures are then those of an earlier version. With ``--current``, which a release needs, that is a failure.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
#: What the figures stand on: change any, and the notebooks must be executed again.
INPUTS = ("datasets/framing.csv", "datasets/codebook.toml", "artifacts/framing/metrics.json")

#: Share of the articles a check reads, unless the environment says otherwise.
SHARE = "0.1"


def main(check: bool, current: bool) -> int:
    """Execute every notebook; return 0, or 1 where all must be current and a check finds one that is not."""
    inputs = {name: hashlib.sha256((HERE.parent / name).read_bytes()).hexdigest() for name in INPUTS}
    root = str(HERE.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    if check:
        os.environ.setdefault("FRAMING_NOTEBOOK_SAMPLE", SHARE)
    stale = []
    for path in sorted(HERE.glob("[0-9]-*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        executed = all(cell.execution_count for cell in cells)
        if check and not (executed and notebook.metadata.get("inputs") == inputs):
            stale.append(path.name)
        start = time.monotonic()
        client = NotebookClient(notebook, timeout=7200, kernel_name="python3", resources={"metadata": {"path": HERE}})
        client.execute()
        print(f"{path.name}: {time.monotonic() - start:.0f} s", flush=True)
        if not check:
            for cell in cells:
                cell.metadata.pop("execution", None)  # times of day: another file on every run
                # Progress bars of the peers; what fails has raised.
                cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            notebook.metadata = {
                "inputs": {} if os.environ.get("FRAMING_NOTEBOOK_SAMPLE") else inputs,
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            }
            nbformat.write(notebook, path)
    for name in stale:
        print(
            f"{name}: its figures are of an earlier corpus or model; before a release run: make notebooks",
            file=sys.stderr,
        )
    return 1 if stale and current else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:], "--current" in sys.argv[1:]))
