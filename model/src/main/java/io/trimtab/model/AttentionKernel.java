package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.FrozenProduct;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * softmax(Q Kᵀ · scale + mask) V for rows that are alike: the one place where it is decided how
 * that is computed. Queries of heads that share a key head are laid side by side as if they were
 * more queries (Ainslie et al., 2023, "GQA"), so that keys and values are read once.
 */
final class AttentionKernel {
  /** Keys up to which the engine's kernel, which keeps no scores, trains faster. */
  private static final long FLASH = 192;

  private static final long FLASH_OF_16_BITS = 64;

  /** Keys from which on all scores would take too much memory. */
  private static final long MOST = 1024;

  /** The same where one head's are held at a time. */
  private static final long MOST_OF_ONE_HEAD = 4096;

  private final Attention.Form form;
  private final Tensor query;
  private final int group;

  /** For queries [rows, heads, queries, size]. */
  AttentionKernel(Attention.Form form, Tensor query) {
    this.form = form;
    this.query = query;
    this.group = form.heads() / form.keyHeads();
  }

  /** Where query i sees keys 0 to i alone, of as many. */
  Tensor causal(Tensor keys, Tensor values) {
    long count = keys.size(2);
    long longer = query.dtype() == DType.F32 ? FLASH : FLASH_OF_16_BITS;
    long scoresInAll = query.size(0) * form.heads() * count * count;
    boolean slow = query.dtype() == DType.BF16 && !Engine.hasMatrixUnit();
    boolean pays =
        slow
            ? Fused.can(scoresInAll, query, keys, values)
            : Fused.pays(scoresInAll, query, keys, values);
    if (count > longer && count <= MOST && pays) {
      Tensor scores = product(folded(query), keys.transpose(2, 3)).contiguous();
      return unfolded(product(Fused.causalSoftmax(scores, form.scale()), values));
    }
    if (count > longer && count <= MOST_OF_ONE_HEAD && suitsHeadByHead(keys, values)) {
      return headByHead(keys, values);
    }
    return Neural.causalAttention(query, spread(keys), spread(values), form.scale());
  }

  /**
   * Without a gradient, long rows on the CPU are faster head by head: in F32 the engine's kernel
   * has each of its threads call a BLAS that shares its work out once more, in BF16 it multiplies
   * by plain loops unless there is a matrix unit.
   */
  private boolean suitsHeadByHead(Tensor keys, Tensor values) {
    DType type = query.dtype();
    return query.device().equals(Device.CPU)
        && (type == DType.F32 || (type == DType.BF16 && !Engine.hasMatrixUnit()))
        && Stream.of(query, keys, values).noneMatch(Tensor::requiresGradient);
  }

  /** With the scores of the queries of one key head in memory at a time. */
  private Tensor headByHead(Tensor keys, Tensor values) {
    Tensor queries = folded(query);
    List<Tensor> mixed = new ArrayList<>();
    for (long row = 0; row < keys.size(0); row++) {
      for (long head = 0; head < form.keyHeads(); head++) {
        Tensor q = of(queries, row, head);
        Tensor k = of(keys, row, head);
        Tensor v = of(values, row, head);
        mixed.add(
            Scope.of(
                () -> FrozenProduct.toInput(causalWeights(FrozenProduct.linear(q, k, null)), v)));
      }
    }
    Tensor all = Indexing.concat(mixed, 0);
    return all.reshape(keys.size(0), form.heads(), query.size(2), values.size(3));
  }

  private static Tensor of(Tensor perHead, long row, long head) {
    return Indexing.at(Indexing.at(perHead, 0, row), 0, head);
  }

  /** The weights of keys 0 to i for query i, [any number of times keys, keys]. */
  private Tensor causalWeights(Tensor scores) {
    if (Fused.can(scores.elements(), scores)) {
      return Fused.causalSoftmax(scores, form.scale());
    }
    long count = scores.size(1);
    Tensor scaled = Arithmetic.multiply(scores, form.scale()).reshape(-1, count, count);
    Tensor masked = Arithmetic.add(scaled, Neural.later(scores, count));
    return Neural.softmax(masked, 2).reshape(scores.size(0), count);
  }

