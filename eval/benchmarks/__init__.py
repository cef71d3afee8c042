"""Benchmarks; each module runs by itself: ``python -m hipporag_like.eval.benchmarks.NAME``."""
