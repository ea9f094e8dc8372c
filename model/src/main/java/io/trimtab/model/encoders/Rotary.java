package io.trimtab.model.encoders;

import io.trimtab.model.Layout;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * Rotary positions (Su et al., 2021, "RoFormer", section 3.2.2): element i of a head and element i
 * + size / 2 are a point in the plane, turned by the token's position times theta^(-2i / size).
 *
 * @param size of a head
 * @param theta the base of the angles
 */
record Rotary(int size, double theta) {

  /** Cosines and sines of all tokens of a layout. */
  Angles angles(Layout layout, DType dtype, Device device) {
    float[] positions = new float[layout.tokens()];
    for (int row = 0; row < layout.rows(); row++) {
      for (int i = 0; i < layout.length(row); i++) {
        positions[layout.start(row) + i] = i;
      }
    }
    int half = size / 2;
    float[] speeds = new float[half];
    for (int i = 0; i < half; i++) {
      speeds[i] = (float) Math.pow(theta, -2.0 * i / size);
    }
    Tensor angles =
        Arithmetic.multiply(
            Creation.floats(positions, positions.length, 1, 1).to(device),
            Creation.floats(speeds, 1, 1, half).to(device));
    return new Angles(Arithmetic.cosine(angles).to(dtype), Arithmetic.sine(angles).to(dtype));
  }

  /**
   * How far each token is turned.
   *
   * @param cosine [tokens, 1, size / 2]
   * @param sine [tokens, 1, size / 2]
   */
  record Angles(Tensor cosine, Tensor sine) {

    /** Turns packed queries or keys [tokens, heads · size]. */
    Tensor rotate(Tensor packed, int heads) {
      long tokens = packed.size(0);
      long half = cosine.size(2);
      Tensor split = packed.reshape(tokens, heads, 2 * half);
      Tensor x = Indexing.slice(split, 2, 0, half);
      Tensor y = Indexing.slice(split, 2, half, half);
      Tensor turnedX =
          Arithmetic.subtract(Arithmetic.multiply(x, cosine), Arithmetic.multiply(y, sine));
      Tensor turnedY = Arithmetic.add(Arithmetic.multiply(y, cosine), Arithmetic.multiply(x, sine));
      return Indexing.concat(List.of(turnedX, turnedY), 2).reshape(tokens, packed.size(1));
    }
  }
}
