"""A made-up ``results.json`` of the agreed form: ``python tests/eval/report_example.py DIR`` writes one."""

import json
import math
import random
import sys
from pathlib import Path

SYSTEMS = ("graph", "hipporag2", "hipporag", "hybrid", "dense", "bm25", "theirs")
DATASETS = {
    "2wiki_dev": (500, {"compositional": 207, "comparison": 121, "bridge_comparison": 110, "inference": 62}),
    "hotpot_train100": (100, {"bridge": 81, "comparison": 19}),
    "musique_train100": (100, {}),
}
PERCENT = ("recall@1", "recall@2", "recall@5", "recall@10", "recall@20", "all_recall@5", "precision@5")
FRACTION = ("mrr", "map", "ndcg@10")
ANSWER = ("em", "f1", "span_iou")
METRICS = (*PERCENT, *FRACTION, *ANSWER)
SECONDS = {
    "graph": 0.029,
    "hipporag2": 0.024,
    "hipporag": 0.04,
    "hybrid": 0.021,
    "dense": 0.0205,
    "bm25": 0.0017,
}


def scores_like(rng, quality, read=True):
    values = {}
    for metric in METRICS:
        depth = int(metric.partition("@")[2] or 5)
        value = min(100.0, quality * (0.45 + 0.2 * math.log2(depth + 1)) + rng.uniform(-2, 2))
        if metric in FRACTION:
            value /= 100
        if metric in ANSWER:
            value = value / 3 if read else None
        if metric == "span_iou":
            value = None
        values[metric] = None if value is None else round(value, 4)
    return values


def seconds_like(rng, mean):
    values = sorted(mean * math.exp(rng.gauss(-0.05, 0.25)) for _ in range(101))
    return {
        "mean": round(sum(values) / 101, 6),
        "p50": values[50],
        "p95": values[95],
        "max": values[100],
        "quantiles": values,
    }


def system_like(rng, name, n, types, base, read):
    scores = scores_like(rng, base, read and name != "theirs")
    wide = {m: 1 if m not in FRACTION else 0.01 for m in METRICS}
    groups = {
        t: {"n": k, "scores": scores_like(rng, base + rng.uniform(-9, 9), read)} for t, k in types.items()
    }
    result = {
        "scores": scores,
        "intervals": {
            m: None if v is None else [round(v - 3.1 * wide[m], 4), round(v + 2.9 * wide[m], 4)]
            for m, v in scores.items()
        },
        "per_type": groups,
        "per_hops": {"2": {"n": n - 20, "scores": scores_like(rng, base + 4, read)}}
        | {"4": {"n": 20, "scores": scores_like(rng, base - 10, read)}},
        "seconds": seconds_like(rng, SECONDS[name]) if name in SECONDS else None,
        "memory_mb": 412.5 if name in SECONDS else None,
        "usage": {},
        "money": None,
        "against_baseline": None,
    }
    if name == "hipporag2":
        result["usage"] = {"filter": {"calls": n, "input_tokens": 900 * n, "output_tokens": 41 * n}}
        result["money"] = 0.1234
    return result


def add_comparisons(systems, n, baseline):
    for name, system in systems.items():
        if name == baseline:
            continue
        system["against_baseline"] = {}
        for metric, value in system["scores"].items():
            other = systems[baseline]["scores"][metric]
            if value is None or other is None:
                continue
            gap, width = value - other, 0.03 if metric in FRACTION else 3
            p = round(math.exp(-abs(gap) / width * 3), 4)
            system["against_baseline"][metric] = {
                "n": n,
                "difference": round(gap, 4),
                "low": round(gap - width, 4),
                "high": round(gap + width, 4),
                "p": p,
                "p_corrected": min(1.0, round(6 * p, 4)),
            }


def example(seed=0, systems=SYSTEMS, datasets=DATASETS, baseline="hybrid", read=True):
    """Return results of the agreed form."""
    rng = random.Random(seed)
    base = {"graph": 84, "hipporag2": 68, "hipporag": 66, "hybrid": 63, "dense": 62, "bm25": 52, "theirs": 71}
    results = {}
    for dataset, (n, types) in datasets.items():
        found = {
            s: system_like(rng, s, n, types, base.get(s, 60) + rng.uniform(-3, 3), read) for s in systems
        }
        add_comparisons(found, n, baseline)
        results[dataset] = found
    return {
        "format": 1,
        "made": {
            "at": "2026-01-02T03:04:05Z",
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "dirty": True,
            "version": "0.1.0",
            "python": "3.11.9",
            "platform": "Linux x86_64",
            "cpu": "A processor @ 2.50GHz",
            "cores": 2,
            "memory_gb": 7.8,
        },
        "config": {"search": {"damping": 0.5, "method": "graph"}, "extract": {"extractor": "rules"}},
        "baseline": baseline,
        "read": read,
        "datasets": {
            name: {
                "path": f"data/{name}",
                "checksum": "ab12cd34ef56" * 5,
                "n_documents": 19 * n,
                "n_questions": n,
                "types": types,
                "hops": {"2": n - 20, "4": 20},
                "index": {
                    "passages": 19 * n + 5,
                    "entities": 13274,
                    "facts": 6485,
                    "build_seconds": 71.3,
                    "bytes": 38548544,
                    "peak_rss_mb": 640.2,
                },
            }
            for name, (n, types) in datasets.items()
        },
        "systems": {
            s: {"kind": "run", "method": None, "source": "runs/theirs.run"}
            if s == "theirs"
            else {"kind": "method", "method": s, "source": None}
            for s in systems
        },
        "results": results,
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(example(), indent=1), encoding="utf-8")
