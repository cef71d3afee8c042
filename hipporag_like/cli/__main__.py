"""``python -m hipporag_like.cli``: the same as ``hipporag-like``."""

from hipporag_like.cli import main

if __name__ == "__main__":
    main()
