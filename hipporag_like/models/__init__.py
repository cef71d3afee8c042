"""Embedders, extractors and readers: Protocols, and one file per implementation."""
