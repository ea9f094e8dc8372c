package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.compose.Composition;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/** Several architectures as one adapter: {@code union}, such as Mix-and-Match adapters. */
final class UnionTranslation implements Translation {
  @Override
  public boolean reads(Fields fields) {
    return fields.text("architecture", "").equals("union");
  }

  @Override
  public DeltaSpec read(Fields fields, Model model, TensorFile file) {
    fields.ignore("configs");
    SequencedMap<String, DeltaSpec> specs = new LinkedHashMap<>();
    for (ModelConfig config : fields.config().sections("configs")) {
      Fields own = Translations.fields(config);
      DeltaSpec spec = Translations.reading(own).read(own, model, file);
      own.close();
      String name = config.text("architecture", "bottleneck");
      specs.put(specs.containsKey(name) ? name + "-" + specs.size() : name, spec);
    }
    return Composition.union(specs);
  }

  @Override
  public boolean writes(DeltaSpec spec) {
    return spec instanceof Composition union && union.how() == Composition.How.SEQUENCE;
  }

  @Override
  public Map<String, Object> config(Delta delta) {
    List<Map<String, Object>> configs = new ArrayList<>();
    for (Delta child : delta.children()) {
      configs.add(new TreeMap<>(Translations.writing(child.spec()).config(child)));
    }
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architecture", "union");
    config.put("configs", configs);
    return config;
  }

  /** As it is; a child that would be stored in another form has to be stored by itself. */
  @Override
  public Delta toStore(Delta delta) {
    for (Delta child : delta.children()) {
      Delta stored = Translations.writing(child.spec()).toStore(child);
      if (stored != child) {
        stored.close();
        throw Translation.noField("a union with " + child.spec().method().name());
      }
    }
    return delta;
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Keys keys, Map<String, Parameter> left) {
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (Delta child : delta.children()) {
      entries.addAll(Translations.entries(Translations.writing(child.spec()), child, keys));
    }
    left.clear(); // what is the children's is in their entries
    return entries;
  }
}
