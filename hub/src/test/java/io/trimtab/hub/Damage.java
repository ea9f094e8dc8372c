package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** One thing that happens to the bytes of a valid file; positions are taken modulo its size. */
record Damage(Kind kind, int position, byte value) {
  enum Kind {
    SET,
    FLIP_BIT,
    INSERT,
    DELETE,
    CUT,
    APPEND,
    COPY
  }

  /** One to four damages; positions near the front, where directories are, are more likely. */
  static Arbitrary<List<Damage>> some() {
    Arbitrary<Integer> position =
        Arbitraries.oneOf(
            Arbitraries.integers().between(0, 63), Arbitraries.integers().between(0, 100_000));
    return Combinators.combine(Arbitraries.of(Kind.class), position, Arbitraries.bytes())
        .as(Damage::new)
        .list()
        .ofMinSize(1)
        .ofMaxSize(4);
  }

  static byte[] apply(List<Damage> damages, byte[] bytes) {
    byte[] result = bytes;
    for (Damage damage : damages) {
      result = result.length == 0 ? new byte[] {damage.value()} : damage.applyTo(result);
    }
    return result;
  }

  private byte[] applyTo(byte[] bytes) {
    int at = position % bytes.length;
    byte[] copy = bytes.clone();
    switch (kind) {
      case SET -> copy[at] = value;
      case FLIP_BIT -> copy[at] ^= (byte) (1 << (value & 7));
      case COPY -> copy[at] = bytes[Byte.toUnsignedInt(value) % bytes.length];
      case CUT -> copy = Arrays.copyOf(bytes, at);
      case APPEND -> {
        copy = Arrays.copyOf(bytes, bytes.length + 1);
        copy[bytes.length] = value;
      }
      case INSERT -> {
        copy = new byte[bytes.length + 1];
        System.arraycopy(bytes, 0, copy, 0, at);
        copy[at] = value;
        System.arraycopy(bytes, at, copy, at + 1, bytes.length - at);
      }
      case DELETE -> {
        copy = new byte[bytes.length - 1];
        System.arraycopy(bytes, 0, copy, 0, at);
        System.arraycopy(bytes, at + 1, copy, at, copy.length - at);
      }
    }
    return copy;
  }

  /** Opens a file and touches everything in it; nothing but a typed error may come of that. */
  static void assertRefusedOrReadWhole(Path file, Function<Path, TensorFile> opener) {
    try (TensorFile read = opener.apply(file)) {
      for (String name : read.names()) {
        TensorInfo info = read.info(name);
        assertThat(info.name()).isEqualTo(name);
        assertThat(read.bytes(name).byteSize()).isEqualTo(info.byteSize());
        MaskedCrc.of(read.bytes(name));
      }
    } catch (FileFormatException e) {
      assertThat(e).hasMessageContaining(": ").message().hasLineCount(1);
    }
  }

  static Path temporaryDirectory() {
    try {
      return Files.createTempDirectory("damage");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void deleteAll(Path directory) {
    try (Stream<Path> walk = Files.walk(directory)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
