package io.trimtab.tensor;

import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.StringViewOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Discrete Fourier transforms where real numbers go in and real numbers come out; the complex ones
 * between stay inside. F32 and F64 only.
 */
public final class Fourier {
  private Fourier() {}

  /**
   * The real part of the inverse transform of a real matrix over both dimensions: S [m, n] → D [m,
   * n] with D[i, j] = Σ S[p, q] cos 2π(pi / m + qj / n) / mn.
   */
  public static Tensor inverseOfMatrix(Tensor spectrum) {
    return Scope.of(
        () -> Call.of(() -> torch.real(torch.fft_ifft2(spectrum.handle())).contiguous(), spectrum));
  }

  /**
   * The product with a matrix of circulant blocks, which is never built: x [tokens, n, b] and
   * kernels w [m, n, b] → y [tokens, m, b] with y[t, o, k] = Σ x[t, i, (k + j) mod b] w[o, i, j]
   * over i and j. Costs O(b log b) a block and b / 2 + 1 complex products of [tokens, n] × [n, m].
   */
  public static Tensor circulantProduct(Tensor input, Tensor kernels) {
    return Scope.of(
        () -> {
          long size = input.size(-1);
          Tensor x = forward(input, size);
          Tensor w = Call.of(() -> torch.conj(forward(kernels, size).handle()), kernels);
          Tensor product =
              LinearAlgebra.matmul(Indexing.permute(x, 2, 0, 1), Indexing.permute(w, 2, 1, 0));
          Tensor joined = Indexing.permute(product, 1, 2, 0);
          return Call.of(
              () ->
                  torch.fft_irfft(
                      joined.handle(), new LongOptional(size), -1, new StringViewOptional()),
              input,
              kernels);
        });
  }

  /** Of real numbers along the last dimension: size / 2 + 1 complex ones say all. */
  private static Tensor forward(Tensor input, long size) {
    return Call.of(
        () -> torch.fft_rfft(input.handle(), new LongOptional(size), -1, new StringViewOptional()),
        input);
  }
}
