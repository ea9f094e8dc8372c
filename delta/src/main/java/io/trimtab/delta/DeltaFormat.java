package io.trimtab.delta;

import io.trimtab.model.Model;
import java.nio.file.Path;

/**
 * A layout of files that deltas are stored in, registered by
 * {@code @AutoService(DeltaFormat.class)} on the class that implements this.
 */
public interface DeltaFormat {
  /** What users call it, such as {@code peft}. */
  String name();

  /** The files by which it is recognised, in words for errors. */
  String files();

  /** Whether a directory, or file, is of this layout, as far as its names and settings tell. */
  boolean recognises(Path path);

  /** Whether it is written; some are read only. */
  default boolean isWritten() {
    return true;
  }

  /** What the files call the base that the delta is for. */
  String base(Path path);

  /**
   * Reads a delta for a model.
   *
   * @throws DeltaException.Unsupported for a method or setting that is not supported
   * @throws DeltaException.BaseMismatch where it was tuned on other weights
   * @throws DeltaException for tensors that are missing, left over, or of a wrong shape
   */
  Delta load(Path path, Model model);

  /**
   * Writes a delta, each file moved into place whole.
   *
   * @throws DeltaException.Unsupported for a method or setting that the layout has no field for
   */
  void save(Delta delta, Path path);
}
