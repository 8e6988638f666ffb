"""Work that several machines share: a catalog encoded by a Ray cluster."""

from recsys.distributed.encoding import Encoded, encode_catalog
from recsys.distributed.team import Team

__all__ = ["Encoded", "Team", "encode_catalog"]
