package io.trimtab.delta.prefix;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values of all blocks' prefixes, [length, blocks · 2 · key size]: for each block its
 * keys, then its values. They are trained themselves, or as what a small network makes of trained
 * vectors (section 4.3 of the paper), which is less sensitive to the learning rate.
 */
final class PrefixTable {
  /**
   * embedding [length, hidden] → dense [inner, hidden] → tanh → dense [blocks · 2 · size, inner]
   */
  record Network(
      Parameter embedding, Parameter in, Parameter inBias, Parameter out, Parameter outBias) {
    Tensor compute() {
      Tensor inner =
          Neural.tanh(LinearAlgebra.linear(embedding.value(), in.value(), inBias.value()));
      return LinearAlgebra.linear(inner, out.value(), outBias.value());
    }
  }

  private final @Nullable Parameter flat;
  private final @Nullable Network network;
  private final int size;

  private PrefixTable(@Nullable Parameter flat, @Nullable Network network, int size) {
    this.flat = flat;
    this.network = network;
    this.size = size;
  }

  static PrefixTable flat(Parameter table, int size) {
    return new PrefixTable(table, null, size);
  }

  static PrefixTable of(Network network, int size) {
    return new PrefixTable(null, network, size);
  }

  /** Everything, [length, blocks · 2 · size]. */
  Tensor all() {
    if (network != null) {
      return network.compute();
    }
    return java.util.Objects.requireNonNull(flat).value();
  }

  /** Keys, or values, of the {@code number}-th block that has a prefix: [length, size]. */
  Tensor part(int number, boolean values) {
    long first = (2L * number + (values ? 1 : 0)) * size;
    if (network == null) {
      return Indexing.slice(all(), 1, first, size);
    }
    // Only the rows of the last layer that this block needs.
    Tensor inner =
        Neural.tanh(
            LinearAlgebra.linear(
                network.embedding().value(), network.in().value(), network.inBias().value()));
    Tensor product =
        LinearAlgebra.matmul(
            inner, Indexing.slice(network.out().value(), 0, first, size).transpose(0, 1));
    return Arithmetic.add(product, Indexing.slice(network.outBias().value(), 0, first, size));
  }

  List<Parameter> parameters() {
    if (network == null) {
      return List.of(java.util.Objects.requireNonNull(flat));
    }
    return List.of(
        network.embedding(), network.in(), network.inBias(), network.out(), network.outBias());
  }
}
