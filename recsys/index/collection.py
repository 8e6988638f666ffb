"""The item vectors of one scorer on a Milvus server, or in a file of Milvus Lite: the address decides.

A collection is named after its vectors, so that nobody who holds other vectors ever searches it, and is published under an
alias only when all of it is there (blue/green).
"""

import hashlib
import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.errors import ConfigError, MissingExtraError, shorten
from recsys.index.row_filter import ROW, RowFilter

if TYPE_CHECKING:
    from pymilvus import MilvusClient

VECTOR = "vector"
_HASHED_ROWS = 1 << 16
_INSERTED_BYTES = 4 << 20
"""In one request; Milvus refuses 64 MiB."""
_SAMPLE = 256
_PATIENCE = 60.0
"""Seconds to wait for one answer while publishing."""
_TEMPLATES_SINCE = (2, 5)


@dataclass(frozen=True)
class Published:
    """A collection that is in use now.

    Attributes:
        collection: its name.
        alias: what points to it.
        n_items: rows that were counted there.
        reused: whether it was there before.
        dropped: collections that nobody needs any more.
        seconds: wall-clock time.
    """

    collection: str
    alias: str
    n_items: int
    reused: bool
    dropped: tuple[str, ...]
    seconds: float


def alias_of(dataset: str, scorer: str) -> str:
    """Returns the alias for a scorer's item vectors; different names give different ones."""
    words = re.sub(r"\W", "_", f"{dataset}_{scorer}", flags=re.ASCII)[:100]
    return f"coldlens_{words}_{hashlib.sha256(f'{dataset}/{scorer}'.encode()).hexdigest()[:8]}"


def fingerprint_of(vectors: np.ndarray) -> str:
    """Returns 32 hexadecimal digits that change with the vectors, ``(n_items, dim)``, and their order."""
    whole = hashlib.sha256(f"{vectors.shape}".encode())
    for start in range(0, len(vectors), _HASHED_ROWS):
        whole.update(np.ascontiguousarray(vectors[start : start + _HASHED_ROWS], "<f4").data)
    return whole.hexdigest()[:32]


