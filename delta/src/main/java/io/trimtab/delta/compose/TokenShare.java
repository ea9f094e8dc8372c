package io.trimtab.delta.compose;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Layout;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * A part that acts on some of each row's tokens only: those from {@code first} on, {@code count} of
 * them or fewer where a row ends.
 */
final class TokenShare implements Part {
  private final Part part;
  private final int first;
  private final int count;

  TokenShare(Part part, int first, int count) {
    this.part = part;
    this.first = first;
    this.count = count;
  }

  @Override
  public Site<?> site() {
    return part.site();
  }

  @Override
  public boolean buildsOnOthers() {
    return part.buildsOnOthers();
  }

  @Override
  public Patch patch() {
    Patch whole = part.patch();
    return WholeRows.like(List.of(whole), shared(whole));
  }

  private Patch shared(Patch whole) {
    return switch (whole) {
      case Patch.Input inner ->
          (Patch.Input)
              (input, pass) -> {
                Share share = Share.of(pass, this, input);
                return share.put(input, inner.apply(share.of(input), share.pass()));
              };
      case Patch.Output inner ->
          (Patch.Output)
              (input, output, pass) -> {
                Share share = Share.of(pass, this, output);
                return share.put(
                    output, inner.apply(share.of(input), share.of(output), share.pass()));
              };
      case Patch.Residual inner ->
          (Patch.Residual)
              (sublayer, pass) -> {
                Share share = Share.of(pass, this, sublayer.output());
                return share.put(
                    sublayer.output(),
                    inner.apply(
                        new Patch.Residual.Sublayer(
                            share.of(sublayer.input()),
                            share.of(sublayer.output()),
                            share.of(sublayer.residual()),
                            sublayer.norm()),
                        share.pass()));
              };
      case Patch.Rows inner ->
          (Patch.Rows)
              (indices, rows, pass) -> {
                Share share = Share.of(pass, this, rows);
                return share.put(
                    rows, inner.apply(share.of(indices), share.of(rows), share.pass()));
              };
      case Patch.Effective _, Patch.KeysAndValues _, Patch.Inserted _ ->
          throw new DeltaException.Unsupported(
              "found a part at "
                  + part.site()
                  + " in a split, expected deltas that change tokens one by one; a weight, a prefix"
                  + " or a prompt is the same for all of a row's tokens");
    };
  }

  /** The chosen tokens of the rows at hand. */
  private record Share(Pass pass, Tensor chosen) {
    static Share of(Pass pass, TokenShare part, Tensor tokens) {
      Layout layout = pass.layout();
      int[] lengths = new int[layout.rows()];
      LongStream.Builder chosen = LongStream.builder();
      for (int row = 0; row < layout.rows(); row++) {
        int[] positions = pass.positions(row); // of those at hand, which may not be all
        for (int i = 0; i < positions.length; i++) {
          if (positions[i] >= part.first && positions[i] - part.first < part.count) {
            chosen.add((long) layout.start(row) + i);
            lengths[row]++;
          }
        }
      }
      long[] indices = chosen.build().toArray();
      return new Share(
          pass.at(Layout.ofLengths(lengths)),
          Creation.longs(indices, indices.length).to(tokens.device()));
    }

    Tensor of(Tensor tokens) {
      return Indexing.select(tokens, 0, chosen);
    }

    Tensor put(Tensor tokens, Tensor changed) {
      return Indexing.addRows(
          tokens, chosen, io.trimtab.tensor.Arithmetic.subtract(changed, of(tokens)));
    }
  }

  @Override
  public List<Parameter> parameters() {
    return part.parameters();
  }

  @Override
  public List<Parameter> constants() {
    return part.constants();
  }

  @Override
  public Map<String, String> aliases() {
    return part.aliases();
  }

  @Override
  public List<String> baseTensors() {
    return part.baseTensors();
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw new DeltaException.Unsupported(
        "found deltas that share out a row's tokens, expected one for all of them: such a split"
            + " cannot be merged into weights; use the delta beside the model");
  }
}
