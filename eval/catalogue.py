"""Where the public data sets come from: addresses, licences, sizes and checksums.

Sizes and checksums were compared with at least two independent public records of each file, or stand in the
publisher's own index. Where none could be established the field is ``None``: the checksum is then recorded
at the first download.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download.

    Attributes
    ----------
    name
        What it is called here, relative to the folder of its data set.
    size
        Bytes; ``None`` where not established.
    sha256
        64 hexadecimal digits; ``None`` where not established.
    members
        Of a zip archive: (end of a member's path, its name here); nothing else is unpacked.
    """

    url: str
    name: str
    size: int | None = None
    sha256: str | None = None
    members: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A public data set; ``evaluate`` is what ``hipporag-like eval`` is given, relative to its folder."""

    name: str
    title: str
    licence: str
    homepage: str
    files: tuple[RemoteFile, ...]
    evaluate: str = "."
    note: str = ""


_OSU = "https://huggingface.co/datasets/osunlp/HippoRAG_2/resolve/5ec05b38deecc3318bb432c69865959c56058990"
_OSU_PAGE = "https://huggingface.co/datasets/osunlp/HippoRAG_2"
_BEIR = "https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets"


def _pair(
    name: str,
    title: str,
    licence: str,
    stem: str,
    sizes: tuple[int | None, ...],
    sums: tuple[str | None, ...],
) -> PublicSet:
    """Return one of OSU's pairs: questions and their corpus."""
    names = (f"{stem}.json", f"{stem}_corpus.json")
    files = tuple(
        RemoteFile(f"{_OSU}/{file}", file, size, sha256)
        for file, size, sha256 in zip(names, sizes, sums, strict=True)
    )
    return PublicSet(name, title, licence, _OSU_PAGE, files, names[0])


def _beir(name: str, title: str, licence: str, size: int, sha256: str, *splits: str) -> PublicSet:
    """Return one of BEIR's archives."""
    inside = ("corpus.jsonl", "queries.jsonl", *(f"qrels/{split}.tsv" for split in splits))
    members = tuple((f"{name}/{file}", file) for file in inside)
    file = RemoteFile(f"{_BEIR}/{name}.zip", f"{name}.zip", size, sha256, members)
    return PublicSet(f"beir-{name}", title, licence, "https://github.com/beir-cellar/beir", (file,))


