package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/**
 * A decoder's attention to what an encoder gives (Vaswani et al., 2017, section 3.2.3): queries of
 * the decoder's tokens, keys and values of the encoder's, of which every one is seen. With a cache
 * these are made once.
 */
final class CrossAttention {
  private final TransformerBlock.Attending parts;
  private final Sublayer sublayer;

  CrossAttention(TransformerBlock.Attending parts, Sublayer sublayer) {
    this.parts = parts;
    this.sublayer = sublayer;
  }

  /** Where its parts are, as OpenDelta names them. */
  void addPlaces(SequencedMap<String, Place> places) {
    places.put("crossattn", Place.of(sublayer));
    places.put("crossattn.q", Place.of(parts.projections().query()));
    places.put("crossattn.k", Place.of(parts.projections().key()));
    places.put("crossattn.v", Place.of(parts.projections().value()));
    places.put("crossattn.proj", Place.of(parts.output()));
    places.put("crossattn.layer_norm", Place.of(parts.norm()));
  }

  /**
   * What the decoder's tokens read.
   *
   * @param input the tokens that ask, [queries, hidden]
   * @param pass how the decoder's tokens lie
   * @param reading how those that ask lie
   * @return [queries, hidden]
   */
  Tensor forward(Tensor input, Pass pass, Pass reading) {
    Tensor query = parts.projections().query().forward(input, reading);
    Tensor mixed = mix(query, reading.layout(), known(pass));
    return parts.output().forward(mixed, reading);
  }

  private EncodedKeys.Kept known(Pass pass) {
    KeyValueCache cache = pass.cache().orElse(null);
    boolean started = IntStream.range(0, pass.layout().rows()).anyMatch(row -> pass.past(row) > 0);
    EncodedKeys.Kept kept = cache == null || !started ? null : cache.encoded().of(pass.block());
    if (kept != null) {
      return kept;
    }
    Encoded encoded =
        pass.encoded()
            .orElseThrow(
                () ->
                    new ModelException(
                        "found nothing encoded for "
                            + sublayer.path()
                            + ", expected a pass that reads what Model.encode gives; make it with"
                            + " Pass.reading"));
    Pass there = pass.overEncoded(encoded.layout());
    EncodedKeys.Kept made =
        withPrefixes(
            parts.projections().key().forward(encoded.hidden(), there),
            parts.projections().value().forward(encoded.hidden(), there),
            encoded.layout(),
            sublayer.prefixes(encoded.hidden(), there));
    if (cache != null) {
      cache.encoded().keep(pass.block(), made);
    }
    return made;
  }

  /** Keys and values with those that patches put before each row's. */
  private static EncodedKeys.Kept withPrefixes(
      Tensor keys, Tensor values, Layout layout, Prefixes prefixes) {
    if (prefixes == Prefixes.NONE) {
      return EncodedKeys.Kept.rowByRow(keys, values, layout);
    }
    List<Tensor> allKeys = new ArrayList<>();
    List<Tensor> allValues = new ArrayList<>();
    int[] lengths = new int[layout.rows()];
    for (int row = 0; row < lengths.length; row++) {
      lengths[row] = layout.length(row);
      Patch.KeysAndValues.Prefix prefix = prefixes.of(row, 1);
      if (prefix != null) {
        lengths[row] += (int) prefix.keys().size(1);
        allKeys.add(Indexing.at(prefix.keys(), 0, 0).to(keys.dtype()));
        allValues.add(Indexing.at(prefix.values(), 0, 0).to(values.dtype()));
      }
      allKeys.add(Indexing.slice(keys, 0, layout.start(row), layout.length(row)));
      allValues.add(Indexing.slice(values, 0, layout.start(row), layout.length(row)));
    }
    return EncodedKeys.Kept.rowByRow(
        Indexing.concat(allKeys, 0), Indexing.concat(allValues, 0), Layout.ofLengths(lengths));
  }

  /** Encoded rows side by side that are equally long and asked for equally much. */
  private record Run(int firstRow, int rows, int queries) {}

  private Tensor mix(Tensor query, Layout queries, EncodedKeys.Kept kept) {
    Layout layout = kept.layout();
    List<Tensor> results = new ArrayList<>();
    int start = 0;
    for (Run run : runs(queries, kept)) {
      int tokens = run.rows() * run.queries();
      if (tokens > 0) {
        Tensor asked = heads(Indexing.slice(query, 0, start, tokens), run, parts.form().heads());
        int first = layout.start(run.firstRow());
        int count = layout.start(run.firstRow() + run.rows()) - first;
        int keyHeads = parts.form().keyHeads();
        Tensor keys = heads(Indexing.slice(kept.keys(), 0, first, count), run, keyHeads);
        Tensor values = heads(Indexing.slice(kept.values(), 0, first, count), run, keyHeads);
        Tensor mixed =
            new AttentionKernel(parts.form(), asked)
                .mix(List.of(new KeyValues(keys, values)), null);
        results.add(mixed.transpose(1, 2).reshape(tokens, query.size(1)));
        start += tokens;
      }
    }
    return Indexing.concat(results, 0);
  }

  /** Rows that read the same encoded row are to it as one row with more queries. */
  private static List<Run> runs(Layout queries, EncodedKeys.Kept kept) {
    List<Run> runs = new ArrayList<>();
    int row = 0;
    while (row < queries.rows()) {
      int source = kept.rows().get(row);
      int asked = 0;
      for (; row < queries.rows() && kept.rows().get(row) == source; row++) {
        asked += queries.length(row);
      }
      Run last = runs.isEmpty() ? null : runs.getLast();
      if (last != null && continues(last, source, asked, kept.layout())) {
        runs.set(runs.size() - 1, new Run(last.firstRow(), last.rows() + 1, asked));
      } else {
        runs.add(new Run(source, 1, asked));
      }
    }
    return runs;
  }

  private static boolean continues(Run last, int source, int asked, Layout layout) {
    return source == last.firstRow() + last.rows()
        && asked == last.queries()
        && layout.length(source) == layout.length(last.firstRow());
  }

  /** Packed tokens [rows · length, heads · size] to [rows, heads, length, size]; a view. */
  private static Tensor heads(Tensor packed, Run run, int heads) {
    long length = packed.size(0) / run.rows();
    return packed.reshape(run.rows(), length, heads, packed.size(1) / heads).transpose(1, 2);
  }
}