  /**
   * Where queries see all keys but for what the mask adds.
   *
   * @param parts keys and values in order
   * @param mask [1 or rows, 1 or heads, queries, keys], or null
   * @return [rows, heads, queries, size]
   */
  Tensor mix(List<KeyValues> parts, @Nullable Tensor mask) {
    boolean fused = parts.size() == 1 && form.scoreCap() == 0;
    if (fused) {
      KeyValues only = parts.getFirst();
      return unfolded(
          Neural.attention(
              folded(query), only.keys(), only.values(), foldedMask(mask), form.scale()));
    }
    Tensor q = folded(query);
    List<Tensor> scores = new ArrayList<>();
    parts.forEach(part -> scores.add(product(q, part.keys().transpose(2, 3))));
    Tensor scaled = Arithmetic.multiply(Indexing.concat(scores, 3), form.scale());
    Tensor capped = capped(scaled, form.scoreCap());
    Tensor own = foldedMask(mask);
    Tensor masked = own == null ? capped : Arithmetic.add(capped, own);
    Tensor weights = Neural.softmax(wide(masked), 3).to(query.dtype());
    List<Tensor> perPart =
        Indexing.split(weights, 3, parts.stream().mapToLong(KeyValues::tokens).toArray());
    Tensor sum = product(perPart.get(0), parts.get(0).values());
    for (int i = 1; i < parts.size(); i++) {
      sum = Arithmetic.add(sum, product(perPart.get(i), parts.get(i).values()));
    }
    return unfolded(sum);
  }

  /** In single precision at least, as softmax is computed of scores in half precision. */
  static Tensor wide(Tensor scores) {
    return scores.dtype() == DType.F64 ? scores : scores.to(DType.F32);
  }

  /** limit · tanh(x / limit), where there is a limit. */
  static Tensor capped(Tensor values, double limit) {
    return limit == 0
        ? values
        : Arithmetic.multiply(Neural.tanh(Arithmetic.multiply(values, 1 / limit)), limit);
  }

  /**
   * Products with matrices of each row, or with one that all rows share: then the rows' vectors are
   * the rows of one matrix.
   */
  private Tensor product(Tensor left, Tensor right) {
    long rows = left.size(0);
    if (right.size(0) == rows) {
      return LinearAlgebra.matmul(left, right);
    }
    long heads = left.size(1);
    long each = left.size(2);
    Tensor together = left.transpose(0, 1).reshape(heads, rows * each, left.size(3));
    Tensor all = LinearAlgebra.matmul(together, Indexing.at(right, 0, 0));
    return all.reshape(heads, rows, each, right.size(3)).transpose(0, 1);
  }

  /** [rows, heads, queries, n] to [rows, key heads, heads of one · queries, n]. */
  private Tensor folded(Tensor perHead) {
    return group == 1
        ? perHead
        : perHead.reshape(
            perHead.size(0), form.keyHeads(), group * perHead.size(2), perHead.size(3));
  }

  /** The same for a mask, which may be one for all heads. */
  private @Nullable Tensor foldedMask(@Nullable Tensor mask) {
    if (mask == null || group == 1) {
      return mask;
    }
    if (mask.size(1) != 1) {
      return folded(mask);
    }
    long queries = mask.size(2);
    long keys = mask.size(3);
    return queries == 1
        ? mask
        : Indexing.expand(Indexing.unsqueeze(mask, 2), mask.size(0), 1, group, queries, keys)
            .reshape(mask.size(0), 1, group * queries, keys);
  }

  private Tensor unfolded(Tensor mixed) {
    return group == 1
        ? mixed
        : mixed.reshape(mixed.size(0), form.heads(), query.size(2), mixed.size(3));
  }

  /** Keys or values [rows, key heads, n, size] once for every head. */
  private Tensor spread(Tensor shared) {
    if (group == 1) {
      return shared;
    }
    long rows = shared.size(0);
    long count = shared.size(2);
    long size = shared.size(3);
    return Indexing.expand(Indexing.unsqueeze(shared, 2), rows, form.keyHeads(), group, count, size)
        .reshape(rows, form.heads(), count, size);
  }
}
