"""The studies that papers on graph retrieval make: growth, path finding, knobs and robustness.

Each is a function that returns plain values; ``hipporag-like study`` runs it and writes them down (``write.py``).
"""
