package io.trimtab.hub;

/** What a {@code config.json} says of quantized layers. */
final class QuantizationConfig {
  /** The field's name. */
  static final String FIELD = "quantization_config";

  static final String BITSANDBYTES = "bitsandbytes";
  static final String COMPRESSED = "compressed-tensors";

  private QuantizationConfig() {}

  /** Whether layers are quantized in a way that {@link QuantizedLayers} reads. */
  static boolean isKnown(ModelConfig config) {
    if (!config.has(FIELD)) {
      return false;
    }
    ModelConfig section = config.section(FIELD);
    return switch (section.text("quant_method", "")) {
      case BITSANDBYTES -> true;
      case COMPRESSED -> section.text("format", "").equals("pack-quantized");
      default -> false;
    };
  }

  /**
   * Refuses other ways by name.
   *
   * @throws HubException.Unsupported for these
   */
  static void check(ModelConfig config) {
    if (config.has(FIELD) && !isKnown(config)) {
      ModelConfig section = config.section(FIELD);
      throw new HubException.Unsupported(
          "%s: found weights quantized by %s%s, expected bitsandbytes, or compressed-tensors in the"
              .concat(" format pack-quantized; open the model that this was made of")
              .formatted(
                  config.path(),
                  section.text("quant_method", "an unnamed method"),
                  section.has("format") ? " (" + section.text("format") + ")" : ""));
    }
  }
}
