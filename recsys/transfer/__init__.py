"""Transfer: what was learned from the people of one dataset, carried over to another catalog."""

from recsys.transfer.carrying import NEW_ITEMS, Transferred, carry
from recsys.transfer.facts import lent_facts
from recsys.transfer.reading import Balance, of_items
from recsys.transfer.shrinking import ShrinkConfig, shrink
from recsys.transfer.source import Source
from recsys.transfer.store import (
    TRANSFERRED,
    as_lent,
    open_transferred,
    transfer_and_keep,
    transferred_about,
    transferred_key,
)

__all__ = [
    "NEW_ITEMS",
    "TRANSFERRED",
    "Balance",
    "ShrinkConfig",
    "Source",
    "Transferred",
    "as_lent",
    "carry",
    "lent_facts",
    "of_items",
    "open_transferred",
    "shrink",
    "transfer_and_keep",
    "transferred_about",
    "transferred_key",
]
