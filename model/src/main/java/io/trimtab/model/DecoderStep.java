package io.trimtab.model;

import static java.util.Objects.requireNonNull;

import io.trimtab.kernel.Kernel;
import io.trimtab.kernel.Matrix;
import io.trimtab.kernel.RowMath;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A decoder's block for one token of one row, in single precision and outside the engine: there a
 * block takes some fifty operators of a few microseconds each, longer than reading its weights. The
 * one place that decides whether this applies; what it computes is what the block does.
 */
final class DecoderStep {
  private final DecoderBlock.Parts parts;
  private final Attention.Form form;
  private final List<Site<?>> sites;
  private final List<Linear> projections;
  private final List<Linear> inner;
  private final Linear down;
  private final io.trimtab.kernel.Activation activation;
  private final Scale attentionNorm;
  private final Scale queryNorm;
  private final Scale keyNorm;
  private final Scale attentionOutputNorm;
  private final Scale feedForwardNorm;
  private final Scale feedForwardOutputNorm;

  private DecoderStep(
      DecoderBlock block,
      DecoderBlock.Parts parts,
      Attention.Form form,
      List<Linear> projections,
      List<Linear> inner,
      Linear down,
      io.trimtab.kernel.Activation activation) {
    this.parts = parts;
    this.form = form;
    this.projections = projections;
    this.inner = inner;
    this.down = down;
    this.activation = activation;
    sites = block.walk().<Site<?>>flatMap(layer -> layer.sites().stream()).toList();
    attentionNorm = Scale.of(parts.attentionNorm());
    queryNorm = Scale.of(parts.queryNorm());
    keyNorm = Scale.of(parts.keyNorm());
    attentionOutputNorm = Scale.of(parts.attentionOutputNorm());
    feedForwardNorm = Scale.of(parts.feedForwardNorm());
    feedForwardOutputNorm = Scale.of(parts.feedForwardOutputNorm());
  }

  /** The step of a block; null where it has parts that are computed by the engine alone. */
  static @Nullable DecoderStep of(
      DecoderBlock block, DecoderBlock.Parts parts, Attention.Form form) {
    Rotary rotary = parts.rotary();
    if (!Kernels.available() || (rotary != null && rotary.dependsOnLength())) {
      return null;
    }
    List<Linear> projections =
        switch (parts.projections()) {
          case Projections.Separate each -> List.of(each.query(), each.key(), each.value());
          case Projections.Fused fused -> List.of(fused.all());
          case Projections.Interleaved _ -> List.of();
        };
    List<Linear> inner =
        switch (parts.feedForward()) {
          case FeedForward.Gated gated -> List.of(gated.gate(), gated.up());
          case FeedForward.FusedGate fused -> List.of(fused.both());
          case FeedForward.Plain plain -> List.of(plain.up());
          case Experts _ -> List.of();
        };
    Linear down =
        switch (parts.feedForward()) {
          case FeedForward.Gated gated -> gated.down();
          case FeedForward.FusedGate fused -> fused.down();
          case FeedForward.Plain plain -> plain.down();
          case Experts _ -> null;
        };
    io.trimtab.kernel.Activation activation =
        switch (parts.feedForward()) {
          case FeedForward.Gated gated -> known(gated.activation());
          case FeedForward.FusedGate fused -> known(fused.activation());
          case FeedForward.Plain plain -> known(plain.activation());
          case Experts _ -> null;
        };
    List<Linear> all = new ArrayList<>(projections);
    all.addAll(inner);
    all.add(parts.attentionOutput());
    if (projections.isEmpty() || down == null || activation == null) {
      return null;
    }
    all.add(down);
    return all.stream().allMatch(linear -> linear.matrix() != null)
        ? new DecoderStep(block, parts, form, projections, inner, down, activation)
        : null;
  }

  private static io.trimtab.kernel.@Nullable Activation known(Activation activation) {
    return switch (activation) {
      case SILU -> io.trimtab.kernel.Activation.SILU;
      case GELU_TANH -> io.trimtab.kernel.Activation.GELU_TANH;
      case RELU -> io.trimtab.kernel.Activation.RELU;
      case GELU, TANH -> null;
    };
  }

  /** Whether a use of the block is one token after others of one row, and nothing acts there. */
  static boolean isOneToken(Tensor hidden, Pass pass) {
    return pass.layout().rows() == 1
        && pass.layout().tokens() == 1
        && pass.past(0) > 0
        && pass.cache().isPresent()
        && pass.training().isEmpty()
        && hidden.dtype() == DType.F32
        && hidden.device().equals(Device.CPU)
        && !hidden.requiresGradient();
  }

  /** Whether this computes a use of the block for which {@link #isOneToken} holds. */
  boolean fits(Pass pass) {
    KeyValueCache cache = pass.cache().orElseThrow();
    return cache.before(pass.block(), 0) == 0
        && (pass.segments().getFirst().patches().isEmpty()
            || sites.stream().noneMatch(pass::touches));
  }

