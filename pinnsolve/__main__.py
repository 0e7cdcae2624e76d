"""``python -m pinnsolve``: the command line."""

from pinnsolve.cli import main

if __name__ == "__main__":
    main()
