"""Item vectors on disk and search over them."""

from recsys.index.exact import Hits, ItemIndex

__all__ = ["Hits", "ItemIndex"]
