package io.trimtab.kernel;

/**
 * What the inner loops run on. The one place that chooses: vectors where the JVM was started with
 * {@code --add-modules jdk.incubator.vector} on a machine that has some, plain Java elsewhere.
 */
public final class Backend {
  private static final String MODULE = "jdk.incubator.vector";

  /** Bits of the narrowest vectors that are worth their while. */
  private static final int NARROWEST = 128;

  private final Lanes lanes;
  private final String name;

  private Backend(Lanes lanes, String name) {
    this.lanes = lanes;
    this.name = name;
  }

  /** The fastest that this JVM offers. */
  public static Backend fastest() {
    if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
      return new Backend(
          new ScalarLanes(), "scalar: start java with --add-modules " + MODULE + " for vectors");
    }
    int bits = VectorLanes.bits();
    return bits < NARROWEST
        ? new Backend(new ScalarLanes(), "scalar: this processor has no vectors")
        : new Backend(new VectorLanes(), "vectors of " + bits + " bits");
  }

  /** Plain Java, to compare with. */
  public static Backend scalar() {
    return new Backend(new ScalarLanes(), "scalar");
  }

  /** Whether this runs on vectors. */
  public boolean vectors() {
    return !(lanes instanceof ScalarLanes);
  }

  Lanes lanes() {
    return lanes;
  }

  ArrayLanes arrays() {
    return vectors() ? new VectorArrays() : new ScalarArrays();
  }

  LowRankLanes lowRank() {
    return vectors() ? new VectorLowRank() : new ScalarLowRank();
  }

  /** What was chosen and why: "vectors of 512 bits", "scalar: …". */
  @Override
  public String toString() {
    return name;
  }
}
