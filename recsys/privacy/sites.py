"""Federated fit: every site adds up its own users, and only the sums leave it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoder import Encoder
from recsys.errors import DataError
from recsys.privacy.accountant import Budget, noise_of
from recsys.privacy.fitting import fit, os_noise
from recsys.privacy.ledger import Ledger
from recsys.privacy.public import Public, read_arrays, write_arrays
from recsys.privacy.statistics import Draw, Layout, Statistics
from recsys.privacy.store import FEDERATED, keep_model
from recsys.schema import USER_ID, Dataset

MIN_USERS = 30
"""A site with fewer users sends nothing: sums of few are close to what single people said."""
_FORMAT = 1


@dataclass(frozen=True)
class SiteSums:
    """What a site sends: sums over its users, nothing of any one of them by name.

    Sums without noise are no protection against somebody who knows most of a site's users; a site that does not trust the
    one who adds up puts its own noise in.

    Attributes:
        statistics: the sums, with the deviation of the noise in them.
        public: fingerprint of the public file they were made with.
    """

    statistics: Statistics
    public: str

    @classmethod
    def of(cls, dataset: Dataset, item_vectors: np.ndarray, public: Public) -> "SiteSums":
        """Adds up the users of a site.

        Args:
            item_vectors: ``(n_items, dim)``, the text embeddings of the catalog of the public file.

        Raises:
            DataError: for a site with fewer than 30 users who liked something.
        """
        n_users = len(set(dataset.likes[USER_ID]) & set(dataset.users[USER_ID]))
        if n_users < MIN_USERS:
            fix = f"Join with another site until there are at least {MIN_USERS} users who liked something."
            raise DataError("The site has too few users to send sums", n_users, fix=fix)
        return cls(Statistics.of(dataset, item_vectors, public), public.fingerprint)

    def noised(self, dataset: Dataset, budget: Budget, *, draw: Draw = os_noise) -> tuple["SiteSums", float]:
        """Puts noise in, and writes down in the site's ledger what that spends.

        Whoever holds the lock of ``recsys.lock.writing`` may call it.

        Returns:
            The sums, and the epsilon of everything private that was made from the site's users so far.

        Raises:
            ConfigError: for a delta above one in the number of users.
            MissingExtraError: without the extra ``privacy``.
            ArtifactError: if the ledger cannot be written.
        """
        assert dataset.folder is not None
        budget.check(len(dataset.users))
        deviation = noise_of(budget)
        ledger = Ledger.open(dataset.folder).with_fit(budget, deviation)
        return replace(self, statistics=self.statistics.noised(deviation, draw)), ledger.total(budget.delta)

    def save(self, path: Path) -> None:
        """Writes one ``.npz`` of numbers.

        Raises:
            DataError: if it cannot be written.
        """
        plain = {"format": _FORMAT, "public": self.public, "deviation": self.statistics.deviation}
        write_arrays(path, plain, {"values": self.statistics.values})

    @classmethod
    def load(cls, path: Path, public: Public, n_items: int) -> "SiteSums":
        """Reads what ``save`` wrote, and checks that it belongs to the public file.

        Raises:
            DataError: if it is no such file, or was made with another public file.
        """
        plain, arrays = read_arrays(path, ("values",))
        layout, values, deviation = Layout.of(public, n_items), arrays["values"], plain.get("deviation")
        if plain.get("public") != public.fingerprint or values.shape != (layout.size,):
            fix = "Have the site make its sums with this public file."
            raise DataError("The sums were made with another public file", path, fix=fix)
        if not isinstance(deviation, float | int) or not 0 <= deviation < np.inf:
            raise DataError("The file does not say how much noise is in it", path, fix="Have the site make it again.")
        return cls(Statistics(layout, values, float(deviation)), public.fingerprint)


def total(sites: Sequence[SiteSums]) -> Statistics:
    """Returns the sums over all sites.

    Raises:
        DataError: without any, or if two were made with different public files, or are the same file twice.
    """
    if not sites:
        raise DataError("There are no sums to add", 0, fix="Name at least one file of `recsys federate statistics`.")
    if len({site.public for site in sites}) > 1:
        raise DataError("The sums belong to different public files", len(sites), fix="Use one public file for all.")
    if len({site.statistics.values.tobytes() for site in sites}) < len(sites):
        raise DataError("The same sums are there twice", len(sites), fix="Name each site once.")
    found = sites[0].statistics
    for site in sites[1:]:
        found = found + site.statistics
    return found


def federated_fit(
    dataset: Dataset,
    item_vectors: np.ndarray,
    sites: Sequence[SiteSums],
    public: Public,
    *,
    encoder: Encoder,
    embeddings_key: str,
) -> dict[str, Any]:
    """Fits to the sums of all sites and keeps the model as the scorer ``federated`` of a dataset with a folder.

    It is not called private, even where every site has put noise in: each promises that to its own users.

    Returns:
        What is written down with it; ``noise`` lists what each site has put in.

    Raises:
        DataError: if the sums do not belong together.
        ArtifactError: if the model cannot be written.
    """
    model = fit(total(sites), item_vectors, public)
    deviations = [site.statistics.deviation for site in sites]
    protected = sum(deviation > 0 for deviation in deviations)
    told = f"{len(sites)} {'site' if len(sites) == 1 else 'sites'}, {protected} of them with noise of their own"
    about = {"told": told, "sites": len(sites), "noise": deviations, "public": public.fingerprint}
    return keep_model(dataset, model, about, scorer=FEDERATED, encoder=encoder, embeddings_key=embeddings_key)
