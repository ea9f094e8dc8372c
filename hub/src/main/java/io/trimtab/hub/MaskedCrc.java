package io.trimtab.hub;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** The checksum of LevelDB and TensorFlow files: CRC-32C, rotated and shifted by a constant. */
final class MaskedCrc {
  private static final int DELTA = 0xa282ead8;
  private static final int ROTATION = 15;
  private static final long CHUNK = 1L << 26;

  private MaskedCrc() {}

  static int of(MemorySegment bytes) {
    var crc = new CRC32C();
    for (long from = 0; from < bytes.byteSize(); from += CHUNK) {
      crc.update(bytes.asSlice(from, Math.min(CHUNK, bytes.byteSize() - from)).asByteBuffer());
    }
    return Integer.rotateRight((int) crc.getValue(), ROTATION) + DELTA;
  }
}
