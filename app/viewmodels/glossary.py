"""The words of the field and of the program, to be looked up."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.registry import SYSTEMS

_FIELD = (
    ("activation", "The value of a neuron for one token. After a ReLU most are zero."),
    ("activation sparsity", "The share of neurons that are zero for a token, so that their weights "
     "need not be read."),
    ("attention", "The part of a layer where a token looks at all tokens before it: its query "
     "meets their keys, and their values are mixed. It reads the KV cache, not weights."),
    ("bandwidth", "Bytes a memory or link moves in a second, in GB/s (10⁹ bytes)."),
    ("barrier", "A point of a layer where all lanes wait for the last one."),
    ("batch", "Sequences that are decoded together; weights are read once for all of them."),
    ("block", "A part of a layer: QKV, attention, projection, MLP. In paged memory also a page of "
     "KV cache."),
    ("bubble", "Time a device does nothing because what it needs next is not ready."),
    ("cold neuron", "A neuron that fires rarely; Hermes leaves its weights in the DIMMs."),
    ("context", "Tokens a sequence has so far, prompt included."),
    ("decode", "Making output tokens one by one; each step reads the weights and the KV cache."),
    ("density", "The share of neurons that fire for a token; one minus the sparsity."),
    ("DIMM", "A memory module in the slots of the host."),
    ("DIMM-link", "A link between neighbouring DIMMs, past the host's memory channel."),
    ("DIMM-PIM", "A DIMM whose ranks or banks compute (processing in memory)."),
    ("FC layer", "A fully connected layer: a matrix of weights times a vector."),
    ("FLOP", "A floating-point operation; a multiply-accumulate counts two."),
    ("GEMV, GEMM", "Matrix times vector, matrix times matrix. GEMV is bound by memory, GEMM of a "
     "large batch by arithmetic."),
    ("granule", "Contiguous bytes read at a time; small ones do not reach a memory's peak."),
    ("group-query attention", "Several query heads share one head of keys and values, so that the "
     "KV cache is smaller."),
    ("HBM", "Memory stacked beside the GPU: fast and small."),
    ("hot neuron", "A neuron that fires for many tokens; Hermes keeps its weights on the GPU."),
    ("imbalance", "How much more the fullest of several like devices has to do than their mean."),
    ("Jaccard", "Overlap of two sets: common members over members of either."),
    ("kernel launch", "Starting a piece of work on the GPU; costs some microseconds."),
    ("KV cache", "Keys and values of all tokens so far, kept so that they need not be computed "
     "again. It grows with every token."),
    ("lane", "A row of the timeline: a device or link that does one thing at a time."),
    ("layer", "One of the equal parts a model is a stack of; attention and MLP."),
    ("LPDDR", "Low-power memory: larger than HBM, and slower."),
    ("MLP", "The part of a layer that treats every token by itself; most weights are there."),
    ("multiply-accumulate", "One multiplication and one addition; what a weight is used for."),
    ("NDP-DIMM", "A DIMM with a near-data processor: it computes on what it stores."),
    ("neuron", "One row of an MLP's matrices (or an input of QKV): what can be left out when it is "
     "zero."),
    ("offloading", "Keeping weights or KV in the host's memory and copying them when needed."),
    ("parent", "A neuron of the layer below that tells well whether a neuron fires."),
    ("PCIe", "The link between host and GPU; one of each direction."),
    ("prefill", "Reading the whole prompt at once, before the first output token."),
    ("predictor", "What says before a layer is computed which of its neurons will fire. Accuracy: "
     "said right. Recall: of those that fire. Precision: of those predicted."),
    ("projection", "The dense matrix after attention; no sparsity there."),
    ("QKV", "The matrices that make query, key and value of a token."),
    ("rank, rankset", "DRAM chips of a DIMM that work together; the same rank of several DIMMs."),
    ("ReLU", "Activation function that makes negative values zero; the source of sparsity."),
    ("remapping", "Moving cold neurons between DIMMs so that they have equally much to do."),
    ("roofline", "What a device reaches at most: its peak, or bandwidth times operations a byte."),
    ("scenario", "A file with machine, model, workload and policy; what a run is made of."),
    ("seed", "The number random draws begin with; the same gives the same run, bit by bit."),
    ("sequence", "One text being made; a batch has several."),
    ("span", "A rectangle of the timeline: one operation, or a wait, with its reason."),
    ("step", "What makes one token of each sequence; the prefill is a step as well. Serving "
     "systems call it an iteration."),
    ("sync", "A wait: at a barrier, another kind of work is not done yet."),
    ("TBT, TTFT", "Time between tokens; time to the first token."),
    ("tensor parallel", "Every matrix is cut over several GPUs, which exchange partial results."),
    ("token", "A piece of text, some three to four letters; the unit a model reads and writes."),
    ("wait", "Time a lane does nothing. Dependency: a result is missing. Sync: a barrier. "
     "Imbalance: a like device has more to do. Link busy. Memory full. No work: nothing was "
     "assigned."),
    ("weights", "The numbers a model has learnt; two bytes each unless the scenario says "
     "otherwise."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A word of the glossary.

    Attributes:
        word: as looked up.
        text: what it means.
        group: where it is from: the field, or a system's figures.
    """

    word: str
    text: str
    group: str


def glossary() -> tuple[Entry, ...]:
    """All words by alphabet: of the field, and the figures of systems that are explained."""
    found = {word.casefold(): Entry(word, text, "") for word, text in _FIELD}
    for id in SYSTEMS:
        system = SYSTEMS.get(id)
        for term in getattr(system, "terms", {}).values():
            if len(term.help) > 10 and term.title.casefold() not in found:
                figure = Entry(term.title, term.help, f"figure of {system.title}")
                found[term.title.casefold()] = figure
    return tuple(entry for _, entry in sorted(found.items()))


def matching(entries: tuple[Entry, ...], text: str) -> tuple[Entry, ...]:
    """Entries with all the words looked for, those whose name has them first."""
    words = text.casefold().split()
    if not words:
        return entries
    named = [e for e in entries if all(w in e.word.casefold() for w in words)]
    other = [
        e
        for e in entries
        if e not in named and all(w in f"{e.word} {e.text}".casefold() for w in words)
    ]
    return (*named, *other)
