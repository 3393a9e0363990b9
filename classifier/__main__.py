"""``python -m classifier``: the same as the ``framing`` command."""

from classifier.cli import main

if __name__ == "__main__":
    main(prog_name="framing")
