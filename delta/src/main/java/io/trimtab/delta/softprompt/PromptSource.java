package io.trimtab.delta.softprompt;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Recurrent;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Where the vectors of a soft prompt come from. */
sealed interface PromptSource {
  /** The vectors [count, size]. */
  Tensor vectors();

  /** What is trained. */
  List<Parameter> parameters();

  /** The vectors themselves: the first {@code count} of [count or more, size]. */
  record Table(Parameter table, int count) implements PromptSource {
    @Override
    public Tensor vectors() {
      return Indexing.slice(table.value(), 0, 0, count);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(table);
    }
  }

  /** A dense layer: weight [out, in] and bias [out]. */
  record Dense(Parameter weight, Parameter bias) {
    Tensor apply(Tensor input) {
      return LinearAlgebra.linear(input, weight.value(), bias.value());
    }
  }

  /** Dense layers over trained vectors [count, size], with ReLU between them. */
  record Mlp(Parameter embedding, List<Dense> layers) implements PromptSource {
    @Override
    public Tensor vectors() {
      return through(layers, embedding.value());
    }

    @Override
    public List<Parameter> parameters() {
      return with(List.of(embedding), layers);
    }
  }

  /** An LSTM in both directions over trained vectors [count, size], then dense layers. */
  record Lstm(Parameter embedding, Recurrent lstm, List<Dense> layers) implements PromptSource {
    @Override
    public Tensor vectors() {
      return through(layers, lstm.forward(embedding.value()));
    }

    @Override
    public List<Parameter> parameters() {
      List<Parameter> first = new ArrayList<>(List.of(embedding));
      first.addAll(lstm.parameters());
      return with(first, layers);
    }
  }

  private static Tensor through(List<Dense> layers, Tensor input) {
    Tensor at = input;
    for (int i = 0; i < layers.size(); i++) {
      Tensor out = layers.get(i).apply(at);
      at = i == layers.size() - 1 ? out : Neural.relu(out);
    }
    return at;
  }

  private static List<Parameter> with(List<Parameter> first, List<Dense> layers) {
    List<Parameter> all = new ArrayList<>(first);
    layers.forEach(layer -> all.addAll(List.of(layer.weight(), layer.bias())));
    return List.copyOf(all);
  }
}
