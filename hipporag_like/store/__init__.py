"""The index folder: a journal (the record of truth) and immutable snapshots (what readers map)."""
