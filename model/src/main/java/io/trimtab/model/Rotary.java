package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rotary positions (Su et al., 2021, "RoFormer", section 3.2.2): element i of a head and element i
 * + size / 2 are a point in the plane, turned by the token's position times a speed of its own.
 * Elements of the head from {@code size} on stay as they are.
 */
public final class Rotary {
  /** How fast each pair turns, for rows of a given length. */
  @FunctionalInterface
  public interface Speeds {
    /** Radians a position, [size / 2], in a row of so many tokens. */
    float[] of(int rowLength);
  }

  private final float[] usual;
  private final @Nullable Speeds byLength;
  private final double factor;

  private Rotary(float[] usual, @Nullable Speeds byLength, double factor) {
    this.usual = usual;
    this.byLength = byLength;
    this.factor = factor;
  }

  /** The speeds theta^(-2i / size) that the paper has, for the first {@code size} elements. */
  public static Rotary of(int size, double theta) {
    return of(speeds(size, theta), 1);
  }

  /**
   * Given speeds.
   *
   * @param speeds radians a position, one a pair of elements
   * @param factor what cosines and sines are multiplied by, usually 1
   */
  public static Rotary of(float[] speeds, double factor) {
    return new Rotary(speeds.clone(), null, factor);
  }

  /** Speeds that depend on how long the row is. */
  public static Rotary byLength(Speeds speeds, double factor) {
    return new Rotary(new float[0], speeds, factor);
  }

  /** theta^(-2i / size) for each i. */
  public static float[] speeds(int size, double theta) {
    float[] speeds = new float[size / 2];
    for (int i = 0; i < speeds.length; i++) {
      speeds[i] = (float) Math.pow(theta, -2.0 * i / size);
    }
    return speeds;
  }

  /**
   * Whether a longer row turns its tokens otherwise: keys of earlier tokens are then to be kept as
   * they were before the turn.
   */
  public boolean dependsOnLength() {
    return byLength != null;
  }

  /** What cosines and sines are multiplied by. */
  double factor() {
    return factor;
  }

  /** How far a position is turned, radians [size / 2]; not of speeds that depend on the length. */
  float[] angles(int position) {
    float[] angles = usual.clone();
    for (int i = 0; i < angles.length; i++) {
      angles[i] *= position;
    }
    return angles;
  }

  /**
   * Cosines and sines of all tokens at hand.
   *
   * @param later by how many positions the tokens of each row stand later than they are counted
   */
  public Angles angles(Pass pass, int[] later, DType dtype, Device device) {
    Layout layout = pass.layout();
    float[] positions = new float[layout.tokens()];
    for (int row = 0; row < layout.rows(); row++) {
      int[] own = pass.positions(row);
      for (int i = 0; i < own.length; i++) {
        positions[layout.start(row) + i] = (float) own[i] + later[row];
      }
    }
    if (byLength == null) {
      return angles(positions, usual, dtype, device);
    }
    List<Tensor> cosines = new ArrayList<>();
    List<Tensor> sines = new ArrayList<>();
    for (int row = 0; row < layout.rows(); row++) {
      float[] own = Arrays.copyOfRange(positions, layout.start(row), layout.start(row + 1));
      Angles angles = angles(own, byLength.of(pass.rowLength(row) + later[row]), dtype, device);
      cosines.add(angles.cosine());
      sines.add(angles.sine());
    }
    return new Angles(Indexing.concat(cosines, 0), Indexing.concat(sines, 0));
  }

  /** Cosines and sines of positions {@code first} and on in rows of so many tokens. */
  Angles angles(int first, int count, int rowLength, DType dtype, Device device) {
    float[] positions = new float[count];
    for (int i = 0; i < count; i++) {
      positions[i] = (float) first + i;
    }
    return angles(positions, byLength == null ? usual : byLength.of(rowLength), dtype, device);
  }

  private Angles angles(float[] positions, float[] speeds, DType dtype, Device device) {
    Tensor angles =
        Arithmetic.multiply(
            Creation.floats(positions, positions.length, 1, 1).to(device),
            Creation.floats(speeds, 1, 1, speeds.length).to(device));
    return new Angles(
        scaled(Arithmetic.cosine(angles)).to(dtype), scaled(Arithmetic.sine(angles)).to(dtype));
  }

  private Tensor scaled(Tensor values) {
    return factor == 1 ? values : Arithmetic.multiply(values, factor);
  }

  /**
   * How far each token is turned.
   *
   * @param cosine [tokens, 1, size / 2]
   * @param sine [tokens, 1, size / 2]
   */
  public record Angles(Tensor cosine, Tensor sine) {

    /** Turns packed queries or keys [tokens, heads · size of a head]. */
    public Tensor rotate(Tensor packed, int heads) {
      if (Fused.fits(packed, cosine, sine)) {
        return Fused.rotate(packed, heads, cosine, sine);
      }
      long tokens = packed.size(0);
      return rotated(packed.reshape(tokens, heads, packed.size(1) / heads))
          .reshape(tokens, packed.size(1));
    }

    /** Turns keys of rows that are alike, [rows, heads, tokens, size of a head]. */
    Tensor rotateRows(Tensor keys) {
      return new Angles(cosine.transpose(0, 1), sine.transpose(0, 1)).rotated(keys);
    }

    /** The angles of some tokens alone. */
    public Angles at(Tensor indices) {
      return new Angles(Indexing.select(cosine, 0, indices), Indexing.select(sine, 0, indices));
    }

    private Tensor rotated(Tensor split) {
      long half = cosine.size(2);
      int last = split.rank() - 1;
      Tensor x = Indexing.slice(split, last, 0, half);
      Tensor y = Indexing.slice(split, last, half, half);
      Tensor turnedX =
          Arithmetic.subtract(Arithmetic.multiply(x, cosine), Arithmetic.multiply(y, sine));
      Tensor turnedY = Arithmetic.add(Arithmetic.multiply(y, cosine), Arithmetic.multiply(x, sine));
      long rest = split.size(last) - 2 * half;
      return rest == 0
          ? Indexing.concat(List.of(turnedX, turnedY), last)
          : Indexing.concat(
              List.of(turnedX, turnedY, Indexing.slice(split, last, 2 * half, rest)), last);
    }
  }
}
