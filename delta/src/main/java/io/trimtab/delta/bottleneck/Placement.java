package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import java.util.List;

/** Where adapters go. */
public sealed interface Placement {
  /**
   * At the attention or the feed-forward network of each block, as AdapterHub has it.
   *
   * @param attention whether attention has one ({@code mh_adapter})
   * @param feedForward whether the feed-forward network has one ({@code output_adapter})
   * @param flow what they are given, and what becomes of what they give
   * @param leaveOut numbers of blocks that have none
   */
  record Sublayers(boolean attention, boolean feedForward, Flow flow, List<Integer> leaveOut)
      implements Placement {
    /** Copies the list. */
    public Sublayers {
      leaveOut = List.copyOf(leaveOut);
      if (!attention && !feedForward) {
        throw new DeltaException(
            "found mh_adapter=false and output_adapter=false, expected at least one of them true");
      }
    }
  }

  /**
   * Behind modules, as OpenDelta's sequential adapters: h + adapter(h).
   *
   * @param names of layers or modules: the ends of paths, {@code [r]} and a regular expression, or
   *     common names such as {@code attn@.proj@}
   * @param exclude beginnings of whole paths that are left out
   */
  record Behind(List<String> names, List<String> exclude) implements Placement {
    /** Copies the lists. */
    public Behind {
      names = List.copyOf(names);
      exclude = List.copyOf(exclude);
      if (names.isEmpty()) {
        throw new DeltaException(
            "found no modified_modules for adapters, expected at least one name such as"
                + " attn@.proj@");
      }
    }
  }

  /**
   * From the input of one module to the output of another or the same, as OpenDelta's parallel
   * adapters: h + adapter(x).
   *
   * @param names two for each pair, where from and where to, named as in {@link Behind}
   * @param exclude beginnings of whole paths that are left out
   */
  record Beside(List<String> names, List<String> exclude) implements Placement {
    /** Copies the lists. */
    public Beside {
      names = List.copyOf(names);
      exclude = List.copyOf(exclude);
      if (names.isEmpty() || names.size() % 2 != 0) {
        throw new DeltaException(
            "found modified_modules "
                + names
                + " for parallel adapters, expected pairs: whose input, whose output, such as"
                + " ff@.w1@,ff@.w2@");
      }
    }
  }

  /** What an adapter at a sublayer is given. */
  sealed interface Flow {
    /**
     * What the sublayer gives.
     *
     * @param normBefore whether the sublayer's addition and norm come first ({@code
     *     original_ln_before})
     * @param normAfter whether they come afterwards ({@code original_ln_after})
     * @param around where the adapter's own addition takes its other summand
     */
    record Sequential(boolean normBefore, boolean normAfter, Around around) implements Flow {
      /** Refuses what no architecture can compute. */
      public Sequential {
        if (around == Around.AFTER_ADDITION && !normBefore) {
          throw new DeltaException(
              "found residual_before_ln=post_add without original_ln_before=true, expected an"
                  + " addition for it to come after; switch both on or this off");
        }
        if (!normAfter && !(normBefore && around == Around.AFTER_NORM)) {
          throw new DeltaException.Unsupported(
              "found original_ln_after=false with original_ln_before="
                  + normBefore
                  + " and residual_before_ln="
                  + around.text()
                  + ", expected original_ln_before=true and residual_before_ln=false beside it:"
                  + " otherwise the model's own addition is lost");
        }
      }

      /** Before the model's addition and norm: Houlsby's. */
      public static Sequential beforeNorm() {
        return new Sequential(false, true, Around.BEFORE_NORM);
      }

      /** Of normed vectors, added before the model's addition and norm: Pfeiffer's. */
      public static Sequential ofNormed() {
        return new Sequential(true, true, Around.BEFORE_NORM);
      }
    }

    /** What the sublayer's output is added to, in parallel with the sublayer. */
    record Parallel() implements Flow {}
  }

  /** Where an adapter's own addition takes its other summand ({@code residual_before_ln}). */
  enum Around {
    /** What the sublayer gives. */
    BEFORE_NORM("true"),
    /** What the adapter is given. */
    AFTER_NORM("false"),
    /** The sum that the norm is given. */
    AFTER_ADDITION("post_add");

    private final String text;

    Around(String text) {
      this.text = text;
    }

    /** What options and files call it. */
    public String text() {
      return text;
    }

    /** The one of that name. */
    public static Around named(String text) {
      for (Around around : values()) {
        if (around.text.equals(text)) {
          return around;
        }
      }
      throw new DeltaException(
          "found residual_before_ln=" + text + " for an adapter, expected true, false or post_add");
    }
  }
}
