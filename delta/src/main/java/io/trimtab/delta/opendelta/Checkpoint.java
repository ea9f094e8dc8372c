package io.trimtab.delta.opendelta;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.List;
import java.util.Map;

/** Between one delta type of OpenDelta and a method here. */
interface Checkpoint {
  /**
   * The settings that the fields stand for.
   *
   * @param unfrozen modules that are trained as a whole
   */
  DeltaSpec read(Fields fields, Model model, List<String> unfrozen);

  /**
   * The tensors of a delta under their names in files.
   *
   * @param left the delta's tensors by their names here; those that have an entry are taken out,
   *     what is left are tensors of the backbone
   */
  List<DeltaTensors.Entry> entries(Delta delta, Names names, Map<String, Parameter> left);

  /** The one for a checkpoint's delta type. */
  static Checkpoint of(ModelConfig config) {
    String type = config.text("delta_type");
    return switch (type) {
      case "lora" -> new LoraCheckpoint();
      case "adapter", "parallel_adapter", "compacter", "low_rank_adapter" ->
          new BottleneckCheckpoint(type);
      case "bitfit" -> new BitFitCheckpoint();
      case "prefix" -> new PrefixCheckpoint();
      case "soft_prompt" -> new PromptCheckpoint();
      default ->
          throw new DeltaException.Unsupported(
              "found delta_type "
                  + type
                  + " in "
                  + config.path()
                  + ", expected adapter, bitfit, compacter, lora, low_rank_adapter,"
                  + " parallel_adapter, prefix or soft_prompt, which are all that OpenDelta has");
    };
  }
}
