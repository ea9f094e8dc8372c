package io.trimtab.model;

import io.trimtab.model.weights.WeightForm;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;

/**
 * How a model is opened.
 *
 * @param dtype the type that is computed in: F32, or BF16 for half the memory
 * @param device where the weights and all computation are
 * @param weights how matrices are held
 */
public record OpenOptions(DType dtype, Device device, WeightForm weights) {
  /** Single precision on the CPU. */
  public static final OpenOptions DEFAULT = new OpenOptions(DType.F32, Device.CPU, WeightForm.AUTO);

  /**
   * Checks that they fit together.
   *
   * @throws ModelException.Unsupported for packed weights on another device than the CPU, or
   *     weights wider than what is computed in
   */
  public OpenOptions {
    if (weights == WeightForm.F32 && dtype == DType.BF16) {
      throw new ModelException.Unsupported(
          "found weights in f32 for computing in bf16, expected them no wider than that; leave one"
              + " of the two away");
    }
    boolean plain =
        weights == WeightForm.AUTO || weights == WeightForm.F32 || weights == WeightForm.BF16;
    if (!plain && device.kind() != Device.Kind.CPU) {
      throw new ModelException.Unsupported(
          "found weights in the form "
              + weights.word()
              + " on "
              + device
              + ", expected that on the CPU alone; use auto, f32 or bf16");
    }
  }

  /** The same computing in another type. */
  public OpenOptions dtype(DType other) {
    return new OpenOptions(other, device, weights);
  }

  /** The same on another device. */
  public OpenOptions device(Device other) {
    return new OpenOptions(dtype, other, weights);
  }

  /** The same with matrices held otherwise. */
  public OpenOptions weights(WeightForm other) {
    return new OpenOptions(dtype, device, other);
  }
}