class Collection:
    """The item vectors on a server; ``open`` connects.

    Attributes:
        name: of the collection: its alias and the fingerprint of the vectors.
        knows_templates: whether filters may have their values beside them.
    """

    def __init__(self, client: "MilvusClient", alias: str, name: str, *, knows_templates: bool) -> None:
        self._client = client
        self.alias = alias
        self.name = name
        self.knows_templates = knows_templates

    @classmethod
    def open(cls, uri: str, alias: str, fingerprint: str, *, timeout: float) -> "Collection":
        """Connects.

        Raises:
            MilvusException: if nobody answers within the time, in seconds.
            MissingExtraError: without pymilvus.
        """
        client = import_milvus().MilvusClient(uri, timeout=timeout)
        return cls(client, alias, f"{alias}_{fingerprint}", knows_templates=_knows_templates(client, timeout))

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def complaint(self, n_items: int, *, timeout: float) -> str:
        """Returns why the collection cannot be searched, in a few words; empty if it can."""
        published = self._published(timeout)
        if published is None:
            return "nothing has been published there"
        if published != self.name:
            return "it holds other vectors"
        counted = self.count(timeout=timeout)
        return "" if counted == n_items else f"it holds {counted:,} of {n_items:,} items"

    def count(self, *, timeout: float) -> int:
        """Returns how many rows can be found."""
        found = self._client.query(
            self.name, filter="", output_fields=["count(*)"], timeout=timeout, consistency_level="Strong"
        )
        return int(found[0]["count(*)"])

    def search(
        self, queries: np.ndarray, limit: int, rows: RowFilter, *, timeout: float
    ) -> list[list[tuple[int, float]]]:
        """Returns per query the best (item_row, score) by inner product, best first."""
        beside: dict[str, Any] = {}
        if self.knows_templates and rows.values:
            beside = {"filter_params": rows.values}
        found = self._client.search(
            self.name,
            queries.astype(np.float32).tolist(),
            filter=rows.template if beside else rows.expression,
            limit=limit,
            output_fields=[ROW],
            search_params={"metric_type": "IP"},
            anns_field=VECTOR,
            timeout=timeout,
            consistency_level="Eventually",  # nothing is written after it was checked; a strong one waits 200 ms to be sure
            **beside,
        )
        return [[(int(hit[ROW]), float(hit["distance"])) for hit in hits] for hits in found]

    def publish(self, vectors: np.ndarray) -> Published:
        """Loads the vectors, checks that all have arrived, points the alias to them, and drops what it pointed to before.

        Raises:
            ConfigError: if not all have arrived; the alias then points to what it pointed to before.
            MilvusException: if the server fails.
        """
        started = time.perf_counter()
        before = self._published(_PATIENCE)
        reused = before == self.name and self.count(timeout=_PATIENCE) == len(vectors) and self._is_same(vectors)
        if not reused:
            self._load(vectors)
            counted = self.count(timeout=_PATIENCE)
            if counted != len(vectors) or not self._is_same(vectors):
                fix = "Publish again; what was published before is still in use."
                raise ConfigError(f"Not all vectors arrived ({counted:,} of {len(vectors):,})", self.name, fix=fix)
            self._point(before)
        dropped = tuple(self._drop_others())
        return Published(self.name, self.alias, len(vectors), reused, dropped, round(time.perf_counter() - started, 3))

    def _load(self, vectors: np.ndarray) -> None:
        """Makes the collection anew; one that is published and wrong is taken out of use first."""
        from pymilvus import DataType, MilvusClient

        if self._client.has_collection(self.name, timeout=_PATIENCE):
            if self._published(_PATIENCE) == self.name:
                self._client.drop_alias(self.alias, timeout=_PATIENCE)
            self._client.drop_collection(self.name, timeout=_PATIENCE)
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(ROW, DataType.INT64, is_primary=True)
        schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=vectors.shape[1])
        index = MilvusClient.prepare_index_params()
        index.add_index(VECTOR, index_type="FLAT", metric_type="IP")
        self._client.create_collection(
            self.name, schema=schema, index_params=index, timeout=_PATIENCE, consistency_level="Strong"
        )
        step = max(1, _INSERTED_BYTES // (4 * vectors.shape[1]))
        for start in range(0, len(vectors), step):
            block = np.asarray(vectors[start : start + step], np.float32)
            rows = [{ROW: start + offset, VECTOR: vector} for offset, vector in enumerate(block)]
            self._client.insert(self.name, rows, timeout=_PATIENCE)
        self._client.flush(self.name, timeout=_PATIENCE)
        self._client.load_collection(self.name, timeout=_PATIENCE)

    def _is_same(self, vectors: np.ndarray) -> bool:
        """Whether a sample of the rows, the first and the last among them, has the same bits there."""
        rows = np.unique(np.linspace(0, len(vectors) - 1, _SAMPLE).astype(int)) if len(vectors) else np.zeros(0, int)
        if not len(rows):
            return True
        found = self._client.query(
            self.name, ids=rows.tolist(), output_fields=[ROW, VECTOR], timeout=_PATIENCE, consistency_level="Strong"
        )
        there = {int(one[ROW]): np.asarray(one[VECTOR], "<f4") for one in found}
        return set(there) == set(rows.tolist()) and fingerprint_of(
            np.stack([there[row] for row in rows.tolist()])
        ) == fingerprint_of(vectors[rows])

    def _published(self, timeout: float) -> str | None:
        if self.alias not in self._client.list_aliases(timeout=timeout)["aliases"]:
            return None
        return str(self._client.describe_alias(self.alias, timeout=timeout)["collection_name"])

    def _point(self, before: str | None) -> None:
        known = before is not None and self._published(_PATIENCE) is not None
        (self._client.alter_alias if known else self._client.create_alias)(self.name, self.alias, timeout=_PATIENCE)

    def _drop_others(self) -> list[str]:
        ours = re.compile(rf"{re.escape(self.alias)}_[0-9a-f]{{32}}")
        others = [name for name in self._client.list_collections() if ours.fullmatch(name) and name != self.name]
        for name in others:
            self._client.drop_collection(name, timeout=_PATIENCE)
        return others


def publish(vectors: np.ndarray, *, uri: str, alias: str) -> Published:
    """Publishes ``(n_items, dim)`` item vectors at an address; see ``Collection.publish``.

    Raises:
        ConfigError: if no server answers there, or it fails.
        MissingExtraError: without pymilvus.
    """
    failed = failures()
    try:
        collection = Collection.open(uri, alias, fingerprint_of(vectors), timeout=_PATIENCE)
        try:
            return collection.publish(vectors)
        finally:
            collection.close()
    except failed as error:
        fix = "Name a server as http://HOST:PORT, or a file of Milvus Lite that no other process has open."
        raise ConfigError(f"The search server failed ({shorten(str(error))})", uri, fix=fix) from error


def import_milvus() -> Any:
    """Returns pymilvus, which keeps quiet: whoever calls it says what went wrong.

    Raises:
        MissingExtraError: if it is not installed.
    """
    try:
        import pymilvus
    except ImportError:
        fix = "Install it: pip install 'coldlens[cluster]'."
        raise MissingExtraError("Searching with Milvus needs pymilvus", "cluster", fix=fix) from None
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    return pymilvus


def failures() -> tuple[type[Exception], ...]:
    """Returns what pymilvus raises when a server is down, slow or without a collection.

    Raises:
        MissingExtraError: if it is not installed.
    """
    milvus = import_milvus()
    from grpc import RpcError

    return milvus.MilvusException, RpcError, OSError, ValueError  # ValueError: a channel that was closed


def _knows_templates(client: "MilvusClient", timeout: float) -> bool:
    version = re.match(
        r"v?(\d+)\.(\d+)", client.get_server_version(timeout=timeout)
    )  # the file format says milvus_lite-…
    return version is not None and (int(version[1]), int(version[2])) >= _TEMPLATES_SINCE
