"""From question and index to hits."""

if __name__ != "hipporag_like.retrieval":
    # A second import under the bare folder name would make a second copy of every class (decision 0001).
    raise ImportError("import hipporag_like.retrieval, not retrieval")
