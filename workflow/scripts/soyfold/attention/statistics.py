"""Entropy and CIM alignment of attention, exact, in O(n) memory ([C] eq. 13 and 17).

Rows of the attention are visited in chunks; no n x n matrix is kept. Public through
`soyfold.attention.biased`.
"""

import math

import torch

from soyfold.attention.priors import ChromosomeOnKeys, at_least_float32, check_groups, one_hot
from soyfold.attention.sharing import share_out

# Elements of one head's chunk of scores (samples x rows x n): 512 KB of float32, so that it and
# what it becomes stay in cache.
CHUNK_ELEMENTS = 2**17


def _attend(scores):
    """Softmax of `scores` (changed in place), its rows' entropies (nats) and Euclidean norms."""
    scores -= scores.amax(-1, keepdim=True)
    attention = scores.softmax(-1)
    # ln a_ij = score_ij - lse_i; the largest score is now 0, so lse_i = -ln max_j a_ij.
    entropy = -attention.amax(-1).log() - torch.linalg.vecdot(attention, scores)
    return attention, entropy.clamp_min_(0), torch.linalg.vector_norm(attention, dim=-1)


def _alignment(mass, norm, H, sizes, of_query):
    """Cosine of attention rows with H[c(i), c(.)], from their mass on each chromosome.

    Parameters
    ----------
    mass : Tensor (..., rows, G)
    norm : Tensor (..., rows)
        Euclidean norm of each row over its n tokens.
    H : Tensor (..., G, G)
    sizes : Tensor (G,)
        Tokens on each chromosome.
    of_query : Tensor (rows,) int64
        Chromosome of each row.
    """
    rows = H.index_select(-2, of_query)
    return (rows * mass).sum(-1) / (norm * (rows.square() * sizes).sum(-1).sqrt())


