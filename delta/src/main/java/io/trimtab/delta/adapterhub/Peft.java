package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.hub.ModelConfig;
import java.nio.file.Path;
import tools.jackson.databind.json.JsonMapper;

/** A delta's settings as PEFT would have them. */
final class Peft {
  private Peft() {}

  static ModelConfig config(Delta delta) {
    String json = JsonMapper.shared().writeValueAsString(delta.spec().toConfig(delta.base()));
    return ModelConfig.parse(json, Path.of("adapter_config.json"));
  }
}
