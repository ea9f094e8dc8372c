package io.trimtab.model.encoders;

/**
 * Which row of DeBERTa's table of relative positions stands for a distance: near ones have a row
 * each, far ones share rows of logarithmically growing width (He et al., 2021, "DeBERTaV3", and the
 * code of DeBERTa v2).
 *
 * @param span half of the table's rows; row {@code span} is distance 0
 * @param buckets half of them twice, or 0 where every distance has a row
 * @param furthest the distance that the last bucket is made for
 */
record LogBuckets(int span, int buckets, int furthest) {

  /** The row for a query so many tokens behind its key. */
  int row(int distance) {
    return Math.clamp((long) bucket(distance) + span, 0, 2 * span - 1);
  }

  /**
   * Rows {@code span - reach} to {@code span + reach} serve all distances up to {@code furthest}.
   */
  int reach(int distance) {
    return Math.min(bucket(distance), span);
  }

  private int bucket(int distance) {
    int middle = buckets / 2;
    int size = Math.abs(distance);
    if (buckets == 0 || size <= middle) {
      return distance;
    }
    // In single precision, as the models were trained with.
    float share =
        (float) Math.log((float) size / middle)
            / (float) Math.log((float) ((furthest - 1.0) / middle));
    int bucket = (int) Math.ceil((double) (share * (middle - 1))) + middle;
    return distance < 0 ? -bucket : bucket;
  }
}
