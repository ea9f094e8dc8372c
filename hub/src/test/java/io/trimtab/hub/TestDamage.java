package io.trimtab.hub;

import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitrary;

/** {@link Damage} for the tests of other packages. */
public final class TestDamage {
  private final List<Damage> damages;

  private TestDamage(List<Damage> damages) {
    this.damages = damages;
  }

  /** One to four damages. */
  public static Arbitrary<TestDamage> some() {
    return Damage.some().map(TestDamage::new);
  }

  /** The bytes after the damage. */
  public byte[] apply(byte[] bytes) {
    return Damage.apply(damages, bytes);
  }

  /** A new directory. */
  public static Path temporaryDirectory() {
    return Damage.temporaryDirectory();
  }

  /** Deletes a directory. */
  public static void deleteAll(Path directory) {
    Damage.deleteAll(directory);
  }

  @Override
  public String toString() {
    return damages.toString();
  }
}
