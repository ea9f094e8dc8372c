package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * What {@link Unpickler} can make: plain data and descriptions of tensors, never an object of a
 * class that the file names. Values may hold themselves, so nothing walks them recursively; none is
 * compared or printed as a whole.
 */
sealed interface PickleValue {

  /** What to call the value in an error message. */
  default String kind() {
    return switch (this) {
      case None _ -> "None";
      case Bool _ -> "a bool";
      case Int _ -> "an int";
      case Real _ -> "a float";
      case Text _ -> "a text";
      case Tuple _ -> "a tuple";
      case Items _ -> "a list";
      case Dict _ -> "a dict";
      case Global global -> global.name();
      case Storage _ -> "a storage";
      case Strided _ -> "a tensor";
    };
  }

  /** Python's {@code None}. */
  record None() implements PickleValue {}

  /** A truth value. */
  record Bool(boolean value) implements PickleValue {}

  /** A whole number of at most 64 bits. */
  record Int(long value) implements PickleValue {}

  /** A floating-point number. */
  record Real(double value) implements PickleValue {}

  /** A string. */
  record Text(String value) implements PickleValue {}

  /** An unchangeable list; the only kind of arguments. */
  record Tuple(List<PickleValue> values) implements PickleValue {}

  /** A list that may still grow. */
  record Items(ArrayList<PickleValue> values) implements PickleValue {}

  /** A dict whose keys are all texts; only an ordered one may get attributes. */
  record Dict(boolean ordered, SequencedMap<String, PickleValue> values) implements PickleValue {}

  /** One of the names in {@link TorchGlobals}, a plain label to which nothing is attached. */
  record Global(String name) implements PickleValue {}

  /** A run of elements that is kept elsewhere under a key. */
  record Storage(String key, DType dtype, long elements) implements PickleValue {}

  /** A view of a storage; offset and strides in elements, nothing of it checked yet. */
  @SuppressWarnings("ArrayRecordComponent") // never compared, and made for one reader
  record Strided(Storage storage, long offset, long[] shape, long[] strides)
      implements PickleValue {}
}
