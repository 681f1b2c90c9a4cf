"""Disk to typed columns: interaction logs, catalogues, groupings, splits, batches."""
