"""Privacy: fits that hardly depend on any one user, fits from sums of many sites, and datasets without names."""

from recsys.privacy.accountant import ACCOUNTANT, Budget, epsilon_of, noise_of
from recsys.privacy.anonymise import Anonymised, AnonymousPlan, anonymise
from recsys.privacy.columns import UserColumns
from recsys.privacy.config import PrivateConfig
from recsys.privacy.fitting import fit, os_noise, train_private
from recsys.privacy.ledger import Ledger
from recsys.privacy.public import Public
from recsys.privacy.sites import MIN_USERS, SiteSums, federated_fit, total
from recsys.privacy.statistics import Statistics
from recsys.privacy.store import (
    FEDERATED,
    PRIVATE,
    PrivateFit,
    fit_and_keep,
    keep_model,
    open_private,
    private_key,
    told_of,
)

__all__ = [
    "ACCOUNTANT",
    "FEDERATED",
    "MIN_USERS",
    "PRIVATE",
    "Anonymised",
    "AnonymousPlan",
    "Budget",
    "Ledger",
    "PrivateConfig",
    "PrivateFit",
    "Public",
    "SiteSums",
    "Statistics",
    "UserColumns",
    "anonymise",
    "epsilon_of",
    "federated_fit",
    "fit",
    "fit_and_keep",
    "keep_model",
    "noise_of",
    "open_private",
    "os_noise",
    "private_key",
    "told_of",
    "total",
    "train_private",
]