def _chunks(batch, n):
    """Slices of samples and of rows that keep a head's chunk of scores within CHUNK_ELEMENTS."""
    samples = max(1, min(batch, CHUNK_ELEMENTS // (n * n)))
    rows = max(1, min(n, CHUNK_ELEMENTS // (samples * n)))
    for b in range(0, batch, samples):
        for i in range(0, n, rows):
            yield slice(b, b + samples), slice(i, i + rows)


def _with_prior(q, k, prior):
    """Queries and keys (batch, heads, n, d_k + r) whose products hold the prior's term too."""
    batch, heads = q.shape[:2]
    q = torch.cat([q, prior.query_columns(q)], -1)
    return q, torch.cat([k, prior.key_columns(k).expand(batch, heads, -1, -1)], -1)


def _of_chunk(q, k, turned, chromosome, members, sizes, references):
    """Sums over some rows' queries q (samples, heads, rows, d), with keys k (.., d, n).

    `turned`: both as they are turned, and which tokens they meet so (rows, n); or None.
    """
    by_head, total = [], 0
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head]
        if turned:
            of_q, of_k, together = turned
            scores = torch.where(together, of_q[:, head] @ of_k[:, head], scores)
        attention, *of_rows = _attend(scores)
        by_head.append((*of_rows, attention @ members))
        total = attention.add_(total)
    entropy, norm, mass = (torch.stack(parts, 1) for parts in zip(*by_head, strict=True))
    mean = total.div_(q.shape[1])
    # Not torch.special.entr, which takes three times as long; 0 ln 0 = 0.
    of_mean = -(mean.clamp_min(torch.finfo(mean.dtype).tiny).log_().mul_(mean)).sum((-1, -2))
    sums = {"nae": entropy.sum(-1), "nae_headmean": of_mean}
    mean_norm, mean_mass = torch.linalg.vector_norm(mean, dim=-1), mass.mean(1)
    for name, R in references.items():
        sums[name] = _alignment(mass, norm, R, sizes, chromosome).sum(-1)
        over_heads = R.mean(0) if R.ndim == 3 else R
        aligned = _alignment(mean_mass, mean_norm, over_heads, sizes, chromosome)
        sums[f"{name}_headmean"] = aligned.sum(-1)
    return sums, one_hot(chromosome, members.shape[1], mass.dtype).T @ mass


def _stream(q, k, H, chromosome, references, rotation=None):
    """Sums over the rows of softmax(q k^T); threads share out the chunks of rows.

    With a `rotation`, q and k are turned by it within a chromosome.

    Returns
    -------
    sums : dict of Tensor
        nae and each reference's name (batch, heads), with _headmean (batch,); entropies in nats.
    masses : Tensor (batch, heads, G, G)
        Mean over the queries of a chromosome.
    """
    batch, heads, n, _ = q.shape
    members = one_hot(chromosome, H.shape[-1], q.dtype)
    sizes = members.sum(0)
    keys = k.mT.contiguous()  # read once for each chunk
    chunks = list(_chunks(batch, n))
    turned = rotation and (rotation(q), rotation(k).mT.contiguous())

    def of_chunk(chunk):
        b, i = chunk
        own = turned and (turned[0][b, :, i], turned[1][b], rotation.together(i))
        return _of_chunk(q[b, :, i], keys[b], own, chromosome[i], members, sizes, references)

    shapes, names = {"": (batch, heads), "_headmean": (batch,)}, ("nae", *references)
    sums = {f"{name}{end}": q.new_zeros(s) for end, s in shapes.items() for name in names}
    masses = q.new_zeros(batch, heads, *H.shape[-2:])
    for (b, _), (found, mass) in zip(chunks, share_out(of_chunk, chunks), strict=True):
        for name, value in found.items():
            sums[name][b] += value
        masses[b] += mass
    return sums, masses / sizes[:, None]


@torch.no_grad()
def attention_statistics(q, k, H, chromosome, *, biased, measured=None, rotation=None):
    """Normalised attention entropy, alignment with the CIM and mass between chromosomes.

    Parameters
    ----------
    q, k : Tensor (batch, heads, n, d_k)
        Half precision is computed in float32, under autocast too.
    H : Tensor (G, G) or (heads, G, G)
        Chromosome interaction matrix.
    chromosome : Tensor (n,) int64
        Chromosome of each token, 0 to G - 1, in any order.
    biased : bool
        Attention of `biased_attention` with H; False: plain attention, H serves AAS alone.
    measured : Tensor (G, G), optional, keyword only
        The CIM that a learned H started from.
    rotation : soyfold.attention.turned.Rotation, optional, keyword only
        Turns q and k within a chromosome; they are given unturned.

    Returns
    -------
    dict of Tensor
        nae, aas (batch, heads): mean over the rows of entropy / ln n, and of the cosine with
        H[c(i), c(.)]; NaN for n = 1, and for a row of H that is all zero.
        chromosome_mass (batch, heads, G, G): mean over the queries of a chromosome of the
        attention on each chromosome; NaN for a chromosome without tokens.
        nae_headmean, aas_headmean (batch,): of the attention averaged over the heads, against H
        averaged over the heads.
        negative_coupling (batch, heads): share of rows with s_i < 0, where H acts turned round.
        With `measured` also aas_measured, aas_measured_headmean: the cosine with it ([C] eq. 15).

    Raises
    ------
    ValueError
        For shapes that do not fit, or chromosome indices beyond H.
    """
    if q.ndim != 4 or q.shape != k.shape:
        raise ValueError(
            f"q, k of shapes {tuple(q.shape)}, {tuple(k.shape)}; allowed: (batch, heads, n, d_k)"
        )
    heads, n = q.shape[1:3]
    check_groups(H, chromosome, heads=heads, tokens=n)
    dtype = at_least_float32(q)
    q, k, H = q.to(dtype), k.to(dtype), H.to(dtype)
    references = {"aas": H}
    if measured is not None:
        check_groups(measured, chromosome, heads=heads, tokens=n)
        references["aas_measured"] = measured.to(dtype)
    negative = (q.sum(-1) < 0).to(dtype).mean(-1)
    with torch.autocast(q.device.type, enabled=False):
        if biased:
            scaled, keys = _with_prior(q, k, ChromosomeOnKeys(H, chromosome))
        else:
            scaled, keys = q, k
        scaled = scaled * q.shape[-1] ** -0.5
        sums, masses = _stream(scaled, keys, H, chromosome, references, rotation)
    log_n = math.log(n) if n > 1 else float("nan")
    result = {
        name: total / (n * log_n if name.startswith("nae") else n) for name, total in sums.items()
    }
    result["chromosome_mass"] = masses
    result["negative_coupling"] = negative
    return result


@torch.no_grad()
def logit_spread(q, k):
    """How far a term of the logits can move attention: its sd over the keys, q_i . k_j / sqrt(d).

    From the keys' covariance, O(n d^2). Softmax attention hardly leaves uniformity at an sd far
    below 1: its entropy then is ln n - sd^2 / 2.

    Parameters
    ----------
    q, k : Tensor (batch | 1, heads | 1, n, r)
        Factors of the term, already divided by the softmax's scale.

    Returns
    -------
    Tensor (batch, heads)
        Root of the mean square over the queries; float32 at least.
    """
    dtype = at_least_float32(q)
    q, k = q.to(dtype), k.to(dtype)
    with torch.autocast(q.device.type, enabled=False):
        centred = k - k.mean(-2, keepdim=True)
        covariance = centred.mT @ centred / k.shape[-2]
        return (q @ covariance * q).sum(-1).mean(-1).clamp_min(0).sqrt()


@torch.no_grad()
def attention_floors(H, chromosome):
    """NAE and AAS of attention that knows nothing, to print beside a model's own.

    Parameters
    ----------
    H : Tensor (G, G) or (heads, G, G)
        Chromosome interaction matrix; over heads the floors are averaged.
    chromosome : Tensor (n,) int64

    Returns
    -------
    dict of str to float
        NAE_uniform (1), AAS_uniform: attention uniform over all tokens; NAE_within_chromosome,
        AAS_within_chromosome: uniform over the tokens of the query's own chromosome.

    Raises
    ------
    ValueError
        For shapes that do not fit, or chromosome indices beyond H.
    """
    check_groups(H, chromosome, heads=H.shape[0], tokens=chromosome.shape[0])
    H = H.to(torch.float64)
    n, G = chromosome.shape[0], H.shape[-1]
    sizes = torch.bincount(chromosome, minlength=G).to(H)
    present = sizes > 0
    weights = sizes / n
    own = sizes.clamp_min(1)
    groups = torch.arange(G, device=H.device)
    uniform = _alignment(weights.expand(G, G), H.new_full((G,), n**-0.5), H, sizes, groups)
    within = _alignment(torch.eye(G).to(H), own.rsqrt(), H, sizes, groups)
    log_n = math.log(n) if n > 1 else float("nan")
    return {
        "NAE_uniform": 1.0 if n > 1 else float("nan"),
        "AAS_uniform": float((uniform * weights)[..., present].sum(-1).mean()),
        "NAE_within_chromosome": float((own.log() * weights).sum() / log_n),
        "AAS_within_chromosome": float((within * weights)[..., present].sum(-1).mean()),
    }
