package io.trimtab.hub;

import java.nio.file.Path;
import java.util.Optional;

/** One way to get a model's files. */
interface Source {
  /** What errors and records call it, such as {@code maven:G:A:V}. */
  String id();

  /** The name of its directory in the cache. */
  default String folder() {
    return id().replace(":", "--").replace("/", "--").replace("@", "--").replace("=", "-");
  }

  /** A copy that the user has already outside the own cache. */
  default Optional<ModelDirectory> owned() {
    return Optional.empty();
  }

  /**
   * Fetches the model into {@code directory} in the Hugging Face layout. What an earlier attempt
   * left there may be used or must be removed.
   *
   * @return the exact source
   */
  String fetch(Path directory);

  /** The licence as far as it is known, else empty. */
  String licence();
}
