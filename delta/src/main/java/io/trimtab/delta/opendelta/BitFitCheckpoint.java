package io.trimtab.delta.opendelta;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.OpenDeltaTargets;
import io.trimtab.delta.selective.BitFit;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Norm;
import io.trimtab.tensor.Parameter;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** BitFit: the biases of the modules it hit under their own names, added ones too. */
final class BitFitCheckpoint implements Checkpoint {
  /** Every layer hit is given a bias where it has none and can have one; others have none. */
  @Override
  public DeltaSpec read(Fields fields, Model model, List<String> unfrozen) {
    List<String> biased =
        OpenDeltaTargets.read(fields.config()).findLeniently(model, Address.Kind.LAYERS).stream()
            .filter(hit -> hit.layer() != null && canHaveBias(hit.layer()))
            .map(hit -> bias(Objects.requireNonNull(hit.layer())))
            .distinct()
            .toList();
    if (biased.isEmpty()) {
      throw new DeltaException.NoMatch(
          "found no layer that can have a bias at modified_modules of "
              + fields.config().path()
              + " in "
              + model.name()
              + ", expected some; the checkpoint is for another model");
    }
    return BitFit.existing()
        .in(biased.toArray(String[]::new))
        .adding()
        .saving(unfrozen.toArray(String[]::new));
  }

  private static String bias(Layer layer) {
    return layer instanceof Linear linear && linear.bias() != null
        ? linear.biasName()
        : layer.path() + ".bias";
  }

  private static boolean canHaveBias(Layer layer) {
    return layer instanceof Linear || layer instanceof Norm;
  }

  /** They are tensors of the backbone. */
  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Names names, Map<String, Parameter> left) {
    return List.of();
  }
}
