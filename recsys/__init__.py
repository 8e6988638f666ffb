"""Coldlens: what would we recommend to somebody nobody has ever seen, and why.

Importing this package loads neither torch nor streamlit; heavy packages are imported where they are used.
"""

__version__ = "0.1.0"
