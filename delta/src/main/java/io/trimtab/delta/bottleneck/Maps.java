package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;

/** Of what the two linear maps of an adapter are made. */
public sealed interface Maps {
  /** Matrices with biases. */
  record Dense() implements Maps {}

  /**
   * Products of two thin matrices with biases, W = s t (Karimi Mahabadi et al., 2021, section 5.2:
   * "low-rank adapters"). OpenDelta's works for rank 1 only.
   *
   * @param rank the inner size of the product, at least 1
   * @param start what both factors start as
   */
  record LowRank(int rank, Draw start) implements Maps {
    /** Checks the rank. */
    public LowRank {
      if (rank < 1) {
        throw new DeltaException(
            "found rank " + rank + " for a low-rank adapter, expected at least 1");
      }
    }
  }

  /**
   * Sums of Kronecker products, H = Σᵢ Aᵢ ⊗ Wᵢ with i from 1 to {@code dim} (Karimi Mahabadi et
   * al., 2021, section 4).
   *
   * @param dim n, the number of products; it divides the sizes of input and output
   * @param rank the rank of each Wᵢ = sᵢ tᵢ; 0 for a whole matrix
   * @param sharedRule whether all maps of the delta have one rule A
   * @param factorisedRule whether each Aᵢ is the product of a column and a row
   * @param trainedRule whether A is trained
   * @param sharedWeights whether all maps down, and all maps up, have one W
   * @param bias whether the maps have biases
   * @param ruleUniform whether A starts uniform within ± {@code ruleRange}, else normal
   * @param ruleRange the bound or deviation of A at the start
   * @param start what W starts as
   */
  record Phm(
      int dim,
      int rank,
      boolean sharedRule,
      boolean factorisedRule,
      boolean trainedRule,
      boolean sharedWeights,
      boolean bias,
      boolean ruleUniform,
      double ruleRange,
      Draw start)
      implements Maps {
    /** Checks ranges. */
    public Phm {
      if (dim < 1) {
        throw new DeltaException(
            "found phm_dim=" + dim + " for a Compacter, expected at least 1 Kronecker product");
      }
      if (rank < 0) {
        throw new DeltaException(
            "found phm_rank="
                + rank
                + " for a Compacter, expected at least 1, or 0 for matrices of full rank");
      }
      if (!(ruleRange >= 0) || Double.isInfinite(ruleRange)) {
        throw new DeltaException(
            "found a start of the rules within "
                + ruleRange
                + " for a Compacter, expected 0 or more");
      }
    }
  }

  /** What the factors of a map start as. */
  enum Draw {
    /** Uniform within ± √(12 / (in + out)): Glorot's with gain √2, as OpenDelta has it. */
    GLOROT_UNIFORM("glorot-uniform"),
    /** Normal with deviation 2 / √(in + out): Glorot's with gain √2, as OpenDelta has it. */
    GLOROT_NORMAL("glorot-normal"),
    /** Normal with deviation √(2 / (in + out)): what AdapterHub draws, whatever its file says. */
    XAVIER_NORMAL("xavier-normal"),
    /** Normal with deviation 0.0001. */
    NORMAL("normal");

    private final String text;

    Draw(String text) {
      this.text = text;
    }

    /** What options and files call it. */
    public String text() {
      return text;
    }

    /** The one of that name. */
    public static Draw named(String text) {
      for (Draw draw : values()) {
        if (draw.text.equals(text)) {
          return draw;
        }
      }
      throw new DeltaException.Unsupported(
          "found \""
              + text
              + "\" as the start of an adapter's factors, expected glorot-uniform, glorot-normal,"
              + " xavier-normal or normal");
    }
  }
}
