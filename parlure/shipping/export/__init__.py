"""A MODEL → what a runtime loads: one file a target, one row in EXPORTERS."""

from parlure.shipping.export.exporting import EXPORTERS, export

__all__ = ["EXPORTERS", "export"]
