"""From documents to an index."""

if __name__ != "hipporag_like.indexing":
    # A second import under the bare folder name would make a second copy of every class (decision 0001).
    raise ImportError("import hipporag_like.indexing, not indexing")
