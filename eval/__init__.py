"""From runs to numbers."""

if __name__ != "hipporag_like.eval":
    # A second import under the bare folder name would make a second copy of every class (decision 0001).
    raise ImportError("import hipporag_like.eval, not eval")
