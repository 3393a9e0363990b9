"""Coverage-guided fuzzing: ``python -m tests.fuzz.run TARGET --seconds 60``; needs atheris.

What breaks a target is written to ``--crashes`` as ``crash-…``; give it to the target again to see why.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path


def seeds(target: str, folder: Path) -> None:
    """Write inputs to begin with: a sample of every format."""
    from tests.articles import samples

    if target == "documents":
        for name, data in samples.everything().items():
            (folder / name).write_bytes(data)
        return
    (folder / "text").write_bytes(samples.BODY.encode())
    for kind, data in enumerate((b"text,labels\nRain.,rain\n", samples.jsonl(), b"[" + samples.jsonl()[:90] + b"]")):
        (folder / str(kind)).write_bytes(bytes([kind]) + data)


def main() -> None:
    """Run one target for a bounded time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="0 for another run each time.")
    parser.add_argument("--crashes", default=tempfile.gettempdir(), help="Folder for inputs that break the target.")
    arguments = parser.parse_args()
    import atheris

    logging.disable(logging.CRITICAL)
    with atheris.instrument_imports(
        include=["classifier", "pypdf", "docx", "trafilatura", "markdown_it", "zipfile", "csv"]
    ):
        from tests.fuzz.targets import TARGETS

    corpus = Path(tempfile.mkdtemp())
    seeds(arguments.target, corpus)
    options = [
        f"-max_total_time={arguments.seconds}",
        f"-seed={arguments.seed}",
        "-timeout=25",
        "-rss_limit_mb=4096",
        "-max_len=8192",
        f"-artifact_prefix={arguments.crashes}/",
    ]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(corpus)], TARGETS[arguments.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
