package io.trimtab.delta.lora;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Decompositions;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;

/**
 * The nearest matrix of a lower rank (Eckart and Young, 1936), as U diag(σ) times Vᵀ.
 *
 * @param factors A = Vᵀ [rank, in] and B = U diag(σ) [out, rank]
 * @param energy the share of Σσ² kept; 1 of a zero matrix
 */
record Truncation(LoraStart.Factors factors, double energy) {
  /** How many singular values to keep: the first so many, or as many as hold a share of Σσ². */
  record Size(int rank, double share) {}

  static Truncation of(Tensor matrix, Size size) {
    Decompositions.Svd svd = Decompositions.svd(matrix.to(DType.F32));
    double[] values = svd.values().toDoubles();
    double total = 0;
    for (double value : values) {
      total += value * value;
    }
    double kept = 0;
    int rank = 0;
    while (rank < Math.min(size.rank, values.length)) {
      kept += values[rank] * values[rank];
      rank++;
      if (kept >= size.share * total) {
        break;
      }
    }
    Tensor up =
        Arithmetic.multiply(
            Indexing.slice(svd.u(), 1, 0, rank),
            Indexing.unsqueeze(Indexing.slice(svd.values(), 0, 0, rank), 0));
    LoraStart.Factors factors = new LoraStart.Factors(Indexing.slice(svd.vt(), 0, 0, rank), up);
    return new Truncation(factors, total == 0 ? 1 : kept / total);
  }
}
