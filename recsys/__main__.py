"""``python -m recsys`` is the command ``recsys``; what reads foreign files is confined before anything is imported."""

import os

from recsys.confined import confine_if_told

confine_if_told(os.environ)

from recsys.cli import main  # noqa: E402

main()
