package io.trimtab.model;

import io.trimtab.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * A named part of a model. Its path is the name its checkpoint gives it on the Hugging Face hub, so
 * addresses, files, reports and errors all speak the same names.
 */
public abstract class Layer {
  private final String path;

  /** A layer of the given path. */
  protected Layer(String path) {
    this.path = path;
  }

  /** Its name in the checkpoint, such as {@code bert.encoder.layer.0.attention.self.query}. */
  public final String path() {
    return path;
  }

  /** The layers directly below, in the order of computation. */
  public List<Layer> children() {
    return List.of();
  }

  /**
   * Its own stored tensors by full name, without those of layers below. A matrix that is not held
   * as plain numbers is unpacked whenever its value is asked for, and then belongs to the scope
   * that is open; see {@link #held} for what sizes are enough for.
   */
  public SequencedMap<String, Tensor> tensors() {
    return Collections.unmodifiableSequencedMap(new LinkedHashMap<>());
  }

  /** How its own stored tensors are held, by full name. */
  public SequencedMap<String, Held> held() {
    SequencedMap<String, Held> held = new LinkedHashMap<>();
    tensors().forEach((name, tensor) -> held.put(name, Held.of(tensor)));
    return held;
  }

  /** The places where patches can act on this layer itself. */
  public List<Site<?>> sites() {
    return tensors().keySet().stream().<Site<?>>map(Site::tensor).toList();
  }

  /**
   * This layer and all below it, in the order of computation; one that is used in several places
   * comes once, where it is used first.
   */
  public final Stream<Layer> walk() {
    return Stream.concat(Stream.of(this), children().stream().flatMap(Layer::walk)).distinct();
  }

  @Override
  public String toString() {
    return getClass().getSimpleName() + " " + path;
  }
}
