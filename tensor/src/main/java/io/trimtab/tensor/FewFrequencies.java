package io.trimtab.tensor;

import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.StringViewOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * The real matrix whose spectrum is zero but for a few real entries, as {@link
 * Fourier#inverseOfMatrix} gives it, at half the cost: a real result needs one half of the columns
 * of the spectrum alone. An entry in the other half goes to its mirror image.
 */
public final class FewFrequencies {
  private static final LongOptional AS_IT_IS = Native.forever(new LongOptional());
  private static final StringViewOptional BACKWARD = Native.forever(new StringViewOptional());

  private final long rows;
  private final long columns;

  /** Where an entry is in the half [rows, columns / 2 + 1]. */
  private final long[] place;

  /** What of an entry is there: a half, but where its mirror image is in the same column. */
  private final float[] share;

  /**
   * Entries at given places.
   *
   * @param places indices into a spectrum [rows, columns], row after row
   */
  public FewFrequencies(long[] places, long rows, long columns) {
    this.rows = rows;
    this.columns = columns;
    place = new long[places.length];
    share = new float[places.length];
    for (int i = 0; i < places.length; i++) {
      long row = places[i] / columns;
      long column = places[i] % columns;
      boolean mirrored = column >= half();
      place[i] = mirrored ? (rows - row) % rows * half() + columns - column : row * half() + column;
      share[i] = column == 0 || 2 * column == columns ? 1 : 0.5f;
    }
  }

  private long half() {
    return columns / 2 + 1;
  }

  /**
   * The matrix, without a gradient.
   *
   * @param entries S, [n], F32 or F64
   * @return D [rows, columns], D[i, j] = Σ S[p, q] cos 2π(pi / rows + qj / columns) / (rows ·
   *     columns)
   */
  public Tensor inverse(Tensor entries) {
    return Gradients.none(() -> Scope.of(() -> inverted(entries)));
  }

  private Tensor inverted(Tensor entries) {
    DType type = entries.dtype();
    Tensor shares =
        Arithmetic.multiply(
            entries, Creation.floats(share, share.length).to(type).to(entries.device()));
    Tensor zeros = Creation.zeros(type, entries.device(), rows * half());
    Tensor spectrum =
        Indexing.addRows(zeros, places(entries.device()), shares).reshape(rows, half());
    Tensor inside =
        Call.of(() -> torch.fft_ifft(spectrum.handle(), AS_IT_IS, 0, BACKWARD), spectrum);
    LongOptional size = new LongOptional(columns);
    return Call.of(() -> torch.fft_irfft(inside.handle(), size, 1, BACKWARD), entries);
  }

  /**
   * The gradient of the entries.
   *
   * @param gradient dL/dD, [rows, columns]
   * @return dL/dS, [n]
   */
  public Tensor gradient(Tensor gradient) {
    return Gradients.none(
        () ->
            Scope.of(
                () -> {
                  LongOptional size = new LongOptional(columns);
                  Tensor real =
                      Call.of(
                          () -> {
                            org.bytedeco.pytorch.Tensor half =
                                torch.fft_rfft(gradient.handle(), size, 1, BACKWARD);
                            return torch.real(torch.fft_fft(half, AS_IT_IS, 0, BACKWARD));
                          },
                          gradient);
                  Tensor at = places(gradient.device());
                  Tensor some = Indexing.select(real.reshape(-1), 0, at);
                  return Arithmetic.multiply(some, 1.0 / ((double) rows * columns));
                }));
  }

  private Tensor places(Device device) {
    return Creation.longs(place, place.length).to(device);
  }
}