_SETS = (
    PublicSet(
        "musique",
        "MuSiQue-Ans v1.0, 2,417 dev questions of 2 to 4 hops (Trivedi et al. 2022)",
        "CC BY 4.0",
        "https://github.com/StonyBrookNLP/musique",
        (
            RemoteFile(
                "https://huggingface.co/datasets/dgslibisey/MuSiQue/resolve/"
                "c8f4f8c9465fb69d31a8eae894c3fd509c4ca321/musique_ans_v1.0_dev.jsonl",
                "musique_ans_v1.0_dev.jsonl",
                30_439_728,
                "15fa63794d18a94ce12411aca6e2327e65b6e83b0b1490efab3f1962e48abf3b",
            ),
        ),
        "musique_ans_v1.0_dev.jsonl",
        "A mirror: the authors' archive is on a drive that no program can fetch from; this file is the same.",
    ),
    PublicSet(
        "hotpotqa",
        "HotpotQA, 7,405 dev questions in the distractor setting (Yang et al. 2018)",
        "CC BY-SA 4.0",
        "https://hotpotqa.github.io",
        (
            RemoteFile(
                "http://curtis.ml.cmu.edu/datasets/hotpot/hotpot_dev_distractor_v1.json",
                "hotpot_dev_distractor_v1.json",
                46_320_117,
                "4e9ecb5c8d3b719f624d66b60f8d56bf227f03914f5f0753d6fa1b359d7104ea",
            ),
        ),
        "hotpot_dev_distractor_v1.json",
    ),
    PublicSet(
        "2wikimultihopqa",
        "2WikiMultiHopQA, 12,576 dev questions, release of April 2021 with answer aliases (Ho et al. 2020)",
        "Apache-2.0",
        "https://github.com/Alab-NII/2wikimultihop",
        (
            RemoteFile(
                "https://www.dropbox.com/s/ms2m13252h6xubs/data_ids_april7.zip?dl=1",
                "data_ids_april7.zip",
                258_968_175,
                "95df2bf56fdabe034e27aebc580e02264232203cf52552f9efe8a919e5529eef",
                (("dev.json", "dev.json"), ("id_aliases.json", "id_aliases.json")),
            ),
        ),
        "dev.json",
    ),
    _pair(
        "hipporag-musique",
        "MuSiQue as the HippoRAG papers use it: 1,000 questions, 11,656 passages",
        "CC BY 4.0",
        "musique",
        (12_543_629, 6_239_261),
        (
            "98ed4e21d3076532f6388d42320fb809599c63a0d8dffca8ece5e41922be6b46",
            "73157a03ce3f0b1a5673dd5dc12bb970c24976dbffc688af9eecdd758c97ffcb",
        ),
    ),
    _pair(
        "hipporag-hotpotqa",
        "HotpotQA as HippoRAG 2 uses it: 1,000 questions, 9,811 passages",
        "CC BY-SA 4.0",
        "hotpotqa",
        (8_183_058, 6_414_109),
        (
            "3ad9c0bcbf93f41d7004ca6007049c904d2605046b314a2f7ecfb379c64cba6d",
            "9333647b922382776cd2cb02893b390d77984df85a91bfa8be411284978aca7d",
        ),
    ),
    _pair(
        "hipporag-2wikimultihopqa",
        "2WikiMultiHopQA as the HippoRAG papers use it: 1,000 questions, 6,119 passages",
        "Apache-2.0",
        "2wikimultihopqa",
        (6_505_789, 3_083_943),
        (
            "895cba294064df0c3302c76847b1fc08d99b5619f7663dfaa3b65cd780f1cac4",
            "9d6e352952aafb18dab22bf8195039461321a44a949df902ae83bce134ad238a",
        ),
    ),
    _pair(
        "hipporag-nq",
        "Natural Questions as HippoRAG 2 uses it (REAR's selection)",
        "CC BY-SA 3.0",
        "nq_rear",
        (None, None),
        (None, None),
    ),
    _pair(
        "hipporag-popqa",
        "PopQA as HippoRAG 2 uses it",
        "see the page of the set",
        "popqa",
        (None, None),
        (None, None),
    ),
    _pair(
        "hipporag-narrativeqa",
        "NarrativeQA as HippoRAG 2 uses it: 293 questions about 10 stories; answers only",
        "Apache-2.0",
        "narrativeqa_dev_10_doc",
        (None, None),
        (None, None),
    ),
    PublicSet(
        "hipporag-lveval",
        "LV-Eval as HippoRAG 2 uses it: hotpotwikiqa_mixup_256k; answers only",
        "see the page of the set",
        "https://huggingface.co/datasets/Infinigence/LVEval",
        (),
        "lveval.json",
        "No address of lveval.json and lveval_corpus.json could be established; put both in one folder.",
    ),
    _beir(
        "scifact",
        "SciFact in BEIR's form: 300 test claims, 5,183 abstracts (Wadden et al. 2020)",
        "CC BY 4.0 (claims), ODC-By 1.0 (abstracts)",
        2_816_079,
        "536e14446a0ba56ed1398ab1055f39fe852686ecad24a6306c80c490fa8e0165",
        "test",
        "train",
    ),
    _beir(
        "nfcorpus",
        "NFCorpus in BEIR's form: 323 test queries, 3,633 documents (Boteva et al. 2016)",
        "academic use, see the page of the set",
        2_448_432,
        "efe5be03f8c5b86a5870102d0599d227c8c6e2484328e68c6522560385671b0b",
        "test",
        "dev",
        "train",
    ),
    _beir(
        "arguana",
        "ArguAna in BEIR's form: 1,406 test queries, 8,674 documents (Wachsmuth et al. 2018)",
        "see the page of the set",
        3_773_617,
        "cfdf79adce27a401b3cd3ea267903134dbfab2c6afeb95d7fe5724a00bf7557b",
        "test",
    ),
)
CATALOGUE: Mapping[str, PublicSet] = MappingProxyType({entry.name: entry for entry in _SETS})
