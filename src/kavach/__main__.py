"""``python -m kavach`` is the command ``kavach``."""

from kavach.cli.program import main

if __name__ == "__main__":
    main(prog_name="kavach")
