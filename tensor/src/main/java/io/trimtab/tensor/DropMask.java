package io.trimtab.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.pytorch.Scalar;
import org.jspecify.annotations.Nullable;

/**
 * Which elements of a tensor dropout keeps, as the numbers they are drawn from: so that the mask is
 * never in memory, neither between the forward and the backward pass nor in either.
 *
 * @param first the state of the source before the first draw; each draw decides two elements
 * @param limit what 32 bits of a draw stay below where an element is kept
 */
record DropMask(long first, long limit) {
  /** So many words of 64 bits are read, masked and written at a time. */
  private static final int SOME = 4096;

  private static final long LOW = 0xFFFFFFFFL;

  /** How far the source is at each draw of a block: read, not multiplied, in loops of vectors. */
  private static final long[] EVERY = steps(1);

  private static final long[] EVERY_SECOND = steps(2);

  private static long[] steps(long draws) {
    long[] steps = new long[SOME];
    Arrays.setAll(steps, i -> i * draws * Rng.STEP);
    return steps;
  }

  /** The mask that {@link Rng#mask} would draw. */
  static DropMask draw(Rng rng, double kept, long elements) {
    return new DropMask(rng.skip((elements + 1) / 2), Rng.limit(kept));
  }

  /** Whether {@link #of} takes such values. */
  static boolean fits(Tensor values) {
    return values.device().equals(Device.CPU)
        && switch (values.dtype()) {
          case F32, BF16, F16 -> true;
          default -> false;
        };
  }

  /** A copy of the values, times {@code scale}, with those at zero that are not kept. */
  Tensor of(Tensor values, double scale) {
    return Scope.of(
        () -> {
          Tensor plain = values.contiguous();
          Tensor masked = Creation.empty(plain.dtype(), plain.shape());
          MemorySegment from = plain.memory();
          MemorySegment to = masked.memory();
          boolean wide = plain.dtype() == DType.F32;
          AtomicLong next = new AtomicLong();
          long words = (from.byteSize() + Long.BYTES - 1) / Long.BYTES;
          SideBySide.run(
              words > SOME ? Engine.threads() : 1,
              () -> {
                long[] buffer = new long[(int) Math.min(words, SOME)];
                for (long at = next.getAndAdd(SOME); at < words; at = next.getAndAdd(SOME)) {
                  mask(from, to, at, buffer, wide);
                }
              });
          if (scale != 1) {
            Gradients.none(() -> Call.of(() -> masked.handle().mul_(new Scalar(scale)), masked));
          }
          return masked;
        });
  }

  private void mask(MemorySegment from, MemorySegment to, long word, long[] buffer, boolean wide) {
    long start = word * Long.BYTES;
    long bytes = Math.min((long) buffer.length * Long.BYTES, from.byteSize() - start);
    MemorySegment heap = MemorySegment.ofArray(buffer);
    MemorySegment.copy(from, start, heap, 0, bytes);
    if (wide) {
      maskPairs(buffer, first + word * Rng.STEP, limit);
    } else {
      maskFours(buffer, first + 2 * word * Rng.STEP, limit);
    }
    MemorySegment.copy(heap, 0, to, start, bytes);
  }

  /** Two elements of 32 bits a word: what the upper half of a draw decides comes first. */
  private static void maskPairs(long[] words, long first, long limit) {
    for (int i = 0; i < words.length; i++) {
      long draw = Rng.mix(first + EVERY[i]);
      long one = ((draw >>> 32) - limit) >> 63;
      long two = ((draw & LOW) - limit) >> 63;
      words[i] &= (one & LOW) | (two & ~LOW);
    }
  }

  /** Four elements of 16 bits a word. */
  private static void maskFours(long[] words, long first, long limit) {
    for (int i = 0; i < words.length; i++) {
      long draw = Rng.mix(first + EVERY_SECOND[i]);
      long next = Rng.mix(first + Rng.STEP + EVERY_SECOND[i]);
      long one = ((draw >>> 32) - limit) >> 63;
      long two = ((draw & LOW) - limit) >> 63;
      long three = ((next >>> 32) - limit) >> 63;
      long four = ((next & LOW) - limit) >> 63;
      words[i] &=
          (one & 0xFFFFL)
              | (two & 0xFFFF0000L)
              | (three & 0xFFFF00000000L)
              | (four & (0xFFFFL << 48));
    }
  }

  /** dropout(x) with its gradient. */
  Tensor dropped(Tensor input, double scale) {
    return Gradients.custom(input, x -> of(x, scale), gradient -> of(gradient, scale));
  }

  /**
   * dropout(x) Wᵀ with its gradients, for which x is kept and no copy of it.
   *
   * @param mask of x
   * @param scale what kept elements are multiplied by
   */
  record Linear(Tensor input, Tensor weight, DropMask mask, double scale)
      implements CustomFunction {
    @Override
    public Tensor forward() {
      return LinearAlgebra.linear(mask.of(input, 1), Arithmetic.multiply(weight, scale), null);
    }

    @Override
    public List<Tensor> saved() {
      return List.of(input, weight);
    }

    @Override
    public List<@Nullable Tensor> backward(
        Tensor gradient, List<Tensor> saved, List<Boolean> wanted) {
      return Arrays.asList(
          wanted.get(0) ? ofInput(gradient, saved.get(1)) : null,
          wanted.get(1) ? ofWeight(gradient, saved.get(0)) : null);
    }

    private Tensor ofInput(Tensor gradient, Tensor w) {
      return mask.of(LinearAlgebra.matmul(gradient, Arithmetic.multiply(w, scale)), 1);
    }

    private Tensor ofWeight(Tensor gradient, Tensor x) {
      Tensor turned = Arithmetic.multiply(gradient.transpose(0, 1), scale);
      return LinearAlgebra.matmul(turned, mask.of(x, 1));
    }
  }
}
