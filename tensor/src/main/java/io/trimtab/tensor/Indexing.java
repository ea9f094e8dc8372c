package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Choosing, cutting, joining and placing parts of tensors. */
public final class Indexing {
  private Indexing() {}

  /** The part [start, start + length) of a dimension; a view. */
  public static Tensor slice(Tensor input, int dimension, long start, long length) {
    return Call.of(() -> input.handle().narrow(dimension, start, length), input);
  }

  /**
   * A dimension cut into parts of the given sizes, which sum up to its own; views. Unlike so many
   * slices, whose gradients are each as large as the input, the parts' gradients are joined once.
   */
  public static List<Tensor> split(Tensor input, int dimension, long... sizes) {
    TensorVector parts = Call.get(() -> input.handle().split(sizes, dimension), input);
    List<Tensor> tensors = new ArrayList<>(sizes.length);
    for (long i = 0; i < parts.size(); i++) {
      tensors.add(Tensor.of(parts.get(i)));
    }
    return tensors;
  }

  /** One index of a dimension, which vanishes; a view. */
  public static Tensor at(Tensor input, int dimension, long index) {
    return Call.of(() -> input.handle().select(dimension, index), input);
  }

  /** The given indices (I64 [n]) of a dimension. */
  public static Tensor select(Tensor input, int dimension, Tensor indices) {
    return Call.of(
        () -> torch.index_select(input.handle(), dimension, indices.handle()), input, indices);
  }

  /** Rows of a table: [rows, size] at I64 [..] → [.., size]. Its gradient adds up what repeats. */
  public static Tensor rows(Tensor table, Tensor indices) {
    return Call.of(() -> torch.embedding(table.handle(), indices.handle()), table, indices);
  }

  /** Along a dimension, the element each index (I64, of the result's shape) names. */
  public static Tensor gather(Tensor input, int dimension, Tensor indices) {
    return Call.of(() -> torch.gather(input.handle(), dimension, indices.handle()), input, indices);
  }

  /** Tensors one after the other along a dimension they have. */
  public static Tensor concat(List<Tensor> parts, int dimension) {
    return parts.size() == 1
        ? parts.get(0)
        : Call.of(() -> torch.cat(vector(parts), dimension), parts.toArray(Tensor[]::new));
  }

  /** Tensors of one shape along a new dimension. */
  public static Tensor stack(List<Tensor> parts, int dimension) {
    return Call.of(() -> torch.stack(vector(parts), dimension), parts.toArray(Tensor[]::new));
  }

  /** A dimension of size one put in before the given one; a view. */
  public static Tensor unsqueeze(Tensor input, int dimension) {
    return Call.of(() -> input.handle().unsqueeze(dimension), input);
  }

  /** Dimensions of size one stretched to the given shape without a copy. */
  public static Tensor expand(Tensor input, long... shape) {
    return Call.of(() -> input.handle().expand(shape), input);
  }

  /** The dimensions in another order; a view. */
  public static Tensor permute(Tensor input, long... dimensions) {
    return Call.of(() -> input.handle().permute(dimensions), input);
  }

  /** A copy of {@code base} with {@code values} added at the given rows (I64 [n]). */
  public static Tensor addRows(Tensor base, Tensor indices, Tensor values) {
    return Call.of(
        () -> torch.index_add(base.handle(), 0, indices.handle(), values.handle()),
        base,
        indices,
        values);
  }

  /**
   * Writes {@code values} over the part [start, start + their size) of a dimension of {@code
   * buffer}: for memory that its owner alone fills, such as a cache. No gradient passes.
   */
  public static void overwrite(Tensor buffer, int dimension, long start, Tensor values) {
    try (Scope _ = Scope.open()) {
      Call.run(
          () ->
              buffer
                  .handle()
                  .narrow(dimension, start, values.size(dimension))
                  .copy_(values.handle().detach()),
          buffer,
          values);
    }
  }

  static TensorVector vector(List<Tensor> tensors) {
    TensorVector vector = new TensorVector();
    tensors.forEach(tensor -> vector.push_back(tensor.handle()));
    return vector;
  }
}
