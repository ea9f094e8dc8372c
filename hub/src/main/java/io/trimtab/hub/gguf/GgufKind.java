package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;

/** Tells models from other things that GGUF files hold. */
final class GgufKind {
  private GgufKind() {}

  static void requireModel(GgufFile file) {
    String type = file.metadata().text("general.type", "model");
    if (!type.equals("model")) {
      throw new HubException.Unsupported(
          "%s holds no model but a GGUF %s; expected a model".formatted(file.path(), type));
    }
    long parts = file.metadata().whole("split.count", 1);
    if (parts > 1) {
      throw new HubException.Unsupported(
          "%s is one of %d parts, which are not read; expected a whole file, merge them first"
              .formatted(file.path(), parts));
    }
  }
}
