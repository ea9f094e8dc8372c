package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Between one architecture of AdapterHub and a method here. */
interface Translation {
  /** Whether the architecture's fields are of this kind. */
  boolean reads(Fields fields);

  /**
   * The settings that the fields stand for.
   *
   * @param file the tensors, for what the fields leave open
   */
  DeltaSpec read(Fields fields, Model model, TensorFile file);

  /** Whether settings are of this kind. */
  boolean writes(DeltaSpec spec);

  /**
   * The fields that stand for a delta's settings.
   *
   * @throws DeltaException.Unsupported for settings without a field
   */
  Map<String, Object> config(Delta delta);

  /**
   * The tensors of a delta under their names in files.
   *
   * @param left the delta's tensors by their names here; those that have an entry are taken out
   */
  List<DeltaTensors.Entry> entries(Delta delta, Keys keys, Map<String, Parameter> left);

  /** The form that is stored; most architectures are stored as files of PEFT are. */
  default Delta toStore(Delta delta) {
    return delta.spec().toStore(delta);
  }

  /** A delta's tensors by name. */
  static SequencedMap<String, Parameter> byName(Delta delta) {
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    DeltaTensors.of(delta).forEach(each -> all.put(each.name(), each));
    return all;
  }

  /** Takes out the tensor of that name. */
  static Parameter take(Map<String, Parameter> left, String name) {
    Parameter found = left.remove(name);
    if (found == null) {
      throw new DeltaException.Unsupported(
          "found no "
              + name
              + " in this delta, expected one, since AdapterHub's files have one; store it as"
              + " peft");
    }
    return found;
  }

  /** An error for a setting without a field. */
  static DeltaException.Unsupported noField(String setting) {
    return new DeltaException.Unsupported(
        "found "
            + setting
            + " in a delta to be written for AdapterHub, whose files cannot say so; store it as"
            + " peft");
  }
}
