package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.reft.Reft;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Activation;
import io.trimtab.model.Block;
import io.trimtab.model.Model;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * ReFT: {@code reft}. An orthonormal projection is stored as PyTorch's parametrization keeps it,
 * with the signs on the diagonal of its free numbers. Files of DiReFT are read as NoReFT's, by
 * AdapterHub itself too: it does not write whether the projection is subtracted.
 */
final class ReftTranslation implements Translation {
  private static final String BASE = ".projection.parametrizations.weight.0.base";
  private static final String FREE = ".projection.parametrizations.weight.original";

  @Override
  public boolean reads(Fields fields) {
    return fields.text("architecture", "").equals("reft");
  }

  @Override
  public DeltaSpec read(Fields fields, Model model, TensorFile file) {
    fields.ignore("init_weights_seed", "dtype");
    fields.need("output_reft", true);
    boolean orthonormal = fields.flag("orthogonality", false);
    fields.need("subtract_projection", true);
    Reft.Kind kind = orthonormal ? Reft.Kind.LOREFT : Reft.Kind.NOREFT;
    String activation = fields.text("non_linearity", "");
    return Reft.of(kind, fields.integer("r"))
        .at(
            fields.integer("prefix_positions"),
            fields.integer("suffix_positions"),
            fields.flag("tied_weights", false))
        .inBlocks(blocks(fields))
        .dropout(fields.decimal("dropout", 0))
        .activation(activation.isEmpty() ? null : Activation.named(activation))
        .based(orthonormal && !hasOnlyIdentities(file));
  }

  private static List<Integer> blocks(Fields fields) {
    if (fields.isText("layers")) {
      fields.need("layers", "all");
      return List.of();
    }
    return fields.integers("layers");
  }

  private static boolean hasOnlyIdentities(TensorFile file) {
    return file.names().stream()
        .filter(name -> name.endsWith(BASE))
        .allMatch(name -> isIdentity(file.bytes(name), file.info(name).shape()));
  }

  private static boolean isIdentity(MemorySegment floats, long[] shape) {
    long size = shape.length == 2 ? shape[1] : 0;
    if (size == 0 || floats.byteSize() != Float.BYTES * shape[0] * size) {
      return false;
    }
    for (long i = 0; i < shape[0] * size; i++) {
      float expected = i / size == i % size ? 1 : 0;
      if (floats.get(ValueLayout.JAVA_FLOAT_UNALIGNED, i * Float.BYTES) != expected) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean writes(DeltaSpec spec) {
    return spec instanceof Reft;
  }

  @Override
  public Map<String, Object> config(Delta delta) {
    Reft reft = (Reft) delta.spec();
    if (reft.kind() == Reft.Kind.DIREFT) {
      throw Translation.noField("DiReFT, in which the projection is not subtracted,");
    }
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architecture", "reft");
    config.put("r", reft.rank());
    config.put("prefix_positions", reft.prefix());
    config.put("suffix_positions", reft.suffix());
    config.put("tied_weights", reft.tied());
    config.put("layers", reft.blocks().isEmpty() ? "all" : reft.chosen(delta.base()));
    config.put("orthogonality", reft.kind() == Reft.Kind.LOREFT);
    config.put("dropout", reft.dropout());
    config.put("non_linearity", reft.activationName());
    config.put("output_reft", true);
    config.put("dtype", null);
    config.put("init_weights_seed", null);
    return config;
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Keys keys, Map<String, Parameter> left) {
    Reft reft = (Reft) delta.spec();
    List<Block> blocks = delta.base().stack().blocks();
    Set<String> paths = new LinkedHashSet<>();
    reft.chosen(delta.base()).forEach(number -> paths.add(blocks.get(number).path()));
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (String path : paths) {
      for (int unit = 0; unit < (reft.tied() ? 1 : 2); unit++) {
        String own = path + ".reft_layer.units." + unit;
        String at = path + ".reft_layer.refts." + keys.adapter() + ".units." + unit;
        for (String name : List.of(".learned_source.weight", ".learned_source.bias")) {
          entries.add(DeltaTensors.Entry.of(at + name, Translation.take(left, own + name)));
        }
        if (reft.kind() == Reft.Kind.LOREFT) {
          Parameter free = Translation.take(left, own + FREE);
          Parameter signs = Translation.take(left, own + ".projection.signs");
          entries.add(withSigns(at + FREE, free, signs));
          entries.add(base(at + BASE, left.remove(own + BASE), free));
        } else {
          String name = ".projection.weight";
          entries.add(DeltaTensors.Entry.of(at + name, Translation.take(left, own + name)));
        }
      }
    }
    return entries;
  }

  /** The free numbers with the signs on their diagonal, which counts cut to whole numbers. */
  private static DeltaTensors.Entry withSigns(String key, Parameter free, Parameter signs) {
    return new DeltaTensors.Entry(
        key,
        () -> {
          float[] numbers = free.value().detach().toFloats();
          float[] diagonal = signs.value().toFloats();
          int columns = (int) free.value().size(1);
          for (int i = 0; i < diagonal.length; i++) {
            int at = i * columns + i;
            if ((int) numbers[at] != (int) diagonal[i]) {
              numbers[at] = diagonal[i];
            }
          }
          return Creation.floats(numbers, free.value().shape());
        },
        read -> {
          free.assign(read);
          float[] numbers = free.value().detach().toFloats();
          int columns = (int) free.value().size(1);
          float[] diagonal = new float[(int) signs.value().size(0)];
          for (int i = 0; i < diagonal.length; i++) {
            diagonal[i] = (int) numbers[i * columns + i];
          }
          signs.assign(Creation.floats(diagonal, diagonal.length));
        });
  }

  /** The matrix that turns the projection; the identity where there is none. */
  private static DeltaTensors.Entry base(String key, @Nullable Parameter base, Parameter free) {
    if (base != null) {
      return DeltaTensors.Entry.of(key, base);
    }
    return new DeltaTensors.Entry(
        key,
        () -> {
          int size = (int) free.value().size(1);
          float[] identity = new float[size * size];
          for (int i = 0; i < size; i++) {
            identity[i * size + i] = 1;
          }
          return Creation.floats(identity, size, size);
        },
        (Tensor read) -> {}); // it is the identity, or there would be a constant for it
  }
}
