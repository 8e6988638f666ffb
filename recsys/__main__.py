"""``python -m recsys`` is the command ``recsys``."""

from recsys.cli import main

main()
