"""Bringing in data of your own: files are read in batches, mapped to roles, checked, and published as a dataset."""

from recsys.datasets.importing.archive import gather
from recsys.datasets.importing.dialect import CsvDialect
from recsys.datasets.importing.media import MediaNames
from recsys.datasets.importing.plan import (
    KINDS,
    OPTIONAL,
    REQUIRED,
    FilePlan,
    ImportPlan,
    TablePlan,
    check_template,
    read_plan,
)
from recsys.datasets.importing.run import IMPORTS, ImportReport, check_dataset, check_name, import_files
from recsys.datasets.importing.sources import complete, guess_import, look_at, open_source, with_changes
from recsys.datasets.importing.vector_files import VECTOR_ENDINGS
from recsys.datasets.importing.vectors import VectorFiles, read_vectors

__all__ = [
    "IMPORTS",
    "KINDS",
    "OPTIONAL",
    "REQUIRED",
    "VECTOR_ENDINGS",
    "CsvDialect",
    "FilePlan",
    "ImportPlan",
    "ImportReport",
    "MediaNames",
    "TablePlan",
    "VectorFiles",
    "check_dataset",
    "check_name",
    "check_template",
    "complete",
    "gather",
    "guess_import",
    "import_files",
    "look_at",
    "open_source",
    "read_plan",
    "read_vectors",
    "with_changes",
]