  /** The block's result [1, hidden] for a token [1, hidden] whose keys and values are kept. */
  Tensor forward(Tensor hidden, Pass pass) {
    Kernel kernel = Kernels.current();
    float[] residual = hidden.inPlace().toArray(ValueLayout.JAVA_FLOAT);
    float[] normed = attentionNorm.of(residual);
    float[] mixed = product(kernel, parts.attentionOutput(), mix(kernel, normed, pass));
    float[] attended = attentionOutputNorm.of(mixed);
    RowMath.add(attended, residual);
    float[] input = feedForwardNorm.of(parts.parallel() ? residual : attended);
    float[] result = feedForwardOutputNorm.of(transform(kernel, input));
    RowMath.add(result, attended);
    return Creation.floats(result, 1, result.length);
  }

  private float[] mix(Kernel kernel, float[] normed, Pass pass) {
    List<float[]> made = products(kernel, projections, normed);
    float[] query;
    float[] key;
    float[] value;
    if (parts.projections() instanceof Projections.Fused fused) {
      float[] all = made.getFirst();
      int keysAt = all.length - 2 * fused.keySize();
      int valuesAt = all.length - fused.keySize();
      query = Arrays.copyOf(all, keysAt);
      key = Arrays.copyOfRange(all, keysAt, valuesAt);
      value = Arrays.copyOfRange(all, valuesAt, all.length);
    } else {
      query = made.get(0);
      key = made.get(1);
      value = made.get(2);
    }
    queryNorm.perHead(query);
    keyNorm.perHead(key);
    Rotary rotary = parts.rotary();
    if (rotary != null) {
      int position = pass.past(0);
      Turn turn = pass.shared(new TurnKey(rotary), _ -> Turn.of(rotary, position));
      RowMath.rotate(query, form.heads(), turn.cosine(), turn.sine());
      RowMath.rotate(key, form.keyHeads(), turn.cosine(), turn.sine());
    }
    List<Kernel.Stretch> known =
        pass.cache().orElseThrow().append(pass.block(), key, value, form.keyHeads());
    int tokens = pass.past(0) + 1;
    int from = form.window() == 0 ? 0 : Math.max(0, tokens - form.window());
    return kernel.attend(
        query,
        known,
        from,
        new Kernel.Form(
            form.heads(), form.keyHeads(), (float) form.scale(), (float) form.scoreCap()));
  }

  private float[] transform(Kernel kernel, float[] input) {
    List<float[]> made = products(kernel, inner, input);
    float[] open = made.getFirst();
    if (parts.feedForward() instanceof FeedForward.FusedGate) {
      float[] up = Arrays.copyOfRange(open, open.length / 2, open.length);
      open = Arrays.copyOf(open, open.length / 2);
      kernel.activate(activation, open);
      RowMath.multiply(open, up);
    } else {
      kernel.activate(activation, open);
      if (made.size() == 2) {
        RowMath.multiply(open, made.get(1));
      }
    }
    return product(kernel, down, open);
  }

  private static float[] product(Kernel kernel, Linear linear, float[] input) {
    return products(kernel, List.of(linear), input).getFirst();
  }

  private static List<float[]> products(Kernel kernel, List<Linear> linears, float[] input) {
    List<Matrix> matrices = new ArrayList<>(linears.size());
    for (Linear linear : linears) {
      matrices.add(requireNonNull(linear.matrix()));
    }
    List<float[]> made = kernel.products(matrices, input);
    for (int i = 0; i < made.size(); i++) {
      float[] bias = linears.get(i).biasValues();
      if (bias != null) {
        RowMath.add(made.get(i), bias);
      }
    }
    return made;
  }

  private record TurnKey(Rotary rotary) {}

  /** Cosines and sines of a position. */
  @SuppressWarnings("ArrayRecordComponent") // never written, and never compared
  private record Turn(float[] cosine, float[] sine) {
    static Turn of(Rotary rotary, int position) {
      float[] angles = rotary.angles(position);
      float[] cosine = new float[angles.length];
      float[] sine = new float[angles.length];
      for (int i = 0; i < angles.length; i++) {
        cosine[i] = (float) (rotary.factor() * Math.cos(angles[i]));
        sine[i] = (float) (rotary.factor() * Math.sin(angles[i]));
      }
      return new Turn(cosine, sine);
    }
  }

  /** A norm over arrays; null for none. */
  private record Scale(@Nullable Norm norm) {
    static Scale of(@Nullable Norm norm) {
      return new Scale(norm);
    }

    /** A normed copy. */
    float[] of(float[] x) {
      float[] copy = x.clone();
      perHead(copy);
      return copy;
    }

    /** Norms, in place, each stretch of the norm's size. */
    void perHead(float[] x) {
      if (norm != null) {
        norm.apply(x);
      }
    }
  }
}
