package io.trimtab.model;

import io.trimtab.tensor.Tensor;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tensors by name, of which some are unpacked whenever they are asked for: those belong to the
 * scope that is open then. Names alone cost nothing.
 */
final class StoredTensors extends AbstractMap<String, Tensor>
    implements SequencedMap<String, Tensor> {
  private final LinkedHashMap<String, Supplier<Tensor>> suppliers = new LinkedHashMap<>();

  /** Adds a tensor unless there is one of that name. Returns this. */
  StoredTensors with(String name, Supplier<Tensor> tensor) {
    suppliers.putIfAbsent(name, tensor);
    return this;
  }

  /** Adds all of a layer's tensors whose names are not there. */
  void addAll(Map<String, Tensor> tensors) {
    if (tensors instanceof StoredTensors stored) {
      stored.suppliers.forEach(this::with);
    } else {
      tensors.forEach((name, tensor) -> with(name, () -> tensor));
    }
  }

  @Override
  public @Nullable Tensor get(@Nullable Object name) {
    Supplier<Tensor> supplier = suppliers.get(name);
    return supplier == null ? null : supplier.get();
  }

  @Override
  public boolean containsKey(@Nullable Object name) {
    return suppliers.containsKey(name);
  }

  @Override
  public Set<String> keySet() {
    return Collections.unmodifiableSet(suppliers.keySet());
  }

  @Override
  public int size() {
    return suppliers.size();
  }

  @Override
  public SequencedMap<String, Tensor> reversed() {
    StoredTensors turned = new StoredTensors();
    suppliers.reversed().forEach(turned::with);
    return turned;
  }

  @Override
  public Set<Entry<String, Tensor>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public Iterator<Entry<String, Tensor>> iterator() {
        Iterator<Entry<String, Supplier<Tensor>>> each = suppliers.entrySet().iterator();
        return new Iterator<>() {
          @Override
          public boolean hasNext() {
            return each.hasNext();
          }

          @Override
          public Entry<String, Tensor> next() {
            Entry<String, Supplier<Tensor>> next = each.next();
            return new Unpacked(next.getKey(), next.getValue());
          }
        };
      }

      @Override
      public int size() {
        return suppliers.size();
      }
    };
  }

  /** An entry whose value is made when it is asked for. */
  private record Unpacked(String name, Supplier<Tensor> tensor) implements Entry<String, Tensor> {
    @Override
    public String getKey() {
      return name;
    }

    @Override
    public Tensor getValue() {
      return tensor.get();
    }

    @Override
    public Tensor setValue(Tensor value) {
      throw new UnsupportedOperationException("stored tensors never change");
    }
  }
}
