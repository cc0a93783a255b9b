"""`python -m kdgat`: the same commands as `kedro`."""

from kedro.framework.cli.cli import main

if __name__ == "__main__":
    main()
