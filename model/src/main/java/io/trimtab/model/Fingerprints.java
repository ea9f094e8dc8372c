package io.trimtab.model;

import io.trimtab.hub.TensorInfo;
import io.trimtab.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** Hashes of stored tensors: type, shape and bytes. */
final class Fingerprints {
  private static final long CHUNK = 1 << 24;

  private Fingerprints() {}

  static String sha256(TensorInfo info, MemorySegment bytes) {
    return sha256(info.dtype(), info.shape(), bytes);
  }

  static String sha256(DType dtype, long[] shape, MemorySegment bytes) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      String head = dtype + Arrays.toString(shape);
      digest.update(head.getBytes(StandardCharsets.UTF_8));
      for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
        digest.update(bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
