"""A MODEL → what a runtime loads: one file a target, one row in EXPORTERS."""

from parlure.shipping.export.exporting import EXPORTERS, export
from parlure.shipping.export.runtimes import open_runtime
from parlure.shipping.export.written import read_written

__all__ = ["EXPORTERS", "export", "open_runtime", "read_written"]
