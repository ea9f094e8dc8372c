package io.trimtab.delta.lora;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The two matrices at some rows of a linear layer, and, where their start is subtracted, what they
 * started as: B A − B₀ A₀.
 *
 * @param rows the rows of the layer's output
 * @param down A [rank, in]
 * @param up B [size of the rows, rank]
 * @param startDown A₀, or null where nothing is subtracted
 * @param startUp B₀
 */
record LoraPair(
    FusedLayer.Rows rows,
    Parameter down,
    Parameter up,
    @Nullable Parameter startDown,
    @Nullable Parameter startUp) {

  /** A pair that starts as {@code factors}; of the names' two parts goes the layer's in between. */
  static LoraPair of(
      String path,
      FusedLayer.Rows rows,
      LoraStart.Factors factors,
      Lora.Trained trained,
      boolean subtracted) {
    String part = rows.name().isEmpty() ? "" : "." + rows.name();
    String a = path + ".lora_A" + part + ".weight";
    String b = path + ".lora_B" + part + ".weight";
    return new LoraPair(
        rows,
        parameter(a, factors.down(), trained != Lora.Trained.B),
        parameter(b, factors.up(), trained != Lora.Trained.A),
        subtracted ? Parameter.constant(a + ".start", factors.down()) : null,
        subtracted ? Parameter.constant(b + ".start", factors.up()) : null);
  }

  private static Parameter parameter(String name, Tensor start, boolean trained) {
    return trained ? Parameter.of(name, start) : Parameter.constant(name, start);
  }

  /** What was subtracted; empty where nothing was. */
  List<Parameter> starts() {
    return startDown == null || startUp == null ? List.of() : List.of(startDown, startUp);
  }

  /** The rank of the product, B₀ A₀ included. */
  int rank() {
    return (int) down.value().size(0) * (startDown == null ? 1 : 2);
  }

  /** [A; A₀] of all pairs, [ranks, in]. */
  static Tensor down(List<LoraPair> pairs) {
    if (pairs.size() == 1 && pairs.getFirst().startDown == null) {
      return pairs.getFirst().down.value();
    }
    List<Tensor> all = new ArrayList<>();
    for (LoraPair pair : pairs) {
      all.add(pair.down.value());
      if (pair.startDown != null) {
        all.add(pair.startDown.value());
      }
    }
    return Indexing.concat(all, 0);
  }

  /** [B, −B₀] of all pairs side by side, zero outside their rows, [out, ranks]. */
  static Tensor up(List<LoraPair> pairs, long out) {
    LoraPair first = pairs.getFirst();
    if (pairs.size() == 1 && first.startUp == null && first.rows.size() == out) {
      return first.up.value();
    }
    List<Tensor> all = new ArrayList<>();
    for (LoraPair pair : pairs) {
      all.add(pair.placed(pair.up.value(), out));
      if (pair.startUp != null) {
        Tensor taken = io.trimtab.tensor.Arithmetic.negate(pair.startUp.value());
        all.add(pair.placed(taken, out));
      }
    }
    return Indexing.concat(all, 1);
  }

  private Tensor placed(Tensor columns, long out) {
    long below = out - rows.from() - rows.size();
    if (rows.from() == 0 && below == 0) {
      return columns;
    }
    long rank = columns.size(1);
    List<Tensor> parts = new ArrayList<>();
    if (rows.from() > 0) {
      parts.add(Creation.zeros(DType.F32, columns.device(), rows.from(), rank));
    }
    parts.add(columns);
    if (below > 0) {
      parts.add(Creation.zeros(DType.F32, columns.device(), below, rank));
    }
    return Indexing.concat(parts, 0);
  }
}
